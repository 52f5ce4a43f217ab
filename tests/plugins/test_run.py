"""run: one-off commands; their status, their streams, and that none is left behind (commands-b.md 10)."""

import json
import os
import pty
import signal
import subprocess
import time

import pytest

from tests.apps import make_app, web_app
from tests.plugins.helpers import containers, inspected, refused
from tests.plugins.modules import plugin_module

client_env = plugin_module("scheduler-docker-local", "client_env")


def wait_until(condition, seconds=15):
    end = time.time() + seconds
    while not condition():
        assert time.time() < end, "it did not happen"
        time.sleep(0.1)


def test_status_and_streams_are_the_commands(server, running):
    done = server.dokku("run", running, "sh", "-c", "echo out; echo err >&2; exit 7", check=False)
    assert (done.returncode, done.stdout, done.stderr) == (7, "out\n", "err\n")
    assert server.dokku("run", running, "--", "echo", "--quiet", "-n").stdout.strip() == "--quiet -n"
    assert server.dokku("run", running, "cat", input="data\n").stdout == "data\n"
    assert server.ssh("run", running, "sh", "-c", "'exit 9'", check=False).returncode == 9
    assert server.dokku("run", running, "no-such-program", check=False).returncode == 127
    assert containers(server, running, "run") == []


def test_environment(server, running):
    server.dokku(
        "config:set", "--no-restart", running, "SAID=two words", "DOCKER_HOST=tcp://192.0.2.1:1", "LD_PRELOAD=/nope"
    )
    try:
        done = server.dokku("run", "-e", "MORE=$(id)", "--env", "SAID=over", "-e", "PATH=/bin:/more", running, "env")
    finally:
        server.dokku("config:unset", "--no-restart", running, "SAID", "DOCKER_HOST", "LD_PRELOAD")
    found = dict(line.split("=", 1) for line in done.stdout.splitlines())
    assert found["MORE"] == "$(id)" and found["SAID"] == "over" and found["PATH"] == "/bin:/more"
    assert found["DOCKER_HOST"] == "tcp://192.0.2.1:1", "the app has it, docker's own client does not"
    assert found["LD_PRELOAD"] == "/nope" and found["DYNO"].startswith("run.") and "PORT" not in found


def test_a_process_type_stands_for_its_command(server, running):
    done = server.dokku("run:detached", running, "worker")
    name = done.stdout.strip()
    assert "-----> Found 'worker' in Procfile, running that command" in done.stderr
    found = inspected(server, name)
    assert [found["Path"], *found["Args"]] == ["sh", "/app/worker.sh"]
    assert found["Config"]["Labels"]["com.dokku.process-type"] == "worker"
    server.dokku("run:stop", running)


def test_detached_containers_are_listed_read_and_stopped(server, running):
    done = server.dokku("--label=com.example.x=1", "run:detached", "--ttl-seconds", "60", running, "sh", "-c",
                        "echo started; exec sleep 600")  # fmt: skip
    name = done.stdout.strip()
    assert done.stdout == f"{name}\n" and name.rpartition(".")[0] == f"{running}.run"
    found = inspected(server, name)
    labels = found["Config"]["Labels"]
    assert labels["com.dokku.container-type"] == "run" and labels["com.dokku.active-deadline-seconds"] == "60"
    assert labels["com.example.x"] == "1" and found["HostConfig"]["AutoRemove"] is True
    wait_until(lambda: "started" in server.dokku("run:logs", "--container", name).stdout)
    number = name.rpartition(".")[2]
    assert f" {running}[{number}]:\x1b[0m started\n" in server.dokku("run:logs", running).stdout
    assert server.dokku("run:logs", running, "-q").stdout == "started\n"
    table = server.dokku("run:list", running).stdout.splitlines()
    assert table[0].split() == ["NAMES", "COMMAND", "CREATED"] and name in table[1]
    assert "NAMES" not in server.dokku("--quiet", "run:list", running).stdout
    (row,) = json.loads(server.dokku("run:list", running, "--format", "json").stdout)
    assert row["name"] == name and row["state"] == "running" and set(row) == {"name", "state", "command", "created_at"}
    server.dokku("run:retire")
    assert containers(server, running, "run") == [name], "its time is not over"
    assert server.dokku("run:stop", "--container", name).stdout == f"-----> Stopping {name}\n"
    assert containers(server, running, "run") == []
    refused(server.dokku("run:stop", running, check=False), "No run containers exist")


def test_what_is_past_its_time_is_retired(server, running):
    server.dokku("run:detached", "--ttl-seconds", "1", running, "sleep", "600")
    time.sleep(2.2)
    assert "Retiring" in server.dokku("run:retire", running).stdout
    assert containers(server, running, "run") == []


