"""The one door through which words reach nginx's configuration: validators, and the quoting of a value.

Every check takes a value, returns it as it is to be stored, and raises Failure for what would not mean itself.
"""

from dokku_min.sdk import Failure

_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.*_-")
_PATH = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/@%+=:,-")
_TIME = r"(\d+(ms|[yMwdhms])?)+"  # nginx: a number, or numbers with units, "1h30m"
_SIZE = r"\d+[kKmMgG]?"


def quoted(value: str) -> str:
    """value as one argument of a directive; `$name` in it stays a variable, as nginx has no escape for it."""
    if not _is_text(value):
        raise Failure(f"nginx cannot be told {value!r}", "it holds a control character")
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def host(name: str) -> str:
    """A server_name: letters, digits, dots, dashes and `*`; never a regular expression."""
    if not name or set(name) - _NAME:
        raise Failure(f"{name!r} is no host name that nginx can serve", "see the app's domains: dokku domains:report")
    return name


def port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise Failure(f"{text!r} is not a port", "ports are numbers from 1 to 65535")
    return int(text)


def plain_path(path: str) -> str:
    """An absolute path that needs no quotes."""
    if not path.startswith("/") or set(path) - _PATH or ".." in path.split("/"):
        raise Failure(f"{path!r} is no path that nginx can be told", "use an absolute path without blanks or quotes")
    return path


def text(value: str) -> str:
    """A value that quoted() takes; its variables are nginx's business."""
    quoted(value)
    return value


def log_path(value: str) -> str:
    return value if value == "off" or _is_syslog(value) else plain_path(value)


def _is_syslog(value: str) -> bool:
    return value.startswith("syslog:") and not set(value) - _PATH - set("[]")


def duration(value: str) -> str:
    return _matching(value, _TIME, "a time such as 60s, 5m or 1h30m")


def size(value: str) -> str:
    return _matching(value, _SIZE, "a size such as 8k or 50m")


def buffers(value: str) -> str:
    return _matching(" ".join(value.split()), rf"\d+ {_SIZE}", "a number and a size, such as: 8 4k")


def number(value: str) -> str:
    return _matching(value, r"\d+", "a number")


def format_name(value: str) -> str:
    return _matching(value, r"[A-Za-z0-9_-]+", "the name of a log_format of nginx's configuration")


def switch(value: str) -> str:
    return _one_of(value, "on", "off")


def boolean(value: str) -> str:
    return _one_of(value, "true", "false")


def ipv4(value: str) -> str:
    from ipaddress import AddressValueError, IPv4Address

    try:
        return str(IPv4Address(value))
    except AddressValueError:
        raise Failure(f"{value!r} is not an IPv4 address") from None


def ipv6(value: str) -> str:
    from ipaddress import AddressValueError, IPv6Address

    try:
        return str(IPv6Address(value.removeprefix("[").removesuffix("]")))
    except AddressValueError:
        raise Failure(f"{value!r} is not an IPv6 address") from None


def source_path(value: str) -> str:
    """A file inside the app's source."""
    if value.startswith(("/", "-")) or ".." in value.split("/") or not _is_text(value):
        raise Failure(f"{value!r} is not a file of the app's source", "use a path relative to its root")
    return value


def command(value: str) -> str:
    if not value.startswith("/") or not _is_text(value):
        raise Failure(f"{value!r} cannot be the service command", "use the absolute path of a program, and its words")
    return value


def _matching(value: str, pattern: str, wanted: str) -> str:
    import re

    if not re.fullmatch(pattern, value, re.ASCII):
        raise Failure(f"{value!r} is not {wanted}")
    return value


def _one_of(value: str, *choices: str) -> str:
    if value not in choices:
        raise Failure(f"{value!r} is neither of {', '.join(choices)}")
    return value


def _is_text(value: str) -> bool:
    return value.isprintable() if value.isascii() else all(c.isprintable() or ord(c) > 0x9F for c in value)
