"""Fixtures for every test. Integration tests use one real server, started once per run; nothing external is mocked."""

import os
import signal
import subprocess
import sys
import zlib
from pathlib import Path

import pytest

from tests.apps import BUSYBOX, import_busybox
from tests.server import CHECKOUT, Server, run

# the machine's own Dokku or git settings must not decide a test
for name in [n for n in os.environ if n.startswith(("DOKKU_", "SHIV_", "GIT_", "PLUGIN_", "SSH_", "PYTHON"))]:
    del os.environ[name]
sys.dont_write_bytecode = True
# nor must it matter that the run was started in the background, where a shell has these ignored
for number, action in ((signal.SIGINT, signal.default_int_handler), (signal.SIGHUP, signal.SIG_DFL)):
    if signal.getsignal(number) == signal.SIG_IGN:
        signal.signal(number, action)

NAME = os.environ.get("TEST_SERVER") or f"test-{zlib.crc32(bytes(CHECKOUT)) % 100000}"  # two checkouts may test at once
DOMAIN = "test.example"


def pytest_collection_modifyitems(items):
    for item in items:
        if "server" in item.fixturenames:
            item.add_marker("server")


@pytest.fixture(scope="session")
def server():
    """A fresh server of this checkout's build, apps on *.test.example; gone at the end unless KEEP_SERVER is set."""
    assert os.geteuid() == 0, "integration tests set up a server of their own: run them as root"
    found = Server(NAME)
    found.remove()
    remove_leftovers(found)
    found.start()
    found.dokku("domains:set-global", DOMAIN, check=False)
    yield found
    if not os.environ.get("KEEP_SERVER"):
        found.remove()
        remove_leftovers(found)


def remove_leftovers(server: Server) -> None:
    """Containers, images and networks of this server's apps, also those that a crashed run has left in docker."""
    for script in (
        'docker ps -aq --filter "name=^$1" | xargs -r docker rm -f',
        'docker images --format "{{.Repository}}:{{.Tag}}" "dokku/$1*" | xargs -r docker rmi -f',
        'docker network ls -q --filter "name=^$1" | xargs -r docker network rm',
    ):
        run("sh", "-c", script, "sh", f"{server.name}-", check=False)


@pytest.fixture(scope="session")
def busybox_image() -> str:
    """The name of a local image with a static busybox and nothing else; no registry is asked."""
    import_busybox()
    return BUSYBOX


@pytest.fixture
def app(server, busybox_image, request):
    """The name of an app for this very test, not created yet, and destroyed afterwards."""
    name = server.app(request.node.name.replace("test_", "", 1).replace("_", "-")[:40].partition("[")[0].strip("-"))
    server.dokku("apps:destroy", name, "--force", check=False)
    yield name
    server.dokku("apps:destroy", name, "--force", check=False)


@pytest.fixture(scope="session")
def archive(tmp_path_factory) -> Path:
    """The one file, built from this checkout."""
    path = tmp_path_factory.mktemp("build") / "dokku"
    subprocess.run([CHECKOUT / "scripts/build", path], check=True, capture_output=True)
    return path


@pytest.fixture
def add_plugin(server):
    """add_plugin(name, {file: text}) enables a plugin made of these (executable) files; gone after the test."""
    added = []

    def add(name: str, files: dict[str, str]) -> Path:
        place = server.lib / "plugins/available" / name
        for file, text in {
            "plugin.toml": f'[plugin]\ndescription = "{name}"\nversion = "1"\n[plugin.config]\n',
            **files,
        }.items():
            (place / file).parent.mkdir(parents=True, exist_ok=True)
            (place / file).write_text(text)
            (place / file).chmod(0o755)
        run("chown", "-R", f"{server.user}:{server.user}", place)
        added.append(name)
        server.dokku("plugin:enable", name)
        return place

    yield add
    for name in added:
        (server.lib / "plugins/enabled" / name).unlink(missing_ok=True)
        run("rm", "-rf", server.lib / "plugins/available" / name)
