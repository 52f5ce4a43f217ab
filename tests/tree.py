"""A small installation in a temporary directory, for tests of the core: the program from this checkout, no set-up.

Its dokku user is root and its plugins are those a test writes, so a call costs little more than starting Python.
"""

import os
import shutil
import stat
import subprocess
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Tree:
    """tree.hook("a", "post-deploy", SCRIPT) makes an enabled plugin with one hook; tree.dokku("...") runs a command."""

    def __init__(self, base: Path):
        self.base, self.root, self.lib = base, base / "home", base / "lib"
        self.available, self.enabled = self.lib / "plugins/available", self.lib / "plugins/enabled"
        self.core = self.lib / "core-plugins/available"
        for place in (
            self.root,
            self.available,
            self.enabled,
            self.core,
            self.lib / "core-plugins/enabled",
            base / "bin",
        ):
            place.mkdir(parents=True)
        self._program()
        self.env = {
            "DOKKU_ROOT": str(self.root), "DOKKU_LIB_PATH": str(self.lib), "DOKKU_SYSTEM_USER": "root",
            "DOKKU_SYSTEM_GROUP": "root", "DOKKU_LOGS_DIR": str(base / "log"), "LANG": "C.UTF-8", "HOME": "/root",
            "PATH": f"{base}/bin:{SYSTEM_PATH}",
        }  # fmt: skip

    def _program(self) -> None:
        """Links to this checkout and to the plumbum of its build are all that an unpacked tree needs."""
        site = self.base / "site"
        site.mkdir()
        for name in ("dokku_min", "plugins"):
            (site / name).symlink_to(CHECKOUT / name)
        for found in CHECKOUT.glob("build/venv*/lib/python3*/site-packages/*"):
            if found.name in ("plumbum", "typing_extensions.py") and not (site / found.name).exists():
                (site / found.name).symlink_to(found)
        for name in ("dokku", "plugn"):
            start = f'exec /usr/bin/python3 -ISXutf8 {site}/dokku_min/start.py "$0" "$@"\n'
            executable(self.base / "bin" / name, f"#!/bin/sh\n{start}")

    def plugin(self, name: str, files: dict[str, str] | None = None, core: bool = False, enabled: bool = True) -> Path:
        """A plugin directory with the given files, executable ones but for *.toml, and its link in enabled/."""
        path = self.core / name if core else self.available / name
        path.mkdir(parents=True, exist_ok=True)
        for file, text in (files or {}).items():
            target = path / file
            target.parent.mkdir(parents=True, exist_ok=True)
            executable(target, text)
        for link in [self.available / name] * core + [self.enabled / name] * enabled:
            if not link.is_symlink():
                link.symlink_to(path)
        return path

    def hook(self, plugin: str, name: str, script: str, **how) -> Path:
        """A bash hook; script is its body."""
        return self.plugin(plugin, {name: f"#!/usr/bin/env bash\n{script}\n"}, **how) / name

    def bundled(self, *names: str) -> None:
        """Enable plugins of this checkout, from copies as a real installation has them."""
        for name in names:
            shutil.copytree(CHECKOUT / "plugins" / name, self.core / name, ignore=shutil.ignore_patterns("__pycache__"))
            (self.available / name).symlink_to(self.core / name)
            (self.enabled / name).symlink_to(self.available / name)

    def app(self, name: str) -> Path:
        (self.root / name).mkdir()
        return self.root / name

    def run(self, *argv: object, **how) -> subprocess.CompletedProcess:
        """Run a program in this installation's environment; output is text, stdin is empty unless given."""
        env = {**self.env, **how.pop("env", {})}
        if "input" not in how:
            how.setdefault("stdin", subprocess.DEVNULL)
        words = [os.fspath(word) if isinstance(word, Path) else str(word) for word in argv]
        how.setdefault("timeout", 60)
        return subprocess.run(words, env=env, capture_output=True, text=True, errors="surrogateescape", **how)

    def dokku(self, *words: str, **how) -> subprocess.CompletedProcess:
        return self.run(self.base / "bin/dokku", *words, **how)

    def plugn(self, *words: str, **how) -> subprocess.CompletedProcess:
        return self.run(self.base / "bin/plugn", *words, **how)

    def popen(self, *argv: str, **how) -> subprocess.Popen:
        return subprocess.Popen(argv, env={**self.env, **how.pop("env", {})}, text=True, **how)


def executable(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o644 if path.suffix == ".toml" else 0o755)
    return path


def not_executable(path: Path) -> Path:
    path.chmod(path.stat().st_mode & ~(stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH))
    return path


def warm_plugin(tree, name, body, triggers=(), commands=(), core=False):
    """A Python plugin that may run warm; body declares its triggers and commands."""
    toml = f'[plugin]\nexec = "plugin.py"\nwarm = true\ntriggers = {list(triggers)}\n[commands]\n'
    toml += "".join(f'"{command}" = "a command"\n' for command in commands)
    head = "#!/usr/bin/python3\nimport os, sys\nfrom dokku_min.sdk import *\nfrom dokku_min import dispatch\n"
    end = '\nmain = plugin.main\nif __name__ == "__main__":\n    plugin.run()\n'
    text = f'{head}plugin = Plugin("{name}")\n{body}{end}'
    return tree.plugin(name, {"plugin.toml": toml, "plugin.py": text}, core=core)


def wait_for(condition, seconds=60.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.02)
