"""Locks that die with their holder (flock), so none is ever stale.

An app's lock file is also Dokku's deploy lock (commands-a.md 2): while a deploy runs it holds the build id or pid, and
an empty one is the operator's own lock (`apps:lock`), which nobody owns and everybody respects.
"""

import fcntl
import os
import time

from dokku_min import files, names, paths
from dokku_min.errors import Failure

_NESTED = "DOKKU_LOCKED_APPS"  # "app=content" words: what this process tree holds, for nested calls from hooks


class Busy(Failure):
    """Somebody else holds the lock."""


class directory_lock:  # noqa: N801 - used like a function, in a with statement
    """Hold a directory while a file in it is read, changed and written back. Not for long work."""

    def __init__(self, path: str):
        self.path = path

    def __enter__(self) -> None:
        files.make_dir(self.path)
        self.fd = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        fcntl.flock(self.fd, fcntl.LOCK_EX)

    def __exit__(self, *_: object) -> None:
        os.close(self.fd)


class app_lock:  # noqa: N801
    """Hold an app while it is changed: deployed, scaled, restarted, removed.

    A call nested in the holder's own process tree (a hook that calls `dokku`) passes through. With wait=False a lock
    held by somebody else is an error; else we say so once and wait. content names the holder: a build id, or our pid.
    """

    def __init__(self, app: str, wait: bool = True, content: str = ""):
        self.app, self.wait, self.content = app, wait, content or str(os.getpid())
        self.path = paths.lock_file(app)
        self.fd = -1

    def __enter__(self) -> None:
        if self._is_ours():
            return
        files.make_dir(os.path.dirname(self.path))
        while self.fd < 0:
            self.fd = self._open_existing() if os.path.exists(self.path) else self._create()
        held = os.environ.get(_NESTED, "")
        os.environ[_NESTED] = f"{held} {self.app}={self.content}".strip()

    def __exit__(self, *_: object) -> None:
        if self.fd < 0:
            return
        files.remove(self.path)
        os.close(self.fd)
        words = os.environ.get(_NESTED, "").split()
        os.environ[_NESTED] = " ".join(w for w in words if w != f"{self.app}={self.content}")

    def _is_ours(self) -> bool:
        word = f"{self.app}={files.read(self.path)}"
        return word in os.environ.get(_NESTED, "").split() and is_held(self.app)

    def _open_existing(self) -> int:
        try:
            fd = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return -1
        try:
            self._flock(fd)
            if not files.same_file(fd, self.path):
                return -1
            if os.fstat(fd).st_size == 0:
                raise Busy(f"{self.app} is locked", f"unlock it with: dokku apps:unlock {self.app}")
            os.truncate(fd, 0)  # its holder was killed; the lock is ours now
            os.pwrite(fd, self.content.encode(), 0)
            kept, fd = fd, -1
            return kept
        finally:
            if fd >= 0:
                os.close(fd)

    def _flock(self, fd: int) -> None:
        for _ in range(3):  # is_held() below holds it for an instant
            try:
                return fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                time.sleep(0.01)
        if self.wait:
            print(f" !     {self.app} currently has a deploy lock in place. Waiting...", flush=True)
            return fcntl.flock(fd, fcntl.LOCK_EX)
        raise Busy(
            f"{self.app} currently has a deploy lock in place. Exiting...",
            "wait for the other deploy, or run 'apps:unlock' to release the existing deploy lock",
        )

    def _create(self) -> int:
        """The file appears whole, content and lock included, or not at all: an empty one would bar the app for good."""
        try:
            fd = os.open(os.path.dirname(self.path), os.O_RDWR | os.O_TMPFILE | os.O_CLOEXEC, 0o644)
        except FileNotFoundError:  # the app was destroyed while we waited
            raise names.no_such_app(self.app) from None
        fcntl.flock(fd, fcntl.LOCK_EX)
        os.write(fd, self.content.encode())
        if os.geteuid() == 0:
            os.fchown(fd, *files.owner_ids())
        try:
            # src_dir_fd: without one Python calls link(2), which takes the /proc link itself
            os.link(f"/proc/self/fd/{fd}", self.path, src_dir_fd=fd, follow_symlinks=True)
        except FileExistsError:
            os.close(fd)
            return -1
        return fd


def is_held(app: str) -> bool:
    """Is a deploy running, or did the operator lock the app? What a killed deploy left behind does not count."""
    try:
        fd = os.open(paths.lock_file(app), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return os.fstat(fd).st_size == 0
    except BlockingIOError:
        return True
    finally:
        os.close(fd)
