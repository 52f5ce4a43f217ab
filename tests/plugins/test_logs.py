"""logs: what apps said, as people read it and as vector ships it (commands-a.md 10)."""

import fcntl
import json
import re
import subprocess
import time

import pytest

from dokku_min.errors import Failure
from tests.apps import failing_check, make_repo
from tests.plugins.helpers import inspected, refused
from tests.plugins.modules import plugin_module

sinks = plugin_module("logs", "sinks")
DEAD = "data/scheduler-docker-local/dead-containers"
LINE = re.compile(r"\x1b\[(\d\d)m(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z) (\S+)\[(\S+)\]:\x1b\[0m (.*)")


@pytest.mark.parametrize(
    "text, sink",
    [
        ("console://?", {"type": "console"}),
        ("console://?encoding[codec]=json", {"type": "console", "encoding": {"codec": "json"}}),
        ("http://?uri=https%3A%2F%2Fu%3Ap%40h%2F", {"type": "http", "uri": "https://u:p@h/"}),
        ("loki://?a[b][c]=1&l[]=x&l[]=2&on=true", {"type": "loki", "a": {"b": {"c": 1}}, "l": ["x", 2], "on": True}),
        ("x://?auth=base64enc:YSZi", {"type": "x", "auth": "a&b"}),
        ("x://?empty=", {"type": "x", "empty": ""}),
    ],
)
def test_sinks_that_are_understood(text, sink):
    assert sinks.parse(text) == sink


@pytest.mark.parametrize(
    "text", ["nope", "x:/?a=b", "://?a=b", "x://a=b", "X y://?a=b", "x://?sinks=1", "x://?inputs[]=1", "x://?a=b&a[c]=d",
             "x://?a[b=c", "x://?a=base64enc:%%%"],
)  # fmt: skip
def test_sinks_that_are_refused(text):
    with pytest.raises(Failure) as caught:
        sinks.parse(text)
    assert "://?" not in caught.value.message or "redacted" in caught.value.message


def parsed(text):
    return [LINE.fullmatch(line).groups() for line in text.splitlines()]


def test_logs_of_all_processes_in_the_order_of_time(server, running):
    found = parsed(server.dokku("logs", running).stdout)
    assert {(app, dyno, text) for _, _, app, dyno, text in found} >= {
        (running, "web.1", "web started"), (running, "web.1", "web warns"),
        (running, "worker.1", "worker started"), (running, "worker.2", "worker started"),
    }  # fmt: skip
    stamps = [stamp for _, stamp, *_ in found]
    assert stamps == sorted(stamps)
    assert len({(colour, dyno) for colour, _, _, dyno, _ in found}) == 3, "a colour for each"


def test_what_of_the_logs_is_shown(server, running):
    assert {dyno for *_, dyno, _ in parsed(server.dokku("logs", running, "-p", "worker").stdout)} == {
        "worker.1",
        "worker.2",
    }
    assert {dyno for *_, dyno, _ in parsed(server.dokku("logs", running, "--ps", "worker.2").stdout)} == {"worker.2"}
    done = server.dokku("logs", running, "-p", "clock")
    assert (done.stdout, done.stderr) == ("", "")
    assert len(parsed(server.dokku("logs", running, "-n", "1").stdout)) == 3
    # two streams of one container: docker keeps the order within each
    assert sorted(server.dokku("logs", running, "-q", "-p", "web").stdout.splitlines()[:2]) == ["web started", "web warns"]
    assert len(parsed(server.ssh("logs", running, "--num=1", "--ps=web").stdout)) == 1


