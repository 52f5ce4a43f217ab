"""JSON as people write it: comments and trailing commas are fine, and every mistake is told with its line.

The standard library's parser takes neither, and knows no line of a value that is well-formed but wrong.
"""

from dokku_min.errors import Failure

DEPTH = 100  # deeper nesting is no manifest, and would end in a RecursionError
_LITERALS = {"true": True, "false": False, "null": None}


class Document:
    """value: what the text says; lines: the line of every field, by its path (`cron[1].schedule`)."""

    def __init__(self, text: str, name: str = "app.json"):
        self.text, self.name, self.at = text.removeprefix("\ufeff"), name, 0
        self.lines: dict[str, int] = {}
        self._row, self._counted = 1, 0
        self._space()
        self.value = self._value("", DEPTH) if self.at < len(self.text) else {}
        self._space()
        if self.at < len(self.text):
            raise self._wrong(f"unexpected {self._shown()} after the end")

    def line(self, path: str) -> int:
        """The line of a field; of the nearest one around it when it is missing; 1 if there is none."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path, 1)

    def error(self, path: str, what: str) -> Failure:
        return Failure(f"{self.name} line {self.line(path)}: {path or 'the file'} {what}")

    def _wrong(self, what: str, at: int = -1) -> Failure:
        at = self.at if at < 0 else at
        return Failure(f"{self.name} line {self.text.count(chr(10), 0, at) + 1}: {what}", "it must be valid JSON")

    def _shown(self) -> str:
        char = self.text[self.at : self.at + 1]
        return f"'{char}'" if char else "end of the file"

    def _space(self) -> None:
        """Skip white space and comments."""
        while self.at < len(self.text):
            if self.text[self.at] in " \t\r\n":
                self.at += 1
            elif self.text.startswith("//", self.at):
                end = self.text.find("\n", self.at)
                self.at = len(self.text) if end < 0 else end
            elif self.text.startswith("/*", self.at):
                end = self.text.find("*/", self.at + 2)
                if end < 0:
                    raise self._wrong("this comment has no end")
                self.at = end + 2
            else:
                return

    def _value(self, path: str, depth: int) -> object:
        if not depth:
            raise self._wrong(f"nested deeper than {DEPTH} levels")
        self._row, self._counted = self._row + self.text.count("\n", self._counted, self.at), self.at
        self.lines[path] = self._row
        char = self.text[self.at : self.at + 1]
        if char == "{":
            return self._object(path, depth)
        if char == "[":
            return self._list(path, depth)
        return self._string(path) if char == '"' else self._scalar(path)

    def _object(self, path: str, depth: int) -> dict:
        found: dict = {}
        for _ in self._items("}", path):
            if self.text[self.at] != '"':
                raise self._wrong(f"expected a quoted name{_within(path)}, found {self._shown()}")
            key = self._string(path)
            self._space()
            if self.text[self.at : self.at + 1] != ":":
                raise self._wrong(f'expected ":" after "{key}"{_within(path)}, found {self._shown()}')
            self.at += 1
            self._space()
            found[key] = self._value(f"{path}.{key}" if path else key, depth - 1)
        return found

    def _list(self, path: str, depth: int) -> list:
        found: list = []
        for _ in self._items("]", path):
            found.append(self._value(f"{path}[{len(found)}]", depth - 1))
        return found

    def _items(self, end: str, path: str):  # type: ignore[no-untyped-def]
        """Stop at every item up to end; the caller reads it in between."""
        opened, self.at = self.at, self.at + 1
        self._space()
        while self.text[self.at : self.at + 1] != end:
            if self.at >= len(self.text):
                raise self._wrong(f"this '{self.text[opened]}' is never closed{_within(path)}", opened)
            yield
            self._space()
            if self.text[self.at : self.at + 1] == ",":
                self.at += 1
                self._space()
            elif self.text[self.at : self.at + 1] not in ("", end):
                raise self._wrong(f'expected "," or "{end}"{_within(path)}, found {self._shown()}')
        self.at += 1

    def _string(self, path: str) -> str:
        from json.decoder import scanstring

        try:
            text, self.at = scanstring(self.text, self.at + 1)
        except ValueError as error:
            raise self._wrong(f"{error.msg.lower()}{_within(path)}", error.pos) from None  # type: ignore[attr-defined]
        return text

    def _scalar(self, path: str) -> object:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in " \t\r\n,]}:/":
            self.at += 1
        word = self.text[start : self.at]
        if word in _LITERALS:
            return _LITERALS[word]
        import json

        try:
            if word[:1] in "-0123456789":
                return json.loads(word)
        except ValueError:
            pass
        self.at = start
        raise self._wrong(f"expected a value{_within(path)}, found {word or self._shown()}")


def _within(path: str) -> str:
    return f" in {path}" if path else ""


def parse(text: str, name: str = "app.json") -> object:
    """The value of text; Failure names the line."""
    import json

    try:
        return json.loads(text, parse_constant=_refuse)  # nearly every file is plain JSON
    except (ValueError, RecursionError):
        return Document(text, name).value


def _refuse(word: str) -> None:
    raise ValueError(f"{word} is no JSON")
