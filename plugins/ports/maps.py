"""Port maps `scheme:host-port:container-port` (commands-a.md 5), as (scheme, host port, container port)."""

from dokku_min.errors import Failure

Map = tuple[str, int, int]
_SCHEME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789+.-")  # of a URL scheme, RFC 3986 3.1


def parse(text: str) -> Map:
    """Raises Failure that says what is wrong with the text."""
    parts = text.split(":")
    if len(parts) != 3:
        raise _invalid(text, "write scheme:host-port:container-port")
    scheme, *ports = parts
    if not (scheme and scheme[0].isalpha()) or set(scheme) - _SCHEME:
        raise _invalid(text, "a scheme is lower case, such as http or https")
    for number in ports:
        if not is_port(number):
            raise _invalid(text, f"{number or 'nothing'} is no port, ports are 1 to 65535")
    return scheme, int(ports[0]), int(ports[1])


def _invalid(text: str, why: str) -> Failure:
    return Failure(f"Invalid port map {text} [{why}]", "as in: http:80:5000")


def is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 5 and 1 <= int(text) <= 65535


def text(each: Map) -> str:
    return f"{each[0]}:{each[1]}:{each[2]}"


def texts(maps: list[Map]) -> list[str]:
    return [text(each) for each in maps]


def unique(maps: list[Map]) -> list[Map]:
    """The first map of each scheme and host port."""
    first: dict[tuple[str, int], Map] = {}
    for each in maps:
        first.setdefault(each[:2], each)
    return list(first.values())


def check_distinct(maps: list[Map]) -> None:
    seen = set()
    for scheme, port, _ in maps:
        if (scheme, port) in seen:
            raise Failure(f"The same scheme:host-port is being reused: {scheme}:{port}")
        seen.add((scheme, port))


def chooser(word: str):  # type: ignore[no-untyped-def]
    """What `ports:remove` is given, a whole map, a host port, or scheme:host-port, as a test of maps."""
    parts = word.split(":")
    if len(parts) == 1 and is_port(word):
        return lambda each: each[1] == int(word)
    if len(parts) == 2:
        scheme, port, _ = parse(f"{word}:1")
        return lambda each: each[:2] == (scheme, port)
    wanted = parse(word)
    return lambda each: each == wanted


def secured(maps: list[Map], ssl_port: int, plain: tuple[int, ...] = (80,)) -> list[Map]:
    """With a certificate, plain http on a port of plain is joined by https; without one, http becomes https."""
    shared = [each for each in maps if each[0] == "http" and each[1] in plain]
    if shared:
        return unique([*maps, *[("https", ssl_port, each[2]) for each in shared]])
    return unique([("https", *each[1:]) if each[0] == "http" else each for each in maps])


def as_json(maps: list[Map]) -> str:
    """The array that tools read; `null` if there is none."""
    import json

    rows = [{"container_port": c, "host_port": h, "scheme": s} for s, h, c in maps]
    return json.dumps(rows or None, separators=(",", ":"))
