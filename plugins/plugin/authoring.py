"""plugin:new: a small, working, documented plugin to start from, in the language of one's choice."""

import os

from dokku_min.sdk import Failure, log, names

TEMPLATES = f"{os.path.dirname(os.path.realpath(__file__))}/templates"
_MODEL = "greet"  # what the plugins in templates/ are called


def create(name: str, language: str, directory: str) -> None:
    """Write the plugin into a directory that is not there yet, ./dokku-NAME unless one is named."""
    name = name.removeprefix("dokku-")
    if not names.is_plugin_name(name) or not name.islower():
        raise Failure(f"Invalid plugin name specified: {name}", "use lower-case letters, digits, _ and -")
    languages = sorted(os.listdir(TEMPLATES))
    if language not in languages:
        raise Failure(f"There is no template for {language}", f"choose one with --lang: {', '.join(languages)}")
    directory = directory or f"dokku-{name}"
    try:
        _copy(f"{TEMPLATES}/{language}", directory, name)
    except FileExistsError:
        raise Failure(f"{directory} is there already", "name another place with --dir") from None
    except OSError as error:
        raise Failure(f"cannot write {directory}: {error.strerror}") from None
    log.info1(f"Plugin {name} written to {directory}")
    log.verbose(f"test it:     make -C {directory} test")
    log.verbose(f"install it:  git init {directory}, commit, sudo dokku plugin:install file://{os.path.abspath(directory)}")


def _copy(source: str, target: str, name: str) -> None:
    os.makedirs(target)
    for entry in sorted(os.listdir(source)):
        if entry in ("__pycache__", _MODEL):
            continue
        path, copy = f"{source}/{entry}", f"{target}/{_renamed(entry, name)}"
        if os.path.isdir(path):
            _copy(path, copy, name)
            continue
        with open(path) as model, open(copy, "x") as file:
            file.write(_renamed(model.read(), name))
            os.fchmod(file.fileno(), os.stat(path).st_mode & 0o777)


def _renamed(text: str, name: str) -> str:
    """The model's name becomes the plugin's, but not within the word greeting."""
    return text.replace(f"{_MODEL}ing", "\0").replace(_MODEL, name).replace("\0", f"{_MODEL}ing")
