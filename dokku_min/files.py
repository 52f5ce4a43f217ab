"""Files that are whole or absent, whatever kills us: temp file, fsync, rename, fsync of the directory."""

import fcntl
import os
import stat


def owner_ids() -> tuple[int, int]:
    """uid and gid of the dokku user; what root writes into dokku's trees must belong to it."""
    import pwd

    try:
        entry = pwd.getpwnam(os.environ.get("DOKKU_SYSTEM_USER", "dokku"))
    except KeyError:
        return os.geteuid(), os.getegid()
    return entry.pw_uid, entry.pw_gid


def read(path: str, default: str = "") -> str:
    """The text of the file, or default when there is none."""
    try:
        with open(path, encoding="utf-8", errors="surrogateescape", newline="") as file:
            return file.read()
    except (FileNotFoundError, NotADirectoryError):
        return default


def write(path: str, text: str | bytes, mode: int = 0o600, owner: tuple[int, int] | None = None) -> None:
    """Replace the file at path. Readers see the old or the new text, never a part; a crash leaves one of the two.

    owner is (uid, gid); as root the default is the dokku user. Concurrent writers of one path take turns.
    """
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    directory, name = os.path.split(path)
    owner = (owner or owner_ids()) if os.geteuid() == 0 else None
    if _is_there(path, data, mode, owner):
        return sync_directory(directory)  # whoever wrote it may have been killed before this
    fd = _open_exclusive(f"{directory}/.{name}.new")
    try:
        os.fchmod(fd, mode)
        if owner:
            os.fchown(fd, *owner)
        os.truncate(fd, 0)
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view) :]
        os.fsync(fd)
        os.rename(f"{directory}/.{name}.new", path)
        sync_directory(directory)
    finally:
        os.close(fd)


def _is_there(path: str, data: bytes, mode: int, owner: tuple[int, int] | None) -> bool:
    """Is the file just as we would write it?"""
    try:
        with open(path, "rb", opener=_no_link) as file:
            info = os.fstat(file.fileno())
            right = stat.S_IMODE(info.st_mode) == mode and owner in (None, (info.st_uid, info.st_gid))
            return right and info.st_size == len(data) and file.read() == data
    except OSError:
        return False


def _no_link(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _open_exclusive(path: str) -> int:
    """Open or make the temp file and own it: a writer that was waiting must not write into a renamed one."""
    while True:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX)
        if same_file(fd, path):
            return fd
        os.close(fd)


def same_file(fd: int, path: str) -> bool:
    try:
        there = os.stat(path, follow_symlinks=False)
    except FileNotFoundError:
        return False
    here = os.fstat(fd)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def sync_directory(path: str) -> None:
    fd = os.open(path or ".", os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def make_dir(path: str, mode: int = 0o755) -> None:
    """Make the directory and its parents; those we make belong to the dokku user, whatever the umask says."""
    if os.path.isdir(path):
        return
    parent = os.path.dirname(path)
    if parent and parent != path:
        make_dir(parent)
    try:
        os.mkdir(path)
    except FileExistsError:
        return
    os.chmod(path, mode)
    if os.geteuid() == 0:
        os.chown(path, *owner_ids())


def remove(path: str) -> bool:
    """Remove a file; say whether it was there."""
    try:
        os.unlink(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    sync_directory(os.path.dirname(path))
    return True


def remove_tree(path: str) -> None:
    """Remove a directory tree (a link itself, not what it points at); absent is fine."""
    try:
        info = os.lstat(path)
    except FileNotFoundError:
        return
    if not stat.S_ISDIR(info.st_mode):
        os.unlink(path)
        return
    import shutil

    shutil.rmtree(path)
