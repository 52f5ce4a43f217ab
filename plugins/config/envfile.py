"""The ENV file and its relatives: text to variables and back (commands-a.md 3.1 to 3.3)."""

from dokku_min.names import is_env_key
from dokku_min.report import to_json
from dokku_min.sdk import Failure, log

_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", '"': '\\"', "!": "\\!", "$": "\\$", "`": "\\`"}
_WORD = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_EXPANDED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
FORMATS = ("exports", "envfile", "shell", "docker-args", "docker-args-keys", "pack-keys", "pretty", "json", "json-list")


def dump(env: dict[str, str]) -> str:
    """The ENV file of env: one KEY="escaped" a line, sorted; integers in their plain form stand bare."""
    return "".join(f"{key}={_written(env[key])}\n" for key in sorted(env))


def _written(value: str) -> str:
    digits = value.removeprefix("-")
    if digits.isascii() and digits.isdigit() and len(digits) < 19 and str(int(value)) == value:
        return value
    return '"' + "".join(_ESCAPES.get(char, char) for char in value) + '"'


def parse(text: str, left_out=lambda key: None) -> dict[str, str]:  # type: ignore[no-untyped-def]
    """Variables of an envfile; keys that no environment can hold are told to left_out. Raises Failure on an open quote."""
    reader = _Reader(text.replace("\r\n", "\n"))
    found: dict[str, str] = {}
    while reader.next_entry():
        key = reader.key()
        value = reader.value(found)
        if is_env_key(key):
            found[key] = value
        else:
            left_out(key)
    return found


class _Reader:
    """Walks over the text of an envfile, an entry at a time."""

    def __init__(self, text: str):
        self.text, self.at = text, 0

    def next_entry(self) -> bool:
        """Go to the next line that is neither blank nor a comment."""
        while self.at < len(self.text):
            end = self._line_end()
            line = self.text[self.at : end].strip()
            if line and not line.startswith("#"):
                return True
            self.at = end + 1
        return False

    def _line_end(self) -> int:
        end = self.text.find("\n", self.at)
        return len(self.text) if end < 0 else end

    def key(self) -> str:
        line = self.text[self.at : self._line_end()]
        start = len(line) - len(line.lstrip())
        if line[start:].startswith(("export ", "export\t")):
            start += 7
        ends = [at for at in (line.find("=", start), line.find(":", start)) if at >= 0]
        if not ends:
            raise Failure(f"cannot read the line: {line.strip()}", "every line is KEY=value")
        self.at += min(ends) + 1
        return line[start : min(ends)].strip()

    def value(self, earlier: dict[str, str]) -> str:
        while self.text[self.at : self.at + 1] in (" ", "\t"):
            self.at += 1
        quote = self.text[self.at : self.at + 1]
        if quote == '"':
            return self._double_quoted(earlier)
        if quote == "'":
            end = self.text.find("'", self.at + 1)
            if end < 0:
                raise Failure("unterminated quoted value")
            value, self.at = self.text[self.at + 1 : end], end + 1
            self._skip_line()
            return value
        end = self._line_end()
        line, self.at = self.text[self.at : end], end + 1
        return _expand(line.partition(" #")[0].strip(), earlier)

    def _double_quoted(self, earlier: dict[str, str]) -> str:
        value, self.at = "", self.at + 1
        while self.at < len(self.text):
            char = self.text[self.at]
            if char == '"':
                self.at += 1
                self._skip_line()
                return value
            if char == "\\":
                escaped = self.text[self.at + 1 : self.at + 2]
                value += {"n": "\n", "r": "\r"}.get(escaped, escaped)
                self.at += 2
            elif char == "$":
                name, length = _variable(self.text, self.at)
                value += earlier.get(name, "") if name else "$"
                self.at += length
            else:
                value += char
                self.at += 1
        raise Failure("unterminated quoted value")

    def _skip_line(self) -> None:
        self.at = self._line_end() + 1


def _variable(text: str, at: int) -> tuple[str, int]:
    """Name and length of the $NAME or ${NAME} at text[at], or ("", 1)."""
    braced = text[at + 1 : at + 2] == "{"
    start = end = at + 1 + braced
    while end < len(text) and text[end] in _EXPANDED:
        end += 1
    if end == start or (braced and text[end : end + 1] != "}"):
        return "", 1
    return text[start:end], end + braced - at


def _expand(text: str, earlier: dict[str, str]) -> str:
    value, at = "", 0
    while at < len(text):
        if text[at] != "$":
            value += text[at]
            at += 1
            continue
        name, length = _variable(text, at)
        value += earlier.get(name, "") if name else "$"
        at += length
    return value


def quoted(value: str) -> str:
    return "'" + value.replace("'", "'\\''") + "'"


def export(env: dict[str, str], form: str) -> str:
    """env in one of FORMATS, with the end each has upstream (a newline, but for `shell`: a blank)."""
    keys = sorted(env)
    if form == "exports":
        return "".join(f"export {key}={quoted(env[key])}\n" for key in keys)
    if form == "envfile":
        return dump(env)
    if form == "shell":
        return "".join(f"{key}={quoted(env[key])} " for key in keys)
    if form == "docker-args":
        return " ".join(f"--env={key}={quoted(env[key])}" for key in keys) + "\n"
    if form == "docker-args-keys":
        return " ".join(f"--env={key}" for key in keys) + "\n"
    if form == "pack-keys":
        return " ".join(f"--env {key}" for key in keys) + "\n"
    if form == "pretty":
        return log.columns([[f"{key}:", env[key].strip()] for key in keys]) + "\n"
    if form == "json":
        return to_json(env) + "\n"
    if form == "json-list":
        return to_json([{"name": key, "value": env[key]} for key in keys] or None) + "\n"
    raise Failure(f"Unknown export format: {form}", f"choose one of {', '.join(FORMATS)}")


