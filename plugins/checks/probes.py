"""Try one check against one container. A probe returns "" for success, or what is wrong."""

import time

from dokku_min import run
from dokku_min.sdk import ask

BUILDER = (
    '{{with .Config.Labels}}{{if index . "io.buildpacks.lifecycle.metadata"}}pack'
    '{{else}}{{with index . "com.dokku.builder-type"}}{{.}}{{end}}{{end}}{{end}}'
)
STARTERS = {"herokuish": ("/exec",), "pack": ("/cnb/lifecycle/launcher", "--")}


def http(check, target):
    """GET scheme://ip:port/path: 2xx, and the wanted text in the body."""
    import http.client
    import ssl

    kind = http.client.HTTPSConnection if check.scheme == "https" else http.client.HTTPConnection
    how = {"context": ssl._create_unverified_context()} if check.scheme == "https" else {}  # its own, unnamed address
    connection = kind(target.address, check.port, timeout=check.timeout, **how)
    try:
        connection.request("GET", check.value, headers={**_headers(target.app), **check.headers})
        answer = connection.getresponse()
        body = answer.read(10_000_000)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"{check.value} cannot be fetched: {error}"
    finally:
        connection.close()
    if not 200 <= answer.status < 300:
        return f"{check.value} answered {answer.status}"
    if check.content and check.content.encode() not in body:
        return f"{check.value} does not have the text {check.content!r}"
    return ""


def _headers(app):
    """What a request through the proxy would carry (commands-a.md 9.2)."""
    hosts = [host for host in ask("domains-list", app).split() if host != "localhost" and "*" not in host]
    found = {"Host": hosts[0]} if hosts else {}
    if ask("certs-exists", app) == "true":
        found["X-Forwarded-Proto"] = "https"
    return found


def listening(check, target):
    """Something in the container accepts connections from outside of it."""
    import socket

    try:
        socket.create_connection((target.address, check.port), timeout=check.timeout).close()
    except OSError as error:
        return f"nothing listens on port {check.port} of {target.address}: {error.strerror or error}"
    return ""


def command(check, target):
    """A command in the container exits 0 in time; images of buildpacks need their own start for the app's environment."""
    argv = check.value if isinstance(check.value, list) else ["sh", "-c", check.value]
    prefix = STARTERS.get(target.builder, ())
    exec_ = ("docker", "container", "exec", target.identity, *prefix, *map(str, argv))
    status, out = run.answer("timeout", "--kill-after=1", str(check.timeout), *exec_, quiet=True)
    if status == 124:
        return f"{argv[0]} did not end within {check.timeout} seconds"
    return f"{argv[0]} exited {status}{': ' + out.strip()[-200:] if out.strip() else ''}" if status else ""


def uptime(check, target):
    """The container is up for so many seconds and was never restarted."""
    until = time.monotonic() + int(check.value)
    while True:
        running, restarts, code = target.state()
        if not running or restarts:
            return f"the container ended with status {code}" if not running else f"the container restarted {restarts} times"
        left = until - time.monotonic()
        if left <= 0:
            return ""
        time.sleep(min(left, 1))


PROBES = {"path": http, "listening": listening, "command": command, "uptime": uptime}
