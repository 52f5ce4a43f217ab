"""Procfile: text to process types (commands-b.md 6)."""

from dokku_min.names import is_process_type
from dokku_min.sdk import Failure

_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")


def parse(text: str) -> dict[str, str]:
    """{process type: command} in the file's order. Raises Failure naming the first line that is not `type: command`."""
    found: dict[str, str] = {}
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line.startswith(("#", "//")):
            continue
        name, colon, rest = line.partition(":")
        command = _without_comment(rest.strip())
        if not colon or not is_process_type(name) or not command:
            raise Failure(f"Invalid Procfile: line {number} is not `type: command`: {line}", "mend the Procfile and push")
        if name in found:
            raise Failure(f"Invalid Procfile: {name} is there twice (line {number})", "every process type has one line")
        found[name] = command
    if not found:
        raise Failure("Invalid Procfile: no entries found", "add a line like `web: ./start`, or remove the file")
    return found


def _without_comment(command: str) -> str:
    """A comment starts at a `#` or `//` that begins the command or follows a blank."""
    for mark in ("#", "//"):
        if command.startswith(mark):
            return ""
        at = min((at for at in (command.find(f" {mark}"), command.find(f"\t{mark}")) if at >= 0), default=-1)
        if at >= 0:
            command = command[:at].rstrip()
    return command


def expand(command: str, env: dict[str, str]) -> str:
    """$NAME and ${NAME} replaced by env, unknown ones by nothing; `$(` and a lone `$` stay as they are."""
    out, at = [], 0
    while at < len(command):
        if command[at] != "$":
            out.append(command[at])
            at += 1
            continue
        braced = command[at + 1 : at + 2] == "{"
        start = end = at + 1 + braced
        while end < len(command) and command[end] in _WORD:
            end += 1
        if end == start or (braced and command[end : end + 1] != "}"):
            out.append("$")
            at += 1
            continue
        out.append(env.get(command[start:end], ""))
        at = end + braced
    return "".join(out)
