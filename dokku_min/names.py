"""The one validator for names that come from users. No `re`: it would cost a third of a command's start-up."""

import os

from dokku_min import paths
from dokku_min.errors import NO_SUCH_APP, Failure

_LOWER = frozenset("abcdefghijklmnopqrstuvwxyz0123456789")
_WORD = _LOWER | frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ_")
GLOBAL = "--global"


def is_new_app_name(name: str) -> bool:
    """Dokku's rule ^[a-z0-9][a-z0-9.-]*$, less what docker refuses as an image name and DNS as a label."""
    parts = name.split(".")
    return len(name) <= 100 and all(
        part and part[0] in _LOWER and part[-1] in _LOWER and not set(part) - _LOWER - {"-"} for part in parts
    )


def is_app_name(name: str) -> bool:
    """Also the older names with `_`; accepted for apps that exist (commands-a.md 1.5)."""
    return bool(name) and name[0] in _LOWER and not set(name) - _LOWER - set("._-")


def is_env_key(name: str) -> bool:
    return bool(name) and not name[0].isdigit() and not set(name) - _WORD


def is_plugin_name(name: str) -> bool:
    """plugins.md 1.8: ^[0-9a-zA-Z_-]+$, and no leading dash that a program could take for a flag."""
    return bool(name) and name[0] != "-" and not set(name) - _WORD - {"-"}


def is_process_type(name: str) -> bool:
    return 0 < len(name) <= 63 and name[0] != "-" and not set(name) - _WORD - {"-"}


def check_new_app(name: str) -> str:
    if not name:
        raise Failure("Please specify an app to run the command on")
    if not is_new_app_name(name):
        raise Failure(
            "App name must begin with lowercase alphanumeric character, and may only hold a-z, 0-9, single dots and "
            "dashes, the latter not at the end of a part",
        )
    return name


def app_directory_exists(name: str) -> bool:
    return is_app_name(name) and os.path.isdir(paths.app_dir(name))


def all_apps() -> list[str]:
    """Names of all apps on disk, sorted, whoever may see them (commands-a.md 1.5)."""
    try:
        entries = list(os.scandir(paths.dokku_root()))
    except FileNotFoundError:
        return []
    return sorted(e.name for e in entries if is_app_name(e.name) and e.is_dir())


def no_such_app(name: str) -> Failure:
    return Failure(f"App {name} does not exist", status=NO_SUCH_APP)
