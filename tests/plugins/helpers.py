"""A running app and a registry that several test files use, and a way to spell out what a refused command shows."""

import json
import socket
import subprocess
import time

import pytest

from tests.apps import make_app, two_process_app
from tests.server import Server


def refused(done, *texts: str, status: int = 1) -> None:
    """The command failed as it should: exit status, every text on stderr in Dokku's form, nothing on stdout."""
    assert done.returncode == status, done
    assert done.stdout == ""
    assert done.stderr.startswith(" !     ") and "Traceback" not in done.stderr
    for text in texts:
        assert text in done.stderr, done.stderr


def containers(server: Server, app: str, kind: str) -> list[str]:
    """Names of the app's containers of a kind, whatever their state."""
    labels = (f"label=com.dokku.app-name={app}", f"label=com.dokku.container-type={kind}")
    filters = [f"--filter={label}" for label in labels]
    return server.docker("container", "ls", "--all", "--format", "{{.Names}}", *filters).stdout.split()


def inspected(server: Server, name: str) -> dict:
    return json.loads(server.docker("container", "inspect", name).stdout)[0]


@pytest.fixture(scope="session")
def running(server, tmp_path_factory):
    """The name of an app that runs web=1 and worker=2 and has said something; tests leave it as they found it."""
    name = server.app("running")
    files = two_process_app("running")
    files["web.sh"] = "echo web started\necho web warns >&2\n" + files["web.sh"]
    make_app(server, name, files, tmp_path_factory.mktemp("running"))
    server.dokku("ps:scale", name, "worker=2")
    yield name
    server.dokku("apps:destroy", name, "--force", check=False)


@pytest.fixture(scope="session")
def registry(tmp_path_factory):
    """Debian's docker-registry with a user u and password p; its host:port."""
    base = tmp_path_factory.mktemp("registry")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    secret = subprocess.run(["htpasswd", "-Bbn", "u", "p"], capture_output=True, text=True, check=True).stdout
    (base / "users").write_text(secret.strip() + "\n")
    settings = {"version": 0.1, "http": {"addr": f"127.0.0.1:{port}"}, "log": {"level": "error"},
                "storage": {"filesystem": {"rootdirectory": str(base / "data")}},
                "auth": {"htpasswd": {"realm": "test", "path": str(base / "users")}}}  # fmt: skip
    (base / "config.yml").write_text(json.dumps(settings))
    process = subprocess.Popen(["docker-registry", "serve", base / "config.yml"], stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)  # fmt: skip
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                break
        time.sleep(0.1)
    yield f"127.0.0.1:{port}"
    process.kill()
