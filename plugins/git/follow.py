"""A clone or a renamed app takes the files of the app's directory with it (commands-a.md 1.11)."""

import os

import repo

from dokku_min import paths

# What a deploy or a domain makes: it is of the old app only, and the plugins that own it make it anew.
_LEFT = ("cache", ".cache", "VHOST", "URLS", "nginx.conf", "worktrees", "CONTAINER", "IP", "PORT")
_LEFT_PREFIXES = ("CONTAINER.", "IP.", "PORT.")


def copy(old: str, new: str, but: tuple[str, ...] = ()) -> None:
    """Copy the repository, and the files that plugins keep beside it, into the app new."""
    import shutil

    source, target = paths.app_dir(old), paths.app_dir(new)
    for name in os.listdir(source):
        if name in (*_LEFT, *but) or name.startswith(_LEFT_PREFIXES):
            continue
        if os.path.isdir(f"{source}/{name}") and not os.path.islink(f"{source}/{name}"):
            shutil.copytree(f"{source}/{name}", f"{target}/{name}", symlinks=True, dirs_exist_ok=True)
        else:
            shutil.copy2(f"{source}/{name}", f"{target}/{name}", follow_symlinks=False)
    repo.initialize(new)
    repo.set_head(new, repo.deploy_branch(new))
