"""Where an app answers (commands-a.md 4.5)."""

import vhosts

from dokku_min.names import GLOBAL
from dokku_min.sdk import ask


def of(app: str, only_first: bool, hosts: list[str]) -> list[str]:
    """The URLs of the app, or only its first of the default scheme. hosts: its own names, maybe none."""
    given = ask("app-urls", app, "url" if only_first else "urls", must=True)
    if given:
        return given.split("\n")
    secure = ask("certs-exists", app) == "true"
    scheme = "https" if secure else "http"
    ports = _listening(app, scheme) if ask("proxy-is-enabled", app) == "false" else _mapped(app, secure)
    ports = ports or [(scheme, "443" if secure else "80")]
    found = [url(s, host, port) for host in hosts or vhosts.read(GLOBAL) or [_own_name()] for s, port in ports]
    if only_first:
        return [_first(found, f"{scheme}://")]
    return sorted(set(found))


def _first(found: list[str], start: str) -> str:
    """The one people would give away: of the default scheme, and best without a port."""
    fitting = [each for each in found if each.startswith(start)] or found
    return min(fitting, key=lambda each: each.count(":"))


def _listening(app: str, scheme: str) -> list[tuple[str, str]]:
    """Without a proxy an app is reached on the ports that its containers listen on."""
    return [(scheme, word.rpartition(":")[2]) for word in ask("network-get-listeners", app, "web").split()]


def _mapped(app: str, secure: bool) -> list[tuple[str, str]]:
    maps = [each.split(":") for each in ask("ports-get", app).split()]
    return [(scheme, port) for scheme, port, _ in maps if secure or scheme != "https"]


def url(scheme: str, host: str, port: str) -> str:
    if port == "80":
        return f"http://{host}"
    if (scheme, port) == ("https", "443"):
        return f"https://{host}"
    return f"{scheme}://{host}:{port}"


def _own_name() -> str:
    import socket

    return socket.getfqdn()
