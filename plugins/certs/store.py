"""ROOT/APP/tls: server.crt, server.key and maybe server.csr, which change together or not at all."""

import os

from dokku_min import files, paths
from dokku_min.locks import directory_lock

_EXCHANGE = 2  # RENAME_EXCHANGE of renameat2(2)
_HERE = -100  # AT_FDCWD


def directory(app: str) -> str:
    return f"{paths.app_dir(app)}/tls"


def path(app: str, kind: str) -> str:
    return f"{directory(app)}/server.{kind}"


def exists(app: str) -> bool:
    return os.path.isfile(path(app, "crt")) and os.path.isfile(path(app, "key"))


def read(app: str) -> dict[str, str]:
    """{ending: text} of the files that are there."""
    kinds = ("crt", "key", "csr")
    return {kind: files.read(path(app, kind)) for kind in kinds if os.path.isfile(path(app, kind))}


def write(app: str, texts: dict[str, str]) -> None:
    """The directory holds these from now on, nothing else; none means no directory.

    A proxy that reloads meanwhile sees the old pair or the new one, never the certificate of one with the key of the
    other, which would fail every app.
    """
    with directory_lock(paths.app_dir(app)):
        fresh, place = f"{paths.app_dir(app)}/.tls.new", directory(app)
        files.remove_tree(fresh)
        if texts:
            files.make_dir(fresh, 0o750)
            for kind, text in texts.items():
                files.write(f"{fresh}/server.{kind}", text, 0o640)
            _put(fresh, place)
        elif os.path.lexists(place):
            os.rename(place, fresh)
        files.sync_directory(paths.app_dir(app))
        files.remove_tree(fresh)


def _put(fresh: str, place: str) -> None:
    if not os.path.lexists(place):
        os.rename(fresh, place)
    elif not _exchanged(fresh, place):  # a file system without it: two steps, close together
        os.rename(place, f"{place}.old")
        os.rename(fresh, place)
        os.rename(f"{place}.old", fresh)


def _exchanged(one: str, other: str) -> bool:
    import ctypes

    exchange = ctypes.CDLL(None).renameat2
    return exchange(_HERE, os.fsencode(one), _HERE, os.fsencode(other), _EXCHANGE) == 0
