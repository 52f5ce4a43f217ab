"""Where vector ships logs, told as one text: type://?option=value&table[key]=value&list[]=value (commands-a.md 10)."""

from dokku_min.sdk import Failure

_ENCODED = "base64enc:"
_OWN = ("inputs", "sinks", "type")  # what is ours to fill in
_TYPE = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")


def parse(text):
    """The sink as vector's configuration has it. Raises Failure."""
    from urllib.parse import parse_qsl, unquote

    kind, slashes, query = text.partition("://")
    if not slashes or not kind or set(kind) - _TYPE or not query.startswith("?"):
        raise Failure(f"Invalid vector sink: {redacted(text)}", "write it as type://?option=value&other[key]=value")
    found: dict = {"type": kind}
    for name, value in parse_qsl(query[1:], keep_blank_values=True):
        path = _path(unquote(name))
        if path[0] in _OWN:
            raise Failure(f"Invalid option for vector sink {kind}: {path[0]}", "dokku fills that in")
        _put(found, path, _value(value))
    return found


def redacted(text):
    """What may be shown of it: no password."""
    return f"{text.partition('://')[0]}://redacted" if "://" in text else text and "redacted"


def _path(name):
    """ "a[b][]" to ["a", "b", ""]."""
    head, *rest = name.split("[")
    if not head or any(not part.endswith("]") for part in rest):
        raise Failure(f"Invalid option name in the vector sink: {name}", "as in encoding[codec]")
    return [head, *(part[:-1] for part in rest)]


def _put(table, path, value):
    key, rest = path[0], path[1:]
    if not rest:
        table[key] = value
    elif rest == [""]:
        if not isinstance(table.setdefault(key, []), list):
            raise Failure(f"option {key} of the vector sink is both a list and a value")
        table[key].append(value)
    else:
        if not isinstance(table.setdefault(key, {}), dict):
            raise Failure(f"option {key} of the vector sink is both a table and a value")
        _put(table[key], rest, value)


def _value(text):
    """Numbers, true and false are themselves, all else is text; base64enc: is for what a URL cannot carry."""
    import json

    if text.startswith(_ENCODED):
        return _decoded(text.removeprefix(_ENCODED))
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, bool | int | float) else text


def _decoded(text):
    import base64
    import binascii

    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Failure("a base64enc: value of the vector sink is not base64") from None
