"""The VHOST files: one host name a line, ROOT/APP/VHOST for an app, ROOT/VHOST for the server."""

import os

import hosts

from dokku_min import files, log, paths
from dokku_min.locks import directory_lock
from dokku_min.names import GLOBAL


def path(scope: str) -> str:
    return f"{paths.dokku_root()}/VHOST" if scope == GLOBAL else f"{paths.app_dir(scope)}/VHOST"


def exists(scope: str) -> bool:
    return os.path.isfile(path(scope))


def text(scope: str) -> str:
    return files.read(path(scope))


def lines(scope: str) -> list[str]:
    return text(scope).split()


def read(scope: str) -> list[str]:
    """The host names, safe to hand on; a line that somebody else wrote and that is none is named and left out."""
    found = [line.lower() for line in lines(scope)]
    for name in found:
        if not hosts.is_host(name, underscores=True):
            log.warn(f"{path(scope)}: ignoring {name}, which is not a host name")
    return list(dict.fromkeys(name for name in found if hosts.is_host(name, underscores=True)))


def edit(scope: str, change) -> list[str]:  # type: ignore[no-untyped-def]
    """Replace the names by change(names), or remove the file if that is None; the names from before."""
    with directory_lock(os.path.dirname(path(scope))):
        before = lines(scope)
        names = change(before)
        if names is None:
            files.remove(path(scope))
        else:
            files.write(path(scope), "".join(f"{name}\n" for name in names), 0o644)
    return before


def put_back(scope: str, before: str, after: str) -> None:
    """Return to the text from before, unless somebody has changed the file since."""
    edit(scope, lambda names: (before.split() or None) if names == after.split() else names)
