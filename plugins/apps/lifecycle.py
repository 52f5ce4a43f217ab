"""Begin and end of an app."""

import os
import time

from dokku_min import confirm, dispatch, files, log, names, paths, properties, run
from dokku_min.errors import Failure
from dokku_min.locks import app_lock
from dokku_min.sdk import ask, fire

DEFAULT_SCHEDULER = "docker-local"


def create(app: str) -> None:
    """Make the app; when a plugin cannot follow, it is taken back."""
    names.check_new_app(app)
    log.info1_quiet(f"Creating {app}...")
    try:
        os.mkdir(paths.app_dir(app), 0o755)
    except FileExistsError:
        raise Failure("Name is already taken", f"choose another name than {app}") from None
    run.preload()  # once for all the hooks below, which are forks of this process
    try:
        files.make_dir(paths.data_dir("apps", app))
        properties.put("apps", app, "created-at", str(int(time.time())))
        fire("post-create", app)
    except Failure:
        undo(app)
        raise


def undo(app: str) -> None:
    """Take back an app that did not come about; why not has been said."""
    log.warn(f"taking {app} back, as it could not be made")
    dispatch.capture("post-delete", app, "latest")
    _remove_files(app)


def confirm_and_destroy(app: str, force: bool = False) -> None:
    confirm.destructive("app", app, force)
    with app_lock(app):
        destroy(app)


def destroy(app: str) -> None:
    """Remove the app and all that belongs to it. The caller holds its lock.

    A hook that fails ends this with the app directory still there, so that it can be done again: every step is fine
    with finding nothing left to do.
    """
    run.preload()
    log.info1(f"Destroying {app} (including all add-ons)")
    tag = ask("deployed-app-image-tag", app) or "latest"
    scheduler = ask("scheduler-detect", app) or DEFAULT_SCHEDULER
    fire("pre-delete", app, tag)
    fire("scheduler-stop", scheduler, app, "true")
    fire("scheduler-post-delete", scheduler, app, tag)
    fire("post-delete", app, tag)
    log.info1("Retiring old containers and images")
    fire("scheduler-retire", scheduler, app)
    _remove_files(app)


def _remove_files(app: str) -> None:
    """The app's directory goes last but for its lock: as long as it is there, the app is, and destroy can be repeated."""
    if not names.is_app_name(app):
        raise Failure(f"will not remove {app!r}: it is not the name of an app")
    files.remove_tree(paths.app_dir(app))
    files.remove_tree(paths.data_dir("apps", app))
