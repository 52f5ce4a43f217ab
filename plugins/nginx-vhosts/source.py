"""An app's own nginx.conf.sigil, from its source to its vhost (commands-a.md 7.4)."""

import os

import places
import settings
import sigil

from dokku_min.sdk import Failure, files, log


def _fresh(app: str) -> str:
    return f"{places.data(app)}/nginx.conf.sigil.{os.environ['DOKKU_PID']}"


def extract(app: str, directory: str) -> None:
    """Keep the template of the source being deployed aside, until promote(); a deploy that fails changes nothing."""
    name = settings.effective(app, "nginx-conf-sigil-path")
    if settings.effective(app, "disable-custom-config") == "true":
        name = ""
    text = _read_within(directory, name) if name else ""
    files.make_dir(places.data(app))
    _drop_leftovers(app)
    if text:
        sigil.need(name)
        files.write(_fresh(app), text)
    else:
        files.write(f"{_fresh(app)}.missing", "")


def _read_within(directory: str, name: str) -> str:
    """The file's text; a link that leads out of the source is refused, it could show the server's own files."""
    path, root = os.path.realpath(f"{directory}/{name}"), os.path.realpath(directory)
    if not path.startswith(f"{root}/"):
        raise Failure(f"{name} leads out of the app's source", "make it a file of the repository")
    return files.read(path) if os.path.isfile(path) else ""


def _drop_leftovers(app: str) -> None:
    """Of deploys that ended before promote()."""
    for name in os.listdir(places.data(app)):
        if name.startswith("nginx.conf.sigil."):
            files.remove(f"{places.data(app)}/{name}")


def promote(app: str) -> None:
    """The deploy has succeeded: its template, or that it has none, holds from now on."""
    if os.path.exists(f"{_fresh(app)}.missing"):
        files.remove(f"{_fresh(app)}.missing")
        files.remove(f"{places.data(app)}/nginx.conf.sigil")
    elif os.path.exists(_fresh(app)):
        log.verbose("Using the app's own nginx.conf.sigil")
        os.rename(_fresh(app), f"{places.data(app)}/nginx.conf.sigil")


def copy(old: str, new: str) -> None:
    text = files.read(f"{places.data(old)}/nginx.conf.sigil")
    if text:
        files.make_dir(places.data(new))
        files.write(f"{places.data(new)}/nginx.conf.sigil", text)
