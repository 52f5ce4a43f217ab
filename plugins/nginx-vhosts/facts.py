"""Ask the other plugins for all that an app's vhost depends on."""

import catchall
import daemon
import places
import settings
import syntax
from tell import told
from template import Facts, directives

from dokku_min.sdk import ask, files, holds, log, paths


def of(app: str) -> Facts:
    """Listeners come from live containers, so nginx is never pointed at an address that is not this app's."""
    tls = ask("certs-exists", app, must=True) == "true"
    bare = not holds("domains-vhost-enabled", app)
    found = Facts(
        app=app,
        app_dir=paths.app_dir(app),
        error_pages=places.error_pages(),
        settings=settings.all_of(app),
        maps=port_maps(app, ask("ports-get", app, must=True), tls),
        listeners=addresses(ask("network-get-listeners", app, "web", must=True)),
        domains=[] if bare else [syntax.host(name) for name in ask("domains-list", app, must=True).split()],
        bare=bare,
        tls=tls,
        proxy_port=_port(app, "proxy-port", 80),
        ssl_port=_port(app, "proxy-ssl-port", 443),
        ipv6=catchall.has_ipv6(),
        overridden=frozenset(_overridden(app)),
    )
    if any(scheme != "http" for scheme, _, _ in found.maps):
        found.version = version()
    return found


def port_maps(app: str, text: str, tls: bool) -> list[tuple[str, int, str]]:
    """The effective maps; those for TLS wait until there is a certificate."""
    entries = [tuple(word.split(":")) for word in text.split() if word.count(":") == 2]
    found = [(scheme, syntax.port(outside), inside) for scheme, outside, inside in entries]
    for scheme, outside, inside in found if not tls else ():
        if scheme in ("https", "grpcs"):
            what = f"{scheme}:{outside}:{inside}"
            log.warn(f"Ignoring detected {scheme} port mapping without an accompanying ssl certificate ({what})")
    return [entry for entry in found if tls or entry[0] not in ("https", "grpcs")]


def addresses(text: str) -> list[str]:
    """The addresses in `ip:port` words, each once; the port is the map's business (commands-a.md 7.3)."""
    return list(dict.fromkeys(word.rpartition(":")[0] for word in text.split()))


def _port(app: str, key: str, default: int) -> int:
    text = ask("ports-get-property", app, key, must=True)
    return int(text) if text.isdigit() and int(text) else default


def _overridden(app: str) -> set[str]:
    import os

    base = places.includes(app)
    names = os.listdir(base) if os.path.isdir(base) else []
    return {word for name in names if name.endswith(".conf") for word in directives(files.read(f"{base}/{name}"))}


def version() -> tuple[int, ...]:
    """nginx's version; it says `nginx version: nginx/1.22.1 (Debian)`."""
    _, said = daemon.merged([places.binary(), "-v"])
    number = said.partition("/")[2].split()
    parts = number[0].split(".") if number else []
    return tuple(int(part) for part in parts if part.isdigit())


def certificate_names(app: str) -> list[str]:
    return told("certs:report", app, "--ssl-hostnames").split()


def matching(domains: list[str], names: list[str]) -> list[str]:
    """Domains that the certificate covers; `*` stands for one label."""
    return [domain for domain in domains if any(_covers(name.lower(), domain) for name in names)]


def _covers(name: str, domain: str) -> bool:
    if name.startswith("*."):
        return domain.partition(".")[2] == name[2:] and bool(domain.partition(".")[0])
    return name == domain
