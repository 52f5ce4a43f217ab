"""`PLUGIN:report`, the same for every plugin (commands-a.md 1.8)."""

from dokku_min import apps, log
from dokku_min.args import check_app
from dokku_min.errors import Failure
from dokku_min.names import GLOBAL


def show(name: str, heading: str, legacy: bool, rows_of, argv: list[str], capital: bool = True,
         extra=None) -> None:  # type: ignore[no-untyped-def]  # fmt: skip
    """Print a report as text, as JSON, or one value of it.

    rows_of(scope) gives {flag without dashes: text, or a function that finds it out}; scope is an app or `--global`.
    heading is the word in the heading and the prefix that JSON drops; legacy keeps the prefixed JSON keys too;
    capital says whether labels begin with a capital letter; extra(scope) adds what only JSON has.
    """
    scope, flag, form = _parse(name, argv)
    scopes = [scope] if scope else apps.visible()
    if not scopes:
        log.warn("You haven't deployed any applications yet")
    for each in scopes:
        rows = rows_of(each)
        if flag:
            print(_value(_pick(rows, flag)))
        elif form == "json":
            print(_json(rows, heading, legacy, extra(each) if extra else {}))
        else:
            log.info2_quiet(f"{each} {heading} information")
            print_rows(rows, capital)


def _parse(name: str, argv: list[str]) -> tuple[str, str, str]:
    scope, form, flags, words = "", "", [], list(argv)
    while words:
        word = words.pop(0)
        if word == "--format":
            form = words.pop(0) if words else ""
            if form not in ("stdout", "json"):
                raise Failure('Format must be "stdout" or "json"')
        elif word == GLOBAL or not word.startswith("--"):
            if scope:
                raise Failure(f"Unexpected argument(s): {word}")
            check_app(word, or_global=True)
            scope = word
        elif word not in ("--quiet", "--trace", "--force"):
            flags.append(word[2:])
    if len(flags) > 1:
        raise Failure(f"{name}:report command allows only a single flag")
    if flags and form == "json":
        raise Failure("--format flag cannot be specified when specifying an info flag")
    return scope, flags[0] if flags else "", form


def _pick(rows: dict, flag: str) -> object:
    if flag not in rows:
        valid = ", ".join(f"--{known}" for known in sorted(rows))
        raise Failure(f"Invalid flag passed, valid flags: {valid}")
    return rows[flag]


def _value(value) -> str:  # type: ignore[no-untyped-def]
    found = value() if callable(value) else value
    return str(found).lower() if isinstance(found, bool) else str(found)


def print_rows(rows: dict, capital: bool = True) -> None:
    width = max([31, *(len(flag) + 2 for flag in rows)])
    for flag in sorted(rows):
        label = flag.replace("-", " ").replace(".", " ")
        label = label[:1].upper() + label[1:] if capital else label
        print(f"       {(label + ':').ljust(width)}{_value(rows[flag])}".rstrip())


def _json(rows: dict, prefix: str, legacy: bool, extra: dict) -> str:
    found: dict[str, object] = dict(extra)
    for flag, value in rows.items():
        text = _value(value)
        found[flag.removeprefix(f"{prefix}-")] = text
        if legacy:
            found[flag] = text
    return to_json(found)


def to_json(value: object) -> str:
    """Compact JSON as Go writes it: sorted keys, UTF-8 kept, and <, >, & escaped."""
    import json

    text = json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
