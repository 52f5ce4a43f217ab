"""The operator's own lock on an app: an empty lock file, which every deploy respects (commands-a.md 2)."""

import fcntl
import os

from dokku_min import files, paths
from dokku_min.errors import Failure
from dokku_min.locks import is_held

__all__ = ["is_held", "lock", "unlock"]


def lock(app: str) -> None:
    """Bar deploys of the app until unlock(); a lock that is there already is fine."""
    path = paths.lock_file(app)
    files.make_dir(os.path.dirname(path))
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not files.same_file(fd, path):
            raise BlockingIOError
        os.truncate(fd, 0)
    except BlockingIOError:
        raise Failure(f"Unable to create deploy lock: {app} is being deployed", "try again when that is done") from None
    finally:
        os.close(fd)


def unlock(app: str) -> None:
    """Lift the lock. One that a running deploy holds stays: without it a second deploy would run into the first."""
    path = paths.lock_file(app)
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        raise Failure("Unable to remove deploy lock", f"{app} is not locked") from None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if files.same_file(fd, path):
            files.remove(path)
    except BlockingIOError:
        holder = files.read(path)
        raise Failure(
            f"Unable to remove deploy lock: a deploy of {app} is running ({holder})",
            "wait for it; its lock goes with it, whatever its end",
        ) from None
    finally:
        os.close(fd)
