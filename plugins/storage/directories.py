"""Directories under LIB/data/storage: make them, and have root change what only root may (root_helper.py)."""

import os

from dokku_min import environment, host, run
from dokku_min.sdk import Failure, files, log, paths

_OWNERS = {"herokuish": 32767, "heroku": 1000, "paketo": 2000, "packeto": 2000, "root": 0}
_USERNS_OFFSET = 165536
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def is_name(name):
    return bool(name) and not set(name) - _NAME and not name.startswith("-")


def path_of(name):
    return f"{paths.data_dir('storage')}/{name}"


def owner_id(text):
    """The id that a --chown value stands for, None for `false`. Raises Failure for anything else."""
    if text == "false":
        return None
    number = _OWNERS.get(text, int(text) if text.isascii() and text.isdigit() else -1)
    if not 0 <= number <= 65535:
        raise Failure("Unsupported chown permissions", f"use {', '.join(sorted(_OWNERS))}, false, or an id, not {text}")
    return number


def check_mode(text):
    if not 3 <= len(text) <= 4 or set(text) - set("01234567"):
        raise Failure(f"Invalid mode: {text}", "write it in octal, as in 0755")


def ensure(name):
    files.make_dir(path_of(name))


def change_owner(name, text):
    """Give the directory and what is in it to the owner a --chown value names."""
    number = owner_id(text)
    if number is None:
        return
    number += _USERNS_OFFSET if _has_user_namespaces() else 0
    log.verbose(f"Setting directory ownership to {number}:{number}")
    _as_root(f"set the owner of {path_of(name)}", "own", name, str(number))


def change_mode(name, text):
    _as_root(f"set the mode of {path_of(name)}", "mode", name, text)


def remove(name):
    if os.path.isdir(path_of(name)):
        _as_root(f"remove {path_of(name)}", "remove", name)


def _has_user_namespaces():
    return "name=userns" in run.answer("docker", "info", "--format", "{{.SecurityOptions}}")[1]


def _helper():
    return f"/usr/local/libexec/{environment.system_user()}-storage-directory"


def _as_root(purpose, *words):
    if run.stream("sudo", "-n", _helper(), *words):
        raise Failure(f"cannot {purpose}", "if sudo refused: `dokku plugin:install --core` as root lets it through")


def install():
    """Put the helper where only root writes, and let the dokku user run it as root, and nothing else."""
    user = environment.system_user()
    with open(f"{os.path.dirname(os.path.abspath(__file__))}/root_helper.py") as source:
        text = source.read()
    base = os.path.realpath(paths.data_dir("storage"))
    host.directory("/usr/local/libexec")
    host.file(_helper(), text.replace('BASE = "/var/lib/dokku/data/storage"', f"BASE = {base!r}"), mode=0o755)
    host.file(f"/etc/sudoers.d/{user}-storage", f"{user} ALL=(root) NOPASSWD: {_helper()}\n", mode=0o440)
    host.directory(f"{paths.data_dir('storage-registry')}", user)
    host.directory(f"{paths.data_dir('storage-registry')}/entries", user)
