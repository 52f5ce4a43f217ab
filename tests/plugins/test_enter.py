"""enter: commands and shells inside running containers (commands-b.md 12)."""

import subprocess
import time

import pytest

from tests.plugins.helpers import inspected, refused


def test_a_command_in_a_container(server, running):
    done = server.dokku("enter", running, "worker.2", "sh", "-c", "echo $DYNO; echo err >&2; exit 5", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (5, "worker.2\n", "err\n")
    assert server.dokku("enter", running, "worker", "--", "sh", "-c", "echo $DYNO").stdout == "worker.1\n"
    assert server.dokku("enter", running, "web", input="echo from $DYNO; exit\n").stdout == "from web.1\n"
    assert server.ssh("enter", running, "web", "false", check=False).returncode == 1


def test_a_container_by_its_id(server, running):
    identity = inspected(server, f"{running}.worker.2")["Id"]
    argv = ("sh", "-c", "echo $DYNO")
    assert server.dokku("enter", running, "--container-id", identity[:10], "--", *argv).stdout == "worker.2\n"
    assert server.dokku("enter", running, f"--container-id={identity}", *argv).stdout == "worker.2\n"


@pytest.mark.parametrize(
    "words, status, text",
    [
        ((), 1, "Please specify an app"),
        (("nosuch",), 20, "App nosuch does not exist"),
        (("APP",), 1, "No container type specified."),
        (("APP", "--", "ls"), 1, "Available types for app (APP): web, worker"),
        (("APP", "clock", "ls"), 1, "No containers found for type 'clock'"),
        (("APP", "web.2", "ls"), 1, "No containers found for type 'web.2'"),
        (("APP", "--container-id"), 2, "flag needs an argument: --container-id"),
        (("APP", "--container-id", "0123", "ls"), 1, "Invalid container id for app: 0123"),
        (("APP", "--container-id", "", "ls"), 2, "flag needs an argument"),
        (("--bogus", "APP"), 2, "unknown flag: --bogus"),
    ],
)
def test_what_is_refused(server, running, words, status, text):
    named = [word.replace("APP", running) for word in words]
    refused(server.dokku("enter", *named, check=False), text.replace("APP", running), status=status)


def test_nobody_enters_a_container_of_another_app(server, running, created):
    identity = inspected(server, f"{running}.web.1")["Id"]
    refused(
        server.dokku("enter", created, "--container-id", identity, "ls", check=False), "Invalid container id for app"
    )
    refused(server.dokku("enter", created, check=False), f"App {created} has not been deployed")


def test_a_stopped_container(server, running):
    server.docker("stop", "-t", "0", f"{running}.worker.2")
    try:
        refused(server.dokku("enter", running, "worker.2", "ls", check=False), "Container is not running")
    finally:
        server.docker("start", f"{running}.worker.2")


def test_inspect_hides_what_config_holds(server, running):
    import json

    found = json.loads(server.dokku("ps:inspect", running).stdout)
    assert sorted(each["Name"] for each in found) == [
        f"/{running}.{dyno}" for dyno in ("web.1", "worker.1", "worker.2")
    ]
    env = dict(pair.split("=", 1) for pair in found[0]["Config"]["Env"])
    assert env["GIT_REV"] == "XXXXXX" and env["DYNO"] == "web.1" and env["PATH"] == "/bin"


@pytest.mark.parametrize("options", [(), ("-tt",)])
def test_a_hang_up_ends_what_was_entered(server, running, options):
    def sleeps():
        return "sleep 777" in server.docker("exec", f"{running}.web.1", "ps").stdout

    argv = server.ssh_argv("enter", running, "web", "sh", "-c", "'sleep 777; true'", options=options)
    client = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    for wanted in (True, False):
        end = time.time() + 15
        while sleeps() != wanted:
            assert time.time() < end
            time.sleep(0.2)
        client.kill()
