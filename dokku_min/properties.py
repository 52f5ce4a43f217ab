"""The property store: one small file per value, LIB/config/PLUGIN/APP/KEY (commands-a.md 1.9, plugins.md 3.3).

Scalars have no trailing newline; lists are newline-terminated lines. app may be an app, a service, or `--global`.
"""

import os

from dokku_min import files, paths
from dokku_min.locks import directory_lock


def _path(plugin: str, app: str, key: str) -> str:
    if "/" in key or key in ("", ".", ".."):
        raise ValueError(f"not a property name: {key!r}")
    return f"{paths.property_dir(plugin, app)}/{key}"


def get(plugin: str, app: str, key: str, default: str = "") -> str:
    """The value, byte for byte; default when it is unset or empty."""
    return files.read(_path(plugin, app, key)) or default


def exists(plugin: str, app: str, key: str) -> bool:
    return os.path.isfile(_path(plugin, app, key))


def put(plugin: str, app: str, key: str, value: str) -> None:
    files.make_dir(paths.property_dir(plugin, app))
    files.write(_path(plugin, app, key), value)


def delete(plugin: str, app: str, key: str) -> bool:
    return files.remove(_path(plugin, app, key))


def keys(plugin: str, app: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(paths.property_dir(plugin, app)) if not name.startswith("."))
    except FileNotFoundError:
        return []


def get_list(plugin: str, app: str, key: str) -> list[str]:
    return files.read(_path(plugin, app, key)).split("\n")[:-1]


def put_list(plugin: str, app: str, key: str, values: list[str]) -> None:
    """Store the list; an empty one deletes the property."""
    if values:
        put(plugin, app, key, "".join(f"{value}\n" for value in values))
    else:
        delete(plugin, app, key)


class editing:  # noqa: N801 - used like a function
    """`with editing(plugin, app):` nobody else of us writes these properties between our read and our write."""

    def __init__(self, plugin: str, app: str):
        self._lock = directory_lock(paths.property_dir(plugin, app))

    def __enter__(self) -> None:
        self._lock.__enter__()

    def __exit__(self, *_: object) -> None:
        self._lock.__exit__()


def clone(plugin: str, old: str, new: str) -> None:
    """Copy all properties of old to new; nothing to copy is fine."""
    for key in keys(plugin, old):
        put(plugin, new, key, files.read(_path(plugin, old, key)))


def destroy(plugin: str, app: str) -> None:
    files.remove_tree(paths.property_dir(plugin, app))


def effective(plugin: str, app: str, key: str, default: str = "") -> str:
    """The value that holds for the app: its own, else the global one, else default."""
    return get(plugin, app, key) or get(plugin, "--global", key) or default
