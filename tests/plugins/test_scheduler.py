"""scheduler, scheduler-docker-local, scheduler-null: who runs an app, and its settings (commands-b.md 17)."""

import pytest

from tests.apps import make_repo, web_app
from tests.server import run


def test_selection(server, app):
    server.dokku("apps:create", app)
    read = lambda: server.dokku("scheduler:report", app, "--scheduler-computed-selected").stdout  # noqa: E731
    assert read() == "docker-local\n"
    server.dokku("scheduler:set", app, "selected", "null")
    assert read() == "null\n"
    server.dokku("scheduler:set", app, "selected")
    assert read() == "docker-local\n"


def test_the_null_scheduler_runs_nothing(server, app, tmp_path):
    server.dokku("apps:create", app)
    server.dokku("scheduler:set", app, "selected", "null")
    server.push(make_repo(tmp_path / "repo", web_app()), app)
    assert server.docker("ps", "-aq", "--filter", f"label=com.dokku.app-name={app}").stdout == ""
    assert server.dokku("ps:report", app, "--running").stdout == "true\n"


def test_init_process(server, app, tmp_path):
    server.push(make_repo(tmp_path / "repo", web_app()), app)
    state = lambda: server.docker("inspect", "-f", "{{.HostConfig.Init}}", f"{app}.web.1").stdout  # noqa: E731
    assert state() == "true\n"
    server.dokku("scheduler-docker-local:set", app, "init-process", "false")
    server.dokku("ps:restart", app)
    assert state() != "true\n"


def test_retire_ends_what_is_due(server, app, tmp_path, add_plugin):
    add_plugin("unwilling", {"scheduler-register-retired": "#!/bin/sh\nexit 7\n"})  # by contract this changes nothing
    server.push(make_repo(tmp_path / "repo", web_app()), app)
    old = server.docker("inspect", "-f", "{{.Id}}", f"{app}.web.1").stdout.strip()
    server.dokku("checks:set", app, "wait-to-retire", "600")
    server.dokku("ps:restart", app)
    server.dokku("ps:retire", app)
    assert server.docker("inspect", old, check=False).returncode == 0, "its grace period is not over"
    waiting = server.lib / "data/scheduler-docker-local/dead-containers"
    lines = [line.split() for line in waiting.read_text().splitlines()]
    waiting.write_text("".join(f"{a} {i} {1 if i == old else due}\n" for a, i, due in lines))
    server.dokku("ps:retire")
    assert server.docker("inspect", old, check=False).returncode
    assert old not in waiting.read_text()
    assert server.curl(f"{app}.test.example").stdout == "hello\n200"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["scheduler-docker-local:set", "APP", "init-process", "maybe"], "Invalid init-process"),
        (["scheduler-docker-local:set", "APP", "parallel-schedule-count", "0"], "Invalid parallel-schedule-count"),
        (["scheduler:set", "APP", "nope", "x"], "valid properties include: selected, shell"),
    ],
)
def test_bad_input(server, app, words, why):
    server.dokku("apps:create", app)
    done = server.dokku(*(app if word == "APP" else word for word in words), check=False)
    assert done.returncode == 1 and why in done.stderr


def test_a_port_of_the_host_is_one_containers(server, app, tmp_path):
    """The new version cannot have it beside the old one: docker's reason is told, and how to go about it works."""
    port = server.ssh_port + 20003
    server.dokku("apps:create", app)
    server.dokku("docker-options:add", app, "deploy", f"-p 127.0.0.1:{port}:5000")
    server.push(make_repo(tmp_path / "repo", web_app()), app)

    failed = server.dokku("ps:restart", app, check=False)

    assert failed.returncode == 1 and "port is already allocated" in failed.stderr
    assert " !     Deploys may fail when publishing ports and enabling zero downtime\n" in failed.stderr
    assert server.curl(f"{app}.test.example").stdout == "hello\n200"
    server.dokku("checks:disable", app, "web")
    assert "Deploys may fail" not in server.dokku("ps:restart", app).stderr
    assert run("curl", "-s", f"http://127.0.0.1:{port}/").stdout.strip() == "hello"
    scaled = server.dokku("ps:scale", app, "web=2", check=False)
    assert "Deploys may fail when publishing ports and scaling to multiple containers" in scaled.stderr
