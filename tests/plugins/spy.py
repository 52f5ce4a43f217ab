"""A plugin that notes every trigger it hears, and fails one on demand: what others see of a command."""

import pytest

from tests.conftest import DOMAIN
from tests.server import Server, run

HEARD = ("nginx-hostname", "post-certs-remove", "post-certs-update", "post-domains-update", "post-proxy-ports-update",
         "pre-disable-vhost", "pre-enable-vhost", "proxy-clear-config", "proxy-disable", "proxy-enable")  # fmt: skip
HOOK = """#!/usr/bin/env bash
name="$(basename "$0")"
echo "$name $*" >>"{notes}/heard"
[[ "$name" != nginx-hostname ]] || cat "{notes}/hostname" 2>/dev/null
[[ "$(cat "{notes}/fail" 2>/dev/null)" != "$name" ]]
"""


class Spy:
    """heard() since the last reset; fail_at(trigger) until the reset; hostname is what nginx-hostname answers."""

    def __init__(self, server: Server):
        self.server = server
        self.notes = server.lib / "data/zz-spy"
        self.plugin = server.lib / "plugins/available/zz-spy"

    def install(self) -> None:
        self.notes.mkdir(parents=True, exist_ok=True)
        self.notes.chmod(0o777)
        self.plugin.mkdir(parents=True)
        (self.plugin / "plugin.toml").write_text('[plugin]\ndescription = "spy"\nversion = "1"\n[plugin.config]\n')
        for name in HEARD:
            (self.plugin / name).write_text(HOOK.format(notes=self.notes))
            (self.plugin / name).chmod(0o755)
        run(self.server.bin / "plugn", "enable", "zz-spy", env=self.server.env)

    def remove(self) -> None:
        run(self.server.bin / "plugn", "disable", "zz-spy", env=self.server.env)
        run("rm", "-rf", self.plugin, self.notes)

    def reset(self) -> None:
        for name in ("heard", "fail", "hostname"):
            (self.notes / name).unlink(missing_ok=True)

    def heard(self, trigger: str = "") -> list[str]:
        try:
            lines = (self.notes / "heard").read_text().splitlines()
        except FileNotFoundError:
            return []
        return [line.strip() for line in lines if line.startswith(trigger)]

    def fail_at(self, trigger: str) -> None:
        (self.notes / "fail").write_text(trigger)

    def hostname(self, name: str) -> None:
        (self.notes / "hostname").write_text(name)


@pytest.fixture(scope="module")
def installed_spy(server):
    found = Spy(server)
    found.install()
    yield found
    found.remove()


@pytest.fixture
def spy(installed_spy):
    installed_spy.reset()
    yield installed_spy
    installed_spy.reset()


@pytest.fixture
def fresh(server, app):
    """The name of an app made for this test, never deployed."""
    server.dokku("apps:create", app)
    return app


@pytest.fixture(scope="module")
def shared_app(server, request):
    """One app for all tests of a module: making and destroying one takes longer than most tests."""
    name = server.app(request.module.__name__.rpartition("_")[2])
    server.dokku("apps:destroy", name, "--force", check=False)
    server.dokku("apps:create", name)
    yield name
    server.dokku("apps:destroy", name, "--force")


@pytest.fixture
def created(server, shared_app):
    """The name of an app that is as if just created, and was never deployed."""
    kept = [server.root / shared_app / "tls", server.lib / "config" / shared_app / "ENV"]
    run("rm", "-rf", *kept, *[server.lib / "config" / each / shared_app for each in ("ports", "proxy")])
    (server.root / shared_app / "VHOST").write_text(f"{shared_app}.{DOMAIN}\n")
    return shared_app


def trigger(server: Server, *words: str):
    return run(server.bin / "plugn", "trigger", *words, env=server.env, check=False)


def refused(server: Server, argv: tuple, status: int, part: str) -> None:
    """The command fails with this status, says part on stderr and nothing on stdout, and never shows a traceback."""
    done = server.dokku(*argv, check=False)
    assert (done.returncode, done.stdout) == (status, ""), done
    assert part in done.stderr
    assert "Traceback" not in done.stderr
    assert all(line.startswith(" !     ") for line in done.stderr.splitlines())
