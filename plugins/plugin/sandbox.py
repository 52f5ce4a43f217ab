"""A server in a temporary directory, for one plugin that is being tested: it is enabled there, with the core plugins.

Programs that act on the host are replaced by ones that refuse, so that hooks can be called as often as one likes; fakes
that the plugin's author keeps in tests/bin come before them.
"""

import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import time

from dokku_min import plugins as core
from dokku_min.sdk import files, paths

APP = "blog"
SOURCE = "BASE/source"  # what calls name as the app's sources; BASE is the sandbox's directory, in calls and in answers
PATIENCE = 10.0  # seconds that one call may take
_REFUSE = """#!/bin/sh
echo " !     $(basename "$0") is out of reach in plugin:test; put a fake into tests/bin" >&2
exit 125
"""
_OF_THE_HOST = ("docker", "nginx", "systemctl", "sudo", "apt-get", "crontab")


class Result:
    """What one call did. status is negative for a signal, None when it did not end."""

    def __init__(self, status, stdout, stderr, seconds):
        self.status, self.stdout, self.stderr, self.seconds = status, stdout, stderr, seconds


class Sandbox:
    """`with Sandbox(directory, name) as box: box.call(["post-deploy", "blog"])`."""

    def __init__(self, directory: str, name: str):
        self.plugin, self.name = os.path.realpath(directory), name
        self.manifest = core.manifest_of(directory)["plugin"]

    def __enter__(self) -> "Sandbox":
        self.base = tempfile.mkdtemp(prefix="dokku-plugin-test-")
        self.lib = f"{self.base}/lib"
        for place in (f"home/{APP}", "lib/config", "lib/data", "lib/plugins/available", "lib/plugins/enabled", "bin"):
            os.makedirs(f"{self.base}/{place}")
        os.makedirs(f"{self.lib}/core-plugins")
        available = os.path.realpath(f"{paths.core_path()}/available")
        os.symlink(available, f"{self.lib}/core-plugins/available")
        os.symlink(available, f"{self.lib}/core-plugins/enabled")
        for name in os.listdir(available):
            if name not in ("setup", "20_events", self.name):
                os.symlink(f"{available}/{name}", f"{self.lib}/plugins/available/{name}")
        # a copy, as an installed plugin is: `..` is then where the other plugins are
        copy = f"{self.lib}/plugins/available/{self.name}"
        shutil.copytree(self.plugin, copy, symlinks=True, ignore=shutil.ignore_patterns(".git"))
        for name in os.listdir(f"{self.lib}/plugins/available"):
            os.symlink(f"{self.lib}/plugins/available/{name}", f"{self.lib}/plugins/enabled/{name}")
        self._programs()
        self._sources()
        self.env = self._environment()
        return self

    def __exit__(self, *_) -> None:
        shutil.rmtree(self.base, ignore_errors=True)

    def _sources(self) -> None:
        sources = f"{self.plugin}/tests/source"
        if os.path.isdir(sources):
            shutil.copytree(sources, self._here(SOURCE), symlinks=True)
        else:
            os.mkdir(self._here(SOURCE))

    def _here(self, word: str) -> str:
        return self.base + word[4:] if word.startswith("BASE/") else word

    def _programs(self) -> None:
        here = os.path.dirname(os.path.abspath(sys.argv[0]))
        for name in ("dokku", "plugn"):
            self._program(name, f'#!/bin/sh\nexec {here}/{name} "$@"\n')
        for name in _OF_THE_HOST:
            self._program(name, _REFUSE)

    def _program(self, name: str, text: str) -> None:
        with open(f"{self.base}/bin/{name}", "w") as file:
            file.write(text)
            os.fchmod(file.fileno(), 0o755)

    def _environment(self) -> dict[str, str]:
        user = pwd.getpwuid(os.geteuid()).pw_name
        plugins, cores = f"{self.lib}/plugins", f"{self.lib}/core-plugins"
        env = {
            "DOKKU_ROOT": f"{self.base}/home", "DOKKU_HOST_ROOT": f"{self.base}/home", "DOKKU_LIB_ROOT": self.lib,
            "DOKKU_LIB_PATH": self.lib, "PLUGIN_PATH": plugins, "PLUGIN_AVAILABLE_PATH": f"{plugins}/available",
            "PLUGIN_ENABLED_PATH": f"{plugins}/enabled", "PLUGIN_CORE_PATH": cores,
            "PLUGIN_CORE_AVAILABLE_PATH": f"{cores}/available", "PLUGIN_CORE_ENABLED_PATH": f"{cores}/enabled",
            "DOKKU_API_VERSION": "1", "DOKKU_NOT_IMPLEMENTED_EXIT": "10", "DOKKU_VALID_EXIT": "0",
            "DOKKU_SYSTEM_USER": user, "DOKKU_SYSTEM_GROUP": user, "DOCKER_BIN": "docker", "DOKKU_LOGS_DIR": self.base,
            "SSH_USER": user, "SSH_NAME": "default", "HOME": os.environ.get("HOME", "/"), "LANG": "C.UTF-8",
            "PATH": f"{self.plugin}/tests/bin:{self.base}/bin:{os.environ['PATH']}",
        }  # fmt: skip
        if self.manifest.get("warm") is True:
            env["PYTHONPATH"] = paths.UNPACKED
        return env

    def argv(self, call: list[str]) -> list[str]:
        """How dokku runs this call: of the plugin's program, of one of its hook files, or of a subcommand."""
        base, name = f"{self.lib}/plugins/enabled/{self.name}", call[0]
        verb = name.rpartition(":")[2]
        if ":" in name and os.path.isfile(f"{base}/subcommands/{verb}"):
            return [f"{base}/subcommands/{verb}", *call]
        if os.path.isfile(f"{base}/{name}") or not self.manifest.get("exec"):
            return [f"{base}/{name}", *call[1:]]
        return [f"{base}/{self.manifest['exec']}", *call]

    def call(self, call: list[str], stdin: str = "") -> Result:
        argv = self.argv([self._here(word) for word in call])
        begin = time.monotonic()
        output = [tempfile.TemporaryFile() for _ in range(2)]  # a child in the background cannot hold us up
        try:
            status = self._run(argv, stdin, output)
        except OSError as error:
            return Result(126, "", f"cannot run {argv[0]}: {error.strerror}\n", 0.0)
        texts = []
        for file in output:
            file.seek(0)
            texts.append(file.read().decode("utf-8", "replace").replace(self.base, "BASE"))
            file.close()
        return Result(status, *texts, time.monotonic() - begin)

    def _run(self, argv, stdin, output):
        how = {"env": self.env, "cwd": f"{self.base}/home", "stdout": output[0], "stderr": output[1]}
        source = tempfile.TemporaryFile()
        source.write(stdin.encode())
        source.seek(0)
        try:
            process = subprocess.Popen(argv, stdin=source, start_new_session=True, **how)
        except OSError as error:
            if error.errno != 8:  # no first line: bash runs it, as dokku does
                raise
            process = subprocess.Popen(["/bin/bash", *argv], stdin=source, start_new_session=True, **how)
        try:
            return process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, 9)
            process.wait()
            return None


def read_transcript(directory: str) -> list[dict]:
    import json

    text = files.read(f"{directory}/tests/transcript.json")
    return json.loads(text) if text else []
