"""Schedules: what a crontab line may begin with, checked and put into the form that Debian's cron reads.

Dokku's own parser takes a little more than cron does (`?`, `5/15`, names in ranges); those are written out for cron.
"""

from dokku_min.errors import Failure

DESCRIPTORS = ("@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly")
MONTHS = {"jan": 1, "feb": 2, "mar": 3, "apr": 4, "may": 5, "jun": 6, "jul": 7, "aug": 8, "sep": 9, "oct": 10,
          "nov": 11, "dec": 12}  # fmt: skip
DAYS = {"sun": 0, "mon": 1, "tue": 2, "wed": 3, "thu": 4, "fri": 5, "sat": 6}
FIELDS = (
    ("minute", 0, 59, {}), ("hour", 0, 23, {}), ("day of the month", 1, 31, {}), ("month", 1, 12, MONTHS),
    ("day of the week", 0, 7, DAYS),
)  # fmt: skip


class Wrong(ValueError):
    """The text is no schedule; says why."""


def normal(text: str) -> str:
    """The schedule as cron takes it, blanks between the fields single; raises Wrong."""
    fields = text.lower().split()
    if len(fields) == 1 and fields[0] in DESCRIPTORS:
        return fields[0]
    if text.strip().startswith("@"):
        raise Wrong(f"{text.strip()!r} is none of {' '.join(DESCRIPTORS)}")
    if len(fields) != 5 or "\n" in text or "\r" in text:
        raise Wrong(f"{text!r} must have 5 fields (minute hour day month weekday), or be like @daily")
    return " ".join(_field(word, *about) for word, about in zip(fields, FIELDS, strict=True))


def _field(word: str, name: str, low: int, high: int, names: dict[str, int]) -> str:
    try:
        return ",".join(_part(part, low, high, names) for part in word.split(","))
    except ValueError:
        raise Wrong(f"{word!r} is no {name}, which goes from {low} to {high}") from None


def _part(part: str, low: int, high: int, names: dict[str, int]) -> str:
    span, slash, step = part.partition("/")
    if slash and not 0 < _number(step) <= high:
        raise ValueError
    if span in ("*", "?"):
        return f"*/{_number(step)}" if slash else "*"
    first, dash, last = span.partition("-")
    start = _named(first, names)
    end = _named(last, names) if dash else high if slash else start
    if not low <= start <= end <= high:
        raise ValueError
    return f"{start}{f'-{end}' if dash or slash else ''}{f'/{_number(step)}' if slash else ''}"


def _named(word: str, names: dict[str, int]) -> int:
    return names[word] if word in names else _number(word)


def _number(word: str) -> int:
    if not word.isascii() or not word.isdigit():
        raise ValueError
    return int(word)


def check(text: str) -> str:
    try:
        return normal(text)
    except Wrong as wrong:
        raise Failure(f"invalid schedule: {wrong}") from None
