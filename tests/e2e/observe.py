"""What the outside world, docker and the disk can see of an app."""

import time
from pathlib import Path

from tests.server import Server, run


def answer(server: Server, host: str, path: str = "/") -> tuple[str, str]:
    """(status, body) of a GET through nginx."""
    body, _, status = server.curl(host, path).stdout.rpartition("\n")
    return status, body.rstrip("\n")


def url(server: Server, app: str) -> str:
    return f"{app}.test.example"


def serves(server: Server, app: str, text: str) -> None:
    assert answer(server, url(server, app)) == ("200", text)


def containers(app: str, *filters: str) -> list[str]:
    """Names of all its containers, running or not."""
    argv = ["docker", "ps", "-a", "--filter", f"label=com.dokku.app-name={app}", *filters, "--format", "{{.Names}}"]
    return sorted(run(*argv).stdout.split())


def ids(app: str) -> list[str]:
    """Its running containers. A failed one stays beside them, stopped, for `logs:failed`."""
    return sorted(run("docker", "ps", "-q", "--no-trunc", "--filter", f"label=com.dokku.app-name={app}").stdout.split())


def settles(condition, seconds: float = 20) -> bool:
    """Does condition() become true within that time?"""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.2)
    return True


def only(app: str, *names: str) -> None:
    """After the grace period these containers are left, running, and no other."""
    wanted = sorted(f"{app}.{name}" for name in names)
    assert settles(lambda: containers(app) == wanted), containers(app)
    assert containers(app, "--filter", "status=running") == wanted


def files_of(server: Server, app: str) -> list[str]:
    """Every path below the installation whose name holds the app's name."""
    places = (server.root, server.lib, server.base / "nginx", server.base / "log")
    return sorted(str(path) for place in places for path in place.rglob("*") if app in path.name)


def unfinished(server: Server) -> list[str]:
    """Temp files, work directories, half git objects: what a write that did not end would leave."""
    work = [path for path in Path("/tmp").iterdir() if path.exists() and path.owner() == server.user]
    half = [
        p
        for place in (server.root, server.lib)
        for p in place.rglob("*")
        if is_temporary(p) and "plugins" not in p.parts
    ]
    return sorted(map(str, work + half))


def is_temporary(path: Path) -> bool:
    name = path.name
    return name.endswith((".new", ".tmp", ".lock")) or name.startswith(("tmp_", "tmp.", "incoming-", "tmp-"))
