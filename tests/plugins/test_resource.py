"""resource: limits and reservations, as containers really have them (commands-a.md 14)."""

import json

import pytest

from tests.apps import make_app, web_app
from tests.plugins.helpers import inspected, refused


def emitted(server, app, process_type):
    """What docker is told on a deploy, less the restart policy, which comes from ps."""
    trigger = ("plugin:trigger", "docker-args-process-deploy", app, "dockerfile", "latest", process_type)
    return [word for word in server.dokku(*trigger).stdout.split() if not word.startswith("--restart=")]


def test_set_show_and_clear(server, created):
    app = created
    done = server.dokku("resource:limit", "--memory", "256", "--cpu", "0.5", app)
    assert done.stdout == f"=====> Setting resource limits for {app}\n       cpu: 0.5\n       memory: 256\n"
    done = server.dokku("resource:limit", app, "--process-type", "web", "--memory", "100m")
    assert done.stdout == f"=====> Setting resource limits for {app} (web)\n       memory: 100m\n"
    done = server.dokku("resource:reserve", app, "--memory", "1g")
    assert done.stdout == f"=====> Setting resource reservation for {app}\n       memory: 1g\n"
    shown = server.dokku("resource:limit", app).stdout.splitlines()
    assert shown == [
        f"=====> resource limits {app} information [defaults]", "       cpu: 0.5", "       memory: 256",
        "       memory-swap:", "       network:", "       network-ingress:", "       network-egress:", "       nvidia-gpu:",
    ]  # fmt: skip
    assert "       memory: 100m\n" in server.dokku("resource:limit", app, "--process-type", "web").stdout
    assert f"resource reservation {app} information [defaults]" in server.dokku("resource:reserve", app).stdout
    assert server.dokku("resource:limit", app, "--cpu", "clear").stdout.endswith("       cpu: cleared\n")
    assert (
        server.dokku("resource:limit-clear", "--process-type", "web", app).stdout
        == f"=====> clearing {app} limits (web)\n"
    )
    found = json.loads(server.dokku("resource:report", app, "--format", "json").stdout)
    assert found["_default_.limit.memory"] == found["resource-_default_.limit.memory"] == "256"
    assert set(found) == {f"{p}_default_.{k}.memory" for p in ("", "resource-") for k in ("limit", "reserve")}
    assert server.dokku("resource:reserve-clear", app).stdout == f"=====> clearing {app} reservation\n"
    assert server.dokku("resource:report", app).stdout == f"=====> {app} resource information\n"  # limits too


def test_report(server, created):
    server.dokku("resource:limit", created, "--process-type", "web", "--memory", "1g")
    text = server.dokku("resource:report", created).stdout
    assert "       resource web limit memory:     1g\n" in text  # a small first letter, as in Dokku
    assert server.dokku("resource:report", created, "--resource-web.limit.memory").stdout == "1g\n"
    refused(server.dokku("resource:report", created, "--resource-web.limit.cpu", check=False), "Invalid flag passed")
    assert server.dokku("resource:report", "--global", "--format", "json").stdout == "{}\n"


def test_what_docker_is_told(server, created):
    app = created
    server.dokku("resource:limit", app, "--cpu", "1", "--memory", "256", "--network", "5")
    server.dokku("resource:limit", app, "--process-type", "web", "--memory", "100M", "--nvidia-gpu", '"device=0,1"')
    server.dokku("resource:reserve", app, "--memory", "64", "--cpu", "1")
    assert emitted(server, app, "web") == [
        "--cpus=1", "--memory=100M", "'--gpus=\"device=0,1\"'", "--memory-reservation=64m",
    ]  # fmt: skip
    assert emitted(server, app, "worker") == ["--cpus=1", "--memory=256m", "--memory-reservation=64m"]
    answer = server.dokku("plugin:trigger", "resource-get-property", app, "worker", "limit", "memory").stdout
    assert answer == "256\n"
    server.dokku("resource:limit", app, "--process-type", "build", "--memory", "2g", "--cpu", "2")

    def for_build(builder):
        return server.dokku("plugin:trigger", "docker-args-process-build", app, builder).stdout.split()

    assert for_build("dockerfile") == ["--memory=2g"]
    assert for_build("herokuish") == ["--cpus=2", "--memory=2g"]
    assert for_build("pack") == []


@pytest.mark.parametrize("verb", ["limit", "reserve", "limit-clear", "reserve-clear", "report"])
def test_an_app_is_needed(server, verb):
    refused(server.dokku(f"resource:{verb}", "nosuch", check=False), "App nosuch does not exist", status=20)
    if verb != "report":
        refused(server.dokku(f"resource:{verb}", check=False), "Please specify an app to run the command on")


@pytest.mark.parametrize(
    "words, status, text",
    [
        (("--memory",), 2, "flag needs an argument: --memory"),
        (("--mem", "1"), 2, "unknown flag: --mem"),
        (("--process-type", "../x", "--memory", "1"), 1, "Invalid process type"),
        (("--memory", "1\n2"), 1, "Invalid value for memory"),
        (("extra",), 1, "Unexpected argument(s): extra"),
    ],
)
def test_what_is_refused(server, running, words, status, text):
    refused(server.dokku("resource:limit", running, *words, check=False), text, status=status)


def test_containers_are_limited(server, app, tmp_path):
    server.dokku("apps:create", app)
    server.dokku("resource:limit", app, "--memory", "64", "--cpu", "0.5")
    server.dokku("resource:reserve", app, "--memory", "32m")
    make_app(server, app, web_app(), tmp_path)
    limits = inspected(server, f"{app}.web.1")["HostConfig"]
    assert (limits["Memory"], limits["MemoryReservation"], limits["NanoCpus"]) == (64 * 2**20, 32 * 2**20, 5 * 10**8)
    server.dokku("resource:limit-clear", app)
    server.dokku("ps:rebuild", app)
    assert inspected(server, f"{app}.web.1")["HostConfig"]["Memory"] == 0
