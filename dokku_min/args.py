"""Command lines bound to the signature of the function that serves them (commands-a.md 1.1 and 1.4).

Positional parameters are arguments, `*rest` takes what is left. Keyword-only parameters are flags, `_` written `-`:
a False default is a switch, `()` may be given several times, an int is checked, any other takes one value. Two names
mean something everywhere: `app` must be an app that exists, `scope` an app or `--global`.
"""

from dokku_min import apps
from dokku_min.errors import Failure
from dokku_min.names import GLOBAL

USAGE_ERROR = 2
_EVERYWHERE = ("--quiet", "--trace", "--force")  # global flags work from any position


class Usage(Failure):
    """The command line is wrong in its form: exit status 2."""

    def __init__(self, message: str):
        super().__init__(message, status=USAGE_ERROR)


class HelpWanted(Usage):
    """The command line asks what the command takes."""

    def __init__(self) -> None:
        super().__init__("")


class Signature:
    """What a function takes, read off its code object (`inspect` would cost 20 ms)."""

    def __init__(self, function):  # type: ignore[no-untyped-def]
        code = function.__code__
        own = 1 if hasattr(function, "__self__") else 0  # a bound method is given its first argument already
        self.positional = code.co_varnames[own : code.co_argcount]
        self.required = len(self.positional) - len(function.__defaults__ or ())
        self.flags = function.__kwdefaults__ or {}
        self.rest = bool(code.co_flags & 0x04)


def bind(function, argv: list[str], options_first: bool = False, short=None) -> tuple[list[str], dict]:  # type: ignore[no-untyped-def]
    """(arguments, flags) for function out of argv; short maps "-t" to "--tail".

    options_first: everything from the first argument on belongs to the function, dashes or not (`run`, `enter`).
    Raises Usage for unknown or incomplete flags, Failure for missing, surplus or unknown-app arguments, and HelpWanted.
    """
    signature = Signature(function)
    found: list[str] = []
    flags: dict = dict(signature.flags)
    words = list(argv)
    while words:
        word = words.pop(0)
        word = (short or {}).get(word, word)
        if word == GLOBAL and "scope" in signature.positional:
            found.insert(signature.positional.index("scope"), word)
        elif word == "--":
            found += [word, *words] if options_first and found else words
            break
        elif word.startswith("-") and len(word) > 1:
            _take_flag(word, words, flags)
        elif options_first:
            found += [word, *words]
            break
        else:
            found.append(word)
    return _checked(signature, found), flags


def _take_flag(word: str, words: list[str], flags: dict) -> None:
    name, equals, value = word.partition("=")
    key = name[2:].replace("-", "_")
    if not name.startswith("--") or key not in flags:
        if word in _EVERYWHERE:
            return
        if word in ("-h", "--help"):
            raise HelpWanted
        raise Usage(f"unknown flag: {name}")
    default = flags[key]
    if isinstance(default, bool):
        if equals and value not in ("true", "false"):
            raise Usage(f"{name} takes no value but true or false")
        flags[key] = value != "false"
        return
    if not equals:
        if not words:
            raise Usage(f"flag needs an argument: {name}")
        value = words.pop(0)
    flags[key] = (*default, value) if isinstance(default, tuple) else _number(name, value, default)


def _number(name: str, value: str, default: object) -> object:
    if not isinstance(default, int):
        return value
    try:
        return int(value)
    except ValueError:
        raise Usage(f"{name} takes a number, not {value}") from None


def _checked(signature: Signature, found: list[str]) -> list[str]:
    names = signature.positional
    for number, name in enumerate(names):
        value = found[number] if number < len(found) else None
        if name in ("app", "scope"):
            if value or number < signature.required or value == "":
                check_app(value or "", or_global=name == "scope")
        elif value is None and number < signature.required:
            raise Failure(f"Missing argument: <{name.strip('_').replace('_', '-')}>")
    if len(found) > len(names) and not signature.rest:
        raise Failure(f"Unexpected argument(s): {' '.join(found[len(names) :])}")
    return found


def check_app(name: str, or_global: bool = False) -> None:
    if not name:
        raise Failure("Please specify an app to run the command on")
    if not (or_global and name == GLOBAL):
        apps.verify(name)
