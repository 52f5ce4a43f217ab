"""Lines for the user, in Dokku's own look (commands-a.md 1.3). `_quiet` ones vanish under --quiet."""

import os
import sys


def quiet() -> bool:
    return bool(os.environ.get("DOKKU_QUIET_OUTPUT"))


def plain(text: str) -> None:
    print(text)


def info1(text: str) -> None:
    print(f"-----> {text}")


def info2(text: str) -> None:
    print(f"=====> {text}")


def verbose(text: str) -> None:
    print(f"       {text}")


def exclaim(text: str) -> None:
    print(f" !     {text}")


def warn(text: str) -> None:
    for line in text.splitlines() or [""]:
        print(f" !     {line}", file=sys.stderr)


def debug(text: str) -> None:
    if os.environ.get("DOKKU_TRACE") == "1":
        print(f" ?     {text}", file=sys.stderr)


def plain_quiet(text: str) -> None:
    if not quiet():
        plain(text)


def info1_quiet(text: str) -> None:
    if not quiet():
        info1(text)


def info2_quiet(text: str) -> None:
    if not quiet():
        info2(text)


def verbose_quiet(text: str) -> None:
    if not quiet():
        verbose(text)


def warn_quiet(text: str) -> None:
    if not quiet():
        warn(text)


def columns(rows: list[list[str]], indent: str = "") -> str:
    """Lay rows out in columns as wide as their widest field, two blanks apart; the last one is not padded."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)][:-1] if rows else []
    return "\n".join(
        indent + "  ".join([*(f.ljust(w) for f, w in zip(row, widths, strict=False)), row[-1]]) for row in rows
    )
