"""The host ports on which the proxy answers for an app (commands-a.md 5.2, 5.4 and 5.5).

Properties proxy-port and proxy-ssl-port, of the app or of all apps. An app with host names shares them with the
others; one without gets ports of its own.
"""

import os

from dokku_min.sdk import GLOBAL, ask, holds, log, properties

DEFAULTS = {"proxy-port": "80", "proxy-ssl-port": "443"}


def computed(scope: str, key: str) -> str:
    return properties.effective("proxy", scope, key)


def shared(key: str) -> str:
    return properties.get("proxy", GLOBAL, key) or DEFAULTS[key]


def configure(app: str) -> None:
    """Give the app the ports it lacks, for good."""
    for key in DEFAULTS:
        if properties.get("proxy", app, key) or (key == "proxy-ssl-port" and ask("certs-exists", app) != "true"):
            continue
        if holds("domains-vhost-enabled", app):
            properties.put("proxy", app, key, shared(key))
        else:
            _take_random(app, key)


def _take_random(app: str, key: str) -> None:
    what = "port" if key == "proxy-port" else "ssl port"
    log.info1(f"No {what} set, setting to random open high port")
    with properties.editing("proxy", ""):  # two apps at once must not take the same one
        port = available()
        properties.put("proxy", app, key, str(port))
    log.info1(f"Random port {port}")


def available() -> int:
    """A port that nothing listens on and no app has; below those that the kernel gives to outgoing connections."""
    while True:
        port = 1025 + int.from_bytes(os.urandom(4), "big") % (32768 - 1025)
        if str(port) not in _taken() and _is_free(port):
            return port


def _taken() -> set[str]:
    apps = os.listdir(properties.paths.property_dir("proxy"))
    return {properties.get("proxy", app, key) for app in apps for key in DEFAULTS}


def _is_free(port: int) -> bool:
    import errno
    import socket

    for family, address in ((socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::")):
        try:
            with socket.socket(family) as probe:
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind((address, port))
        except OSError as error:  # no IPv6 here, say, is no reason to call the port taken
            if error.errno == errno.EADDRINUSE:
                return False
    return True


def forget_shared(app: str) -> None:
    """The app is to choose its ports anew, except those that the operator gave to it alone."""
    for key, default in DEFAULTS.items():
        if properties.get("proxy", app, key) in (default, shared(key)):
            properties.delete("proxy", app, key)


def forget(app: str) -> None:
    for key in DEFAULTS:
        properties.delete("proxy", app, key)
