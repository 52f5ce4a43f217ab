"""The zipapp's own first step, when this build is not unpacked yet: unpack it, whole or not at all, and start it.

Root unpacks for everybody; another user, on a machine that was not set up, unpacks for himself. scripts/build puts
this file into the archive as __main__.py.
"""

import fcntl
import os
import shutil
import sys
import zipfile

SYSTEM = "/usr/lib/dokku"
BUILD = "@BUILD@"


def main() -> None:
    if sys.version_info < (3, 11):
        sys.exit(f" !     dokku needs python3 3.11 or newer, this is {sys.version.split()[0]}")
    archive = os.path.abspath(sys.argv[0])
    tree = f"{_root()}/{BUILD}"
    if not _complete(tree):
        _unpack(archive, tree)
    os.execv(sys.executable, [sys.executable, "-ISXutf8", f"{tree}/dokku_min/start.py", *sys.argv])


def _root() -> str:
    if os.geteuid() == 0 or _complete(f"{SYSTEM}/{BUILD}"):
        return SYSTEM
    import pwd

    return f"{pwd.getpwuid(os.geteuid()).pw_dir}/.cache/dokku"


def _complete(tree: str) -> bool:
    """Is the marker there, which is written last, and may nobody but the owner (root or us) change the tree?"""
    try:
        info = os.stat(f"{tree}/.complete")
        base = os.stat(tree)
    except OSError:
        return False
    return info.st_uid in (0, os.geteuid()) and base.st_uid == info.st_uid and not base.st_mode & 0o022


def _unpack(archive: str, tree: str) -> None:
    """Unpack beside the tree and rename: ten processes may do this at once, one does it, nine find it done."""
    root = os.path.dirname(tree)
    os.umask(0o022)
    try:
        os.makedirs(root, mode=0o755, exist_ok=True)
        os.chmod(root, 0o755)
        lock = os.open(f"{root}/.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        sys.exit(f" !     cannot unpack into {root}: {error.strerror}\n !     run it once as root: sudo {archive} version")
    fcntl.flock(lock, fcntl.LOCK_EX)
    if _complete(tree):
        return
    fresh = f"{tree}.new"
    for leftover in (fresh, tree):
        shutil.rmtree(leftover, ignore_errors=True)
    with zipfile.ZipFile(archive) as source:
        _extract(source, fresh)
    _compile(fresh)
    with open(f"{fresh}/.complete", "w") as marker:
        os.fsync(marker.fileno())
    os.sync()
    os.rename(fresh, tree)


def _extract(source: zipfile.ZipFile, target: str) -> None:
    for item in source.infolist():
        if item.filename.startswith("site-packages/") and not item.is_dir():
            path = f"{target}/{item.filename.removeprefix('site-packages/')}"
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with source.open(item) as data, open(path, "wb") as file:
                shutil.copyfileobj(data, file)
            os.chmod(path, 0o755 if item.external_attr >> 16 & 0o100 else 0o644)


def _compile(tree: str) -> None:
    import compileall

    compileall.compile_dir(tree, quiet=2)


main()
