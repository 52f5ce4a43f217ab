"""Which functions of the bash library a plugin calls that are not there: by the names that only the library gives."""

import os
import re

from dokku_min.sdk import files, paths

_DEFINED = re.compile(r"^\s*(?:function\s+)?([\w-]+)\s*\(\)", re.M)
_CALLED = re.compile(
    r"(?<![\w$\{/.-])((?:dokku_(?:log|col_log|container_log)_|fn-plugin-property-|fn-nginx-)[\w-]+)(?![\w=./-])"
)
_SOURCED = re.compile(r"PLUGIN_(?:CORE_)?(?:AVAILABLE|ENABLED|BASE)_PATH\}?/([\w-]+/[\w-]*functions)\b")


def missing(directory: str, plugin: str) -> dict[str, list[str]]:
    """File of the plugin -> library functions it calls, and function files it sources, that nobody provides."""
    scripts = dict(_scripts(directory))
    core = f"{paths.core_path()}/available"
    provided = {name for _, text in _library(core) for name in _DEFINED.findall(text)}
    provided |= {name for text in scripts.values() for name in _DEFINED.findall(text)}
    found = {}
    for path, text in scripts.items():
        code = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
        gone = [name for name in _CALLED.findall(code) if name not in provided]
        gone += [name for name in _SOURCED.findall(code) if not os.path.isfile(_place(name, core, directory, plugin))]
        if gone:
            found[os.path.relpath(path, directory)] = sorted(set(gone))
    return found


def _place(name: str, core: str, directory: str, plugin: str) -> str:
    """Where PLUGIN/FILE is; the plugin's own are in its directory."""
    owner, _, file = name.partition("/")
    return f"{directory}/{file}" if owner == plugin else f"{core}/{name}"


def _scripts(directory: str):
    """(path, text) of the plugin's bash; tests and what git keeps are no part of it."""
    for base, directories, names in os.walk(directory):
        directories[:] = [name for name in directories if name not in (".git", "tests", "node_modules", "venv")]
        for name in names:
            path = f"{base}/{name}"
            if os.path.isfile(path) and os.path.getsize(path) < 1_000_000:
                text = files.read(path)
                if "bash" in text[:30] or name.endswith("functions"):
                    yield path, text


def _library(core: str):
    for plugin in os.listdir(core):
        for name in ("functions", "internal-functions", "property-functions"):
            yield name, files.read(f"{core}/{plugin}/{name}")
    for name in os.listdir(f"{core}/common/lib") if os.path.isdir(f"{core}/common/lib") else ():
        yield name, files.read(f"{core}/common/lib/{name}")
