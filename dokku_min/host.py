"""Bring one thing on the host to the wanted state, say what was done, and do nothing when it is so already.

Used by setup and by plugins' install hooks, as root. With DOKKU_DRY_RUN set nothing is touched, only said.
"""

import grp
import os
import pwd
import stat

from dokku_min import files, log

changes: list[str] = []  # what this process did, or would do


def dry() -> bool:
    return bool(os.environ.get("DOKKU_DRY_RUN"))


def changing(what: str) -> bool:
    """Say it; True when it is to be done."""
    changes.append(what)
    log.verbose(f"would {what}" if dry() else what)
    return not dry()


def _ids(owner: str) -> tuple[int, int]:
    if owner == "root":
        return 0, 0
    try:
        entry = pwd.getpwnam(owner)
    except KeyError:  # in a dry run the user may not exist yet
        return os.geteuid(), os.getegid()
    return entry.pw_uid, entry.pw_gid


def _same(path: str, owner: str, mode: int) -> bool:
    info = os.stat(path)
    return (info.st_uid, info.st_gid) == _ids(owner) and stat.S_IMODE(info.st_mode) == mode


def directory(path: str, owner: str = "root", mode: int = 0o755) -> None:
    if not os.path.isdir(path):
        if changing(f"create {path}"):
            os.makedirs(path)
    elif _same(path, owner, mode) or not changing(f"set owner and mode of {path}"):
        return
    if not dry():
        os.chown(path, *_ids(owner))
        os.chmod(path, mode)


def file(path: str, text: str | bytes, mode: int = 0o644, owner: str = "root") -> bool:
    """True when the file was (or would be) written."""
    data = text.encode() if isinstance(text, str) else text
    try:
        with open(path, "rb") as current:
            same = current.read() == data and _same(path, owner, mode)
    except (FileNotFoundError, NotADirectoryError):
        same = False
    if same:
        return False
    if changing(f"write {path}"):
        files.write(path, data, mode, _ids(owner))
    return True


def link(path: str, target: str) -> bool:
    """path becomes a symbolic link to target, at one stroke."""
    if os.path.islink(path) and os.readlink(path) == target:
        return False
    if changing(f"link {path} to {target}"):
        fresh = f"{path}.new"
        files.remove(fresh)
        os.symlink(target, fresh)
        os.rename(fresh, path)
        files.sync_directory(os.path.dirname(path))
    return True


def absent(path: str) -> None:
    if os.path.lexists(path) and changing(f"remove {path}"):
        files.remove_tree(path)


def user(name: str, home: str) -> None:
    """A login that no password opens, but keys do ("*", where "!" would lock sshd out as well)."""
    from dokku_min import run

    try:
        pwd.getpwnam(name)
    except KeyError:
        if changing(f"create user {name}"):
            argv = ("--home-dir", home, "--no-create-home", "--shell", "/bin/bash", "--user-group", "--password", "*")
            run.capture(f"create user {name}", "useradd", *argv, name)


def member(name: str, group: str) -> None:
    """name is in group, if there is such a group."""
    from dokku_min import run

    try:
        members = grp.getgrnam(group).gr_mem
    except KeyError:
        return
    if name not in members and changing(f"add {name} to group {group}"):
        run.capture(f"add {name} to group {group}", "usermod", "-aG", group, name)
