"""`plugn`: the plugin tree and its triggers, under the name that existing plugins call it by (plugins.md 1.3, 1.8)."""

import os

from dokku_min import commands, dispatch, environment, files, paths, words
from dokku_min.errors import Failure

VERSION = "0.17.0"  # the plugn release whose interface this is
_MANAGED = ("list", "enable", "disable", "install", "uninstall", "update")  # dokku's own commands do these


def main(argv: list[str]) -> int:
    """Serve one call of the program; `plugn trigger` exits with the status of the first hook that failed."""
    environment.prepare()
    verb, rest = (argv[0], argv[1:]) if argv else ("help", [])
    if verb == "trigger":
        return dispatch.trigger(rest[0], *rest[1:]) if rest else 1
    if verb == "version":
        print(VERSION)
    elif verb == "source":
        print(f"export PLUGIN_PATH={paths.plugin_path()}")
    elif verb == "init":
        for path in (paths.available_path(), paths.enabled_path()):
            files.make_dir(path)
    elif verb == "config":
        return _config(*rest)
    elif verb in _MANAGED:
        os.environ.setdefault("SSH_NAME", "default")
        hookless = ["--skip-install-trigger"] if verb == "install" else []
        return commands.run_child([f"plugin:{verb}", *rest, *hookless])
    else:
        raise Failure(f"plugn cannot {verb}", f"it knows: trigger init source version config {' '.join(_MANAGED)}")
    return 0


def _config(verb: str = "", plugin: str = "", *keys: str) -> int:
    """Values that operators set for plugins: PLUGIN_PATH/config.toml, a table a plugin (plugins.md 1.2)."""
    import tomllib

    if verb not in ("get", "export") or not plugin:
        raise Failure("plugn config: use get PLUGIN KEY, or export PLUGIN", f"edit {paths.plugin_path()}/config.toml")
    table = tomllib.loads(files.read(f"{paths.plugin_path()}/config.toml")).get(plugin, {})
    if verb == "get":
        print(table.get(keys[0], "") if keys else "")
        return 0
    for key, value in table.items():
        print(f"export CONFIG_{key.upper().replace('-', '_')}={words.quote(str(value))}")
    return 0