@pytest.mark.parametrize(
    "words, status, text",
    [
        (("logs",), 1, "Please specify an app to run the command on"),
        (("logs", "nosuch"), 20, "App nosuch does not exist"),
        (("logs", "APP", "--bogus"), 2, "unknown flag: --bogus"),
        (("logs", "APP", "--num"), 2, "flag needs an argument: --num"),
        (("logs", "APP", "-n", "x"), 2, "--num takes a number, not x"),
        (("logs", "APP", "-n", "-1"), 2, "--num takes a number from 0 on"),
        (("logs:failed",), 1, "Please specify an app"),
        (("logs:failed", "nosuch"), 20, "App nosuch does not exist"),
        (("logs:report", "nosuch"), 20, "App nosuch does not exist"),
        (("logs:report", "APP", "--bogus"), 1, "Invalid flag passed, valid flags: --logs-app-label-alias"),
        (("logs:set",), 1, "Please specify an app"),
        (("logs:set", "APP"), 1, "No property specified"),
        (("logs:set", "APP", "bogus", "x"), 1, "Invalid property specified, valid properties include: app-label-alias, "
         "max-size, vector-cron-sink, vector-image, vector-networks, vector-sink"),
        (("logs:set", "APP", "max-size", "10x"), 1, "Invalid max-size"),
        (("logs:set", "APP", "max-size", "m"), 1, "Invalid max-size"),
        (("logs:set", "APP", "vector-image", "x"), 1, "vector-image may only be set globally with --global"),
        (("logs:set", "APP", "vector-networks", "x"), 1, "vector-networks may only be set globally with --global"),
        (("logs:set", "--global", "vector-networks", "bridge"), 1, "Invalid network name specified: bridge"),
        (("logs:set", "--global", "vector-networks", "no-such-net"), 1, "Network no-such-net does not exist"),
        (("logs:set", "APP", "app-label-alias", "a b"), 1, "Invalid app-label-alias"),
        (("logs:set", "APP", "vector-sink", "nope"), 1, "Invalid vector sink"),
    ],
)  # fmt: skip
def test_what_is_refused(server, running, words, status, text):
    named = [word.replace("APP", running) for word in words]
    refused(server.dokku(*named, check=False), text, status=status)


def test_an_app_that_was_never_deployed(server, created):
    refused(server.dokku("logs", created, check=False), f"App {created} has not been deployed")
    done = server.dokku("logs:failed", created)
    assert done.stdout == f"=====> {created} failed deploy logs\n" and "No failed containers found" in done.stderr


def clients(server):
    """Command lines of docker clients that the dokku user runs."""
    found = subprocess.run(["ps", "-u", server.user, "-o", "args="], capture_output=True, text=True).stdout
    return [line for line in found.splitlines() if "docker container logs" in line]


def test_following_ends_with_its_reader(server, running):
    """Nothing is ever printed again, so nobody would notice by writing."""
    reader = subprocess.Popen(server.ssh_argv("logs", running, "-t", "-p", "web"), stdout=subprocess.PIPE,
                              stdin=subprocess.DEVNULL, text=True)  # fmt: skip
    assert reader.stdout.readline()
    assert len(clients(server)) == 1
    reader.kill()
    end = time.time() + 10
    while clients(server):
        assert time.time() < end, "it goes on for nobody"
        time.sleep(0.1)


def test_new_lines_are_followed(server, running):
    reader = subprocess.Popen([server.bin / "dokku", "logs", running, "-t", "-q", "-n", "0", "-p", "web"], env=server.env,
                              stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)  # fmt: skip
    try:
        end = time.time() + 10
        while not clients(server):
            assert time.time() < end
            time.sleep(0.1)
        server.dokku("enter", running, "web", "sh", "-c", "echo appended > /proc/1/fd/1")
        assert reader.stdout.readline() == "appended\n"
    finally:
        reader.terminate()
        reader.wait()
    assert clients(server) == []


def test_the_log_of_a_failed_deploy(server, app, tmp_path):
    files = failing_check()
    files["web.sh"] = "echo cannot find my config\n" + files["web.sh"]
    assert server.push(make_repo(tmp_path / app, files), app, check=False).returncode != 0
    done = server.dokku("logs:failed", app)
    assert done.stdout.startswith(f"=====> {app} failed deploy logs\n") and "cannot find my config" in done.stdout
    assert "web.1" in done.stdout
    (entry,) = [line for line in (server.lib / DEAD).read_text().splitlines() if line.startswith(f"{app} ")]
    assert int(entry.split()[2]) > time.time() + 3600  # there is time to look
    server.docker("container", "rm", entry.split()[1])
    done = server.dokku("logs:failed", app)
    assert done.stdout == f"=====> {app} failed deploy logs\n" and "are gone by now" in done.stderr
    assert f"dokku builds:list {app}" in done.stderr


def test_containers_have_the_size_and_the_label(server, running, created):
    assert inspected(server, f"{running}.web.1")["HostConfig"]["LogConfig"]["Config"]["max-size"] == "10m"

    def told():
        return server.dokku("plugin:trigger", "docker-args-deploy", created, "latest").stdout.split()

    server.dokku("logs:set", created, "max-size", "5k")
    server.dokku("logs:set", created, "app-label-alias", "app_name")
    assert "--log-opt=max-size=5k" in told() and f"--label=app_name={created}" in told()
    assert server.dokku("plugin:trigger", "logs-get-property", created, "max-size").stdout == "5k\n"
    server.dokku("logs:set", created, "max-size", "unlimited")
    assert not any("max-size" in word for word in told())
    server.dokku("logs:set", created, "max-size", "")
    server.dokku("docker-options:add", created, "deploy", "--log-driver=journald")
    assert not any("max-size" in word for word in told()), "journald knows no such option"


