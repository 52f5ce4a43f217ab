"""A clone or a renamed app takes the files of the app's directory with it (commands-a.md 1.11)."""

import os

import repo

from dokku_min import paths

# What a deploy or a domain makes: it is of the old app only, and the plugins that own it make it anew.
_LEFT = ("cache", ".cache", "VHOST", "URLS", "nginx.conf", "worktrees", "CONTAINER", "IP", "PORT")
_LEFT_PREFIXES = ("CONTAINER.", "IP.", "PORT.")


def copy(old: str, new: str, but: tuple[str, ...] = ()) -> None:
    """Copy the repository, and the files that plugins keep beside it, into the app new."""
    source, target = paths.app_dir(old), paths.app_dir(new)
    for name in os.listdir(source):
        if name not in (*_LEFT, *but) and not name.startswith(_LEFT_PREFIXES):
            _put(f"{source}/{name}", f"{target}/{name}")
    repo.initialize(new)
    repo.set_head(new, repo.deploy_branch(new))


def _put(source: str, target: str) -> None:
    """What a plugin's post-create has put there gives way; we never write through its links (a shared certificate)."""
    import shutil

    if os.path.islink(target):
        os.unlink(target)
    if not os.path.isdir(source) or os.path.islink(source):
        shutil.copy2(source, target, follow_symlinks=False)
        return
    os.makedirs(target, exist_ok=True)
    for name in os.listdir(source):
        _put(f"{source}/{name}", f"{target}/{name}")
    shutil.copystat(source, target)
