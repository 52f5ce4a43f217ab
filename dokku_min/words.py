"""Text to words and back, by the quoting rules of a POSIX shell, without ever asking a shell to do it."""

from dokku_min.errors import Failure

_SAFE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./_-")


def split(text: str) -> list[str]:
    """Words of text: quotes group, a backslash takes the next character as it is, nothing is expanded (POSIX 2.2)."""
    words: list[str] = []
    word: list[str] | None = None
    rest = iter(text)
    for char in rest:
        if char in " \t\n":
            if word is not None:
                words.append("".join(word))
                word = None
            continue
        word = [] if word is None else word
        if char == "\\":
            word.append(next(rest, "\\"))
        elif char in "'\"":
            word.extend(_quoted(char, rest))
        else:
            word.append(char)
    if word is not None:
        words.append("".join(word))
    return words


def _quoted(quote: str, rest) -> list[str]:  # type: ignore[no-untyped-def]
    found: list[str] = []
    for char in rest:
        if char == quote:
            return found
        if char == "\\" and quote == '"':
            char = next(rest, "")
            if char not in '"\\$`\n':
                found.append("\\")
            if char == "\n":
                continue
        found.append(char)
    raise Failure(f"unbalanced {quote} in the command", "close the quote, or escape it with a backslash")


def quote(word: str) -> str:
    """The word as a shell reads it back, in single quotes where it needs any."""
    if word and not set(word) - _SAFE:
        return word
    return "'" + word.replace("'", "'\\''") + "'"


def join(words: list[str]) -> str:
    return " ".join(map(quote, words))