def test_vector_config(server, created):
    def config():
        return json.loads((server.lib / "data/logs/vector.json").read_text())

    dsn = "http://?uri=https%3A%2F%2Fuser%3Asecret%40h&encoding[codec]=json"
    done = server.dokku("logs:set", created, "vector-sink", dsn)
    assert f"       Writing updated vector config to {server.lib}/data/logs/vector.json\n" in done.stdout
    assert (server.lib / "data/logs/vector.json").stat().st_mode & 0o777 == 0o600
    found = config()
    assert found["sources"][f"docker-source:{created}"]["include_labels"] == [f"com.dokku.app-name={created}"]
    sink = found["sinks"][f"docker-sink:{created}"]
    assert sink["inputs"] == [f"docker-source:{created}"] and sink["uri"] == "https://user:secret@h"
    assert "secret" not in server.dokku("logs:report", created).stdout
    assert server.dokku("logs:report", created, "--logs-computed-vector-sink").stdout == "http://redacted\n"
    assert server.dokku("logs:report", created, "--logs-vector-sink").stdout == f"{dsn}\n"
    assert json.loads(server.dokku("logs:report", created, "--format", "json").stdout)["vector-sink"] == dsn
    server.dokku("logs:set", created, "vector-cron-sink", "console://?encoding[codec]=text")
    found = config()
    assert found["sinks"][f"docker-cron-sink:{created}"]["inputs"] == [f"docker-cron-remap:{created}"]
    assert found["sinks"][f"docker-sink:{created}"]["inputs"] == [f"docker-router:{created}._unmatched"]
    clone = f"{created}-c"
    server.dokku("apps:clone", "--skip-deploy", created, clone)
    assert f"docker-sink:{clone}" in config()["sinks"]
    server.dokku("apps:destroy", clone, "--force")
    assert f"docker-sink:{clone}" not in config()["sinks"]
    server.dokku("logs:set", created, "vector-sink", "")
    server.dokku("logs:set", created, "vector-cron-sink", "")
    assert config()["sinks"]["docker-null-sink"]["type"] == "blackhole"


VECTOR = "dokku-test/vector"


@pytest.fixture
def vector_image(busybox_image):
    """An image that does what vector's does before it ships anything: it reads its configuration, or ends."""
    program = "cat $1 && grep -q console $1 && exec sleep 600"  # $0 is --config
    recipe = f'FROM {busybox_image}\nENTRYPOINT ["sh", "-c", "{program}"]\n'
    subprocess.run(["docker", "build", "-q", "-t", VECTOR, "-"], input=recipe, text=True, check=True, capture_output=True)
    with open("/run/lock/dokku-test-vector", "w") as lock:  # docker has one container of that name for all test servers
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield VECTOR
        subprocess.run(["docker", "rm", "-f", "vector-vector-1"], check=False, capture_output=True)


def test_the_vector_container(server, created, vector_image):
    refused(server.dokku("logs:vector-logs", check=False), "Vector container does not exist")
    server.dokku("logs:set", "--global", "vector-image", vector_image)
    failed = server.dokku("logs:vector-start", check=False)
    assert failed.returncode == 1 and "Vector container is not running" in failed.stderr
    assert "blackhole" in failed.stdout, "what it said is shown"
    server.dokku("logs:set", created, "vector-sink", "console://?encoding[codec]=json")
    try:
        done = server.dokku("logs:vector-start")
        assert done.stdout.endswith("-----> Starting vector container\n       Vector container is running\n"), done.stdout
        found = inspected(server, "vector-vector-1")
        assert found["State"]["Running"] and found["HostConfig"]["RestartPolicy"]["Name"] == "unless-stopped"
        assert "/var/run/docker.sock:/var/run/docker.sock:ro" in found["HostConfig"]["Binds"]
        said = server.dokku("logs:vector-logs", "--num", "1").stdout
        assert said.startswith("       {") and f"docker-sink:{created}" in said
    finally:
        server.dokku("logs:set", created, "vector-sink", "")
        server.dokku("logs:set", "--global", "vector-image", "")
    assert server.dokku("logs:vector-stop").stdout == "-----> Stopping and removing vector container\n"
    assert server.docker("container", "inspect", "vector-vector-1", check=False).returncode == 1
