"""Every place on disk, named once. All of them hang on DOKKU_ROOT and DOKKU_LIB_ROOT (plugins.md 1.1)."""

import os

UNPACKED = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # our own site-packages, or the checkout


def dokku_root() -> str:
    return os.environ.get("DOKKU_ROOT", "/home/dokku")


def lib_root() -> str:
    return os.environ.get("DOKKU_LIB_ROOT", "/var/lib/dokku")


def plugin_path() -> str:
    return os.environ.get("PLUGIN_PATH") or f"{lib_root()}/plugins"


def enabled_path() -> str:
    return f"{plugin_path()}/enabled"


def available_path() -> str:
    return f"{plugin_path()}/available"


def core_path() -> str:
    return f"{lib_root()}/core-plugins"


def index_file() -> str:
    return f"{plugin_path()}/.index"


def app_dir(app: str) -> str:
    return f"{dokku_root()}/{app}"


def property_dir(plugin: str, app: str = "") -> str:
    return f"{lib_root()}/config/{plugin}/{app}".rstrip("/")


def data_dir(plugin: str, app: str = "") -> str:
    return f"{lib_root()}/data/{plugin}/{app}".rstrip("/")


def lock_file(app: str) -> str:
    return f"{data_dir('apps', app)}/.deploy.lock"


def bundled_plugins() -> str:
    """Where this build's own plugins are, before setup copies them to the core plugin directory."""
    return f"{UNPACKED}/plugins"
