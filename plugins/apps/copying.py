"""Clone and rename: a new app with the settings of the old one, deployed again unless told not to."""

import os

import lifecycle

from dokku_min import log, names
from dokku_min.errors import Failure
from dokku_min.locks import app_lock
from dokku_min.sdk import fire, holds


def clone(old: str, new: str, skip_deploy: bool, ignore_existing: bool) -> None:
    names.check_new_app(new)
    if ignore_existing and names.app_directory_exists(new):
        log.warn("Name is already taken")
        return
    log.info1_quiet(f"Cloning {old} to {new}")
    with app_lock(old):
        _create_like(old, new, "post-app-clone-setup")
    _deploy(old, new, "post-app-clone", skip_deploy)


def rename(old: str, new: str, skip_deploy: bool) -> None:
    """Until the new app has all that the old one has, the old one is untouched."""
    names.check_new_app(new)
    log.info1_quiet(f"Renaming {old} to {new}")
    with app_lock(old):
        _create_like(old, new, "post-app-rename-setup")
        lifecycle.destroy(old)
    _deploy(old, new, "post-app-rename", skip_deploy)


def _create_like(old: str, new: str, trigger: str) -> None:
    lifecycle.create(new)
    try:
        with app_lock(new):
            fire(trigger, old, new)
    except Failure:
        lifecycle.undo(new)
        raise


def _deploy(old: str, new: str, trigger: str, skip_deploy: bool) -> None:
    """The plugins that deploy look at SKIP_REBUILD (plugins.md 2)."""
    if skip_deploy or not holds("git-has-code", new):
        os.environ["SKIP_REBUILD"] = "true"
    fire(trigger, old, new)