@pytest.mark.parametrize(
    "words, status, text",
    [
        (("run",), 1, "Please specify an app to run the command on"),
        (("run", "nosuch", "ls"), 20, "App nosuch does not exist"),
        (("run", "--bogus", "APP", "ls"), 2, "unknown flag: --bogus"),
        (("run", "-e"), 2, "flag needs an argument: --env"),
        (("run", "-e", "novalue", "APP", "ls"), 1, "Invalid environment variable: novalue"),
        (("run", "-e", "1A=x", "APP", "ls"), 1, "Invalid environment variable: 1A"),
        (("run", "--ttl-seconds", "soon", "APP", "ls"), 1, "--ttl-seconds must be a positive integer"),
        (("run", "--ttl-seconds", "0", "APP", "ls"), 1, "--ttl-seconds must be a positive integer"),
        (("run", "--no-tty", "--force-tty", "APP", "ls"), 2, "exclude each other"),
        (("run:detached", "nosuch", "ls"), 20, "App nosuch does not exist"),
        (("run:list",), 1, "Please specify an app"),
        (("run:list", "nosuch"), 20, "App nosuch does not exist"),
        (("run:list", "APP", "--format", "xml"), 1, 'Format must be "stdout" or "json"'),
        (("run:logs",), 1, "No container or app specified"),
        (("run:logs", "--container", "x"), 1, "Invalid container name specified: x"),
        (("run:logs", "--container", "APP.web.1"), 1, "Specified container must be a run container"),
        (("run:logs", "--container", "APP.run.1"), 1, "Container APP.run.1 does not exist"),
        (("run:logs", "--container", "nosuch.run.1"), 20, "App nosuch does not exist"),
        (("run:logs", "APP", "-n", "many"), 2, "--num takes a number"),
        (("run:stop",), 1, "No container or app specified"),
        (("run:stop", "--container", "x"), 1, "Invalid container name specified: x"),
        (("run:stop", "nosuch"), 20, "App nosuch does not exist"),
        (("run:retire", "nosuch"), 20, "App nosuch does not exist"),
    ],
)
def test_what_is_refused(server, running, words, status, text):
    named = [word.replace("APP", running) for word in words]
    refused(server.dokku(*named, check=False), text.replace("APP", running), status=status)


def test_an_app_without_a_release_has_nothing_to_run(server, created):
    refused(server.dokku("run", created, "ls", check=False), f"App {created} has not been deployed")


def test_one_cron_task_at_a_time(server, running):
    def start(policy, *command):
        task = ("--cron-id", "t1", "--concurrency-policy", policy)
        return server.dokku("run:detached", *task, running, *command, check=False)

    first = start("forbid", "sleep", "600").stdout.strip()
    assert first.startswith(f"{running}.cron.")
    refused(start("forbid", "sleep", "600"), f"{running} currently has a cron lock in place for t1. Exiting...")
    second = start("replace", "sleep", "600").stdout.strip()
    assert containers(server, running, "cron") == [second] != [first]
    third = start("allow", "sleep", "600").stdout.strip()
    assert sorted(containers(server, running, "cron")) == sorted([second, third])
    server.docker("rm", "-f", second, third)


@pytest.mark.parametrize("how", ["ssh", "ssh -t"])
def test_a_hang_up_leaves_no_container(server, running, how):
    argv = server.ssh_argv("run", running, "sleep", "600", options=("-tt",) if how == "ssh -t" else ())
    client = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    wait_until(lambda: containers(server, running, "run"))
    client.kill()
    wait_until(lambda: not containers(server, running, "run"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_no_container(server, running, number):
    command = subprocess.Popen(
        [server.bin / "dokku", "run", running, "sleep", "600"], env=server.env, stdin=subprocess.DEVNULL
    )
    wait_until(lambda: containers(server, running, "run"))
    command.send_signal(number)
    assert command.wait(timeout=20) == 128 + number
    wait_until(lambda: not containers(server, running, "run"))


def test_a_terminal(server, running):
    """With ssh -t the command has a terminal: what is typed reaches it, and Ctrl-C is for it alone."""
    ours, theirs = pty.openpty()
    script = "'trap \"echo caught\" INT; tty; while ! read x; do :; done; echo got $x; exit 5'"
    argv = server.ssh_argv("run", running, "sh", "-c", script, options=("-tt",))
    client = subprocess.Popen(argv, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True)
    os.close(theirs)
    seen = b""

    def until(text):
        nonlocal seen
        while text not in seen:
            seen += os.read(ours, 4096)

    until(b"/dev/pts/")
    os.write(ours, b"\x03")
    until(b"caught")
    os.write(ours, b"hello\n")
    until(b"got hello")
    assert client.wait(timeout=20) == 5
    os.close(ours)
    assert "not a tty" in server.ssh("run", "--no-tty", running, "tty", check=False).stdout


def test_what_would_change_dockers_client_is_told_apart():
    values = {
        "DOCKER_HOST": "tcp://x",
        "LD_PRELOAD": "/x",
        "PATH": "/x",
        "HOME": "/x",
        "GOOGLE_KEY": "s",
        "DOCKER_TOKEN": "s",
    }
    assert set(client_env.harmless(values)) == {"GOOGLE_KEY", "DOCKER_TOKEN"}  # secrets stay out of the process list
    assert client_env.told(values) == [
        "--env=DOCKER_HOST=tcp://x",
        "--env=LD_PRELOAD=/x",
        "--env=PATH=/x",
        "--env=HOME=/x",
    ]


def test_config_that_would_change_dockers_client_reaches_deployed_containers(server, app, tmp_path):
    server.dokku("apps:create", app)
    server.dokku("config:set", app, "DOCKER_HOST=tcp://192.0.2.1:1", "LD_PRELOAD=/nope", "SAID=yes")
    make_app(server, app, web_app(), tmp_path)
    env = inspected(server, f"{app}.web.1")["Config"]["Env"]
    assert {"DOCKER_HOST=tcp://192.0.2.1:1", "LD_PRELOAD=/nope", "SAID=yes"} <= set(env)
