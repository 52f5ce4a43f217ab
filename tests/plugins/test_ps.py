"""ps: Procfiles, scale, starting and stopping (commands-b.md 6 and 7)."""

import json
import time

import pytest

from dokku_min.errors import Failure
from dokku_min.sdk import each_app
from tests.apps import commit, make_repo, two_process_app, web_app
from tests.plugins.modules import plugin_module

procfile = plugin_module("ps", "procfile")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("web: ./start\n", {"web": "./start"}),
        ("web: ./start\r\nworker:  run it \r\n", {"web": "./start", "worker": "run it"}),
        ("# a comment\n\n// another\nweb: a # why\n", {"web": "a"}),
        ("web: curl http://x/y#z // tail", {"web": "curl http://x/y#z"}),
        ("release: a b\nweb-2_x: c", {"release": "a b", "web-2_x": "c"}),
    ],
)
def test_procfile_is_parsed(text, found):
    assert procfile.parse(text) == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no entries"),
        ("# only comments\n", "no entries"),
        ("web ./start", "line 1"),
        ("web: a\nweb: b", "there twice (line 2)"),
        ("web: # nothing", "line 1"),
        ("we b: x", "line 1"),
        ("-x: y", "line 1"),
        (f"{'x' * 64}: y", "line 1"),
    ],
)
def test_bad_procfile_names_the_line(text, why):
    with pytest.raises(Failure, match="Invalid Procfile") as error:
        procfile.parse(text)
    assert why in error.value.message


@pytest.mark.parametrize(
    ("command", "expanded"),
    [
        ("run -p $PORT", "run -p 5000"),
        ("run ${PORT}x $NOPE.", "run 5000x ."),
        ("echo $(date) $ $$ ${", "echo $(date) $ $$ ${"),
        ("no variables", "no variables"),
    ],
)
def test_procfile_variables(command, expanded):
    assert procfile.expand(command, {"PORT": "5000"}) == expanded


def containers(server, app):
    """{dyno: image} of the live containers, as docker has them."""
    form = '{{.Label "com.dokku.dyno"}} {{.Names}} {{.ID}}'
    done = server.docker("ps", "--no-trunc", "--filter", f"label=com.dokku.app-name={app}", "--format", form)
    rows = [line.split() for line in done.stdout.splitlines()]
    return {dyno: identity for dyno, name, identity in rows if name == f"{app}.{dyno}"}


@pytest.fixture
def deployed(server, app, tmp_path):
    """An app with web=1 and worker=0 that runs; its repository."""
    repo = make_repo(tmp_path / "repo", two_process_app())
    server.push(repo, app)
    server.dokku("checks:set", app, "wait-to-retire", "1")
    return repo


def test_scale_adds_and_removes_only_what_is_asked(server, app, deployed):
    web = containers(server, app)["web.1"]
    assert server.dokku("--quiet", "ps:scale", app).stdout == "web:  1\nworker: 0\n"

    done = server.dokku("ps:scale", app, "web=2", "worker=1")

    assert f"-----> Scaling {app} processes: web=2 worker=1" in done.stdout
    after = containers(server, app)
    assert sorted(after) == ["web.1", "web.2", "worker.1"]
    assert after["web.1"] == web, "a container that may stay was replaced"
    assert (server.root / app / "PORT.web.2").read_text() == "5000"
    assert not (server.root / app / "PORT.worker.1").exists()
    server.dokku("ps:scale", app, "web=1", "worker=0")
    assert not (server.root / app / "CONTAINER.web.2").exists()
    assert json.loads(server.dokku("ps:scale", app, "--format", "json").stdout) == [
        {"process_type": "web", "quantity": 1}, {"process_type": "worker", "quantity": 0}]  # fmt: skip


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["web"], "Missing count for process type web"),
        (["web=x"], "Invalid count for process type web"),
        (["web=-1"], "Invalid count for process type web"),
        (["we/b=1"], "is not a valid process name"),
        (["--nope", "web=1"], "unknown flag: --nope"),
    ],
)
def test_bad_scale_changes_nothing(server, app, words, why):
    server.dokku("apps:create", app)
    done = server.dokku("ps:scale", app, *words, check=False)
    assert done.returncode in (1, 2) and why in done.stderr
    assert server.dokku("--quiet", "ps:scale", app).stdout == "web:  1\n"


def test_type_that_the_procfile_lacks_cannot_be_scaled_up(server, app, deployed):
    done = server.dokku("ps:scale", app, "clock=1", check=False)
    assert done.returncode == 1 and "clock is not a valid process name to scale up" in done.stderr


def test_stop_start_restart(server, app, deployed):
    first = containers(server, app)["web.1"]
    server.dokku("ps:restart", app)
    second = containers(server, app)["web.1"]
    assert first != second
    server.dokku("ps:stop", app)
    assert containers(server, app) == {}
    assert server.curl(f"{app}.test.example").stdout.endswith("502"), "docker may give its address to another app"
    assert server.dokku("ps:report", app, "--running").stdout == "false\n"
    assert "stopped on purpose" in server.dokku("ps:restore", app).stderr
    assert containers(server, app) == {}
    server.dokku("ps:start", app)
    assert sorted(containers(server, app)) == ["web.1"]
    assert server.dokku("ps:report", app, "--running").stdout == "true\n"
    assert "already running" in server.dokku("ps:start", app).stderr


def test_all_apps_at_once(server, app, deployed):
    done = server.dokku("ps:start", "--all", "--parallel", "2")
    assert f"-----> Running command against {app}\n" in done.stdout
    assert f"App {app} already running" in done.stderr
    serial = server.dokku("ps:start", "--all")
    assert "Running ps:start in serial mode" in serial.stderr
    assert f"-----> Running ps:start against app {app}\n" in serial.stdout


def test_restore_makes_what_is_gone_and_points_the_proxy_at_it(server, app, deployed):
    server.docker("rm", "-f", f"{app}.web.1")
    server.dokku("ps:restore", app)
    assert server.curl(f"{app}.test.example").stdout == "hello\n200"
    address = server.docker("inspect", "-f", "{{.NetworkSettings.IPAddress}}", f"{app}.web.1").stdout.strip()
    assert f"server {address}:5000" in (server.root / app / "nginx.conf").read_text()


def test_rebuild_builds_the_stored_source_again(server, app, deployed):
    before = containers(server, app)["web.1"]
    server.dokku("ps:rebuild", app)
    assert containers(server, app)["web.1"] != before


def test_rebuild_without_source_is_an_error(server, app):
    server.dokku("apps:create", app)
    done = server.dokku("ps:rebuild", app, check=False)
    assert done.returncode == 1 and done.stderr.startswith(" !     ")


def test_undeployed_app_is_a_notice(server, app):
    server.dokku("apps:create", app)
    for verb in ("restart", "stop", "start"):
        done = server.dokku(f"ps:{verb}", app)
        assert f"App {app} has not been deployed" in done.stderr


@pytest.mark.parametrize(
    ("key", "good", "bad"),
    [
        ("restart-policy", "on-failure:3", "sometimes"),
        ("restart-policy", "unless-stopped", "on-failure:x"),
        ("stop-timeout-seconds", "5", "soon"),
        ("skip-deploy", "true", "maybe"),
        ("procfile-path", "deploy/Procfile", None),
        ("start-cmd", "run 'a b'", "run 'a"),
    ],
)
def test_set(server, app, key, good, bad):
    server.dokku("apps:create", app)
    assert server.dokku("ps:set", app, key, good).stdout == f"=====> Setting {key} to {good}\n"
    assert server.dokku("ps:report", app, f"--ps-{key}").stdout == f"{good}\n"
    if bad:
        done = server.dokku("ps:set", app, key, bad, check=False)
        assert done.returncode == 1
        assert server.dokku("ps:report", app, f"--ps-{key}").stdout == f"{good}\n"
    assert server.dokku("ps:set", app, key).stdout == f"=====> Unsetting {key}\n"


def test_how_many_start_at_once(server, app, tmp_path):
    """max_parallel limits one type's containers, parallel-schedule-count the types."""
    files = web_app()
    files["Procfile"] = "web: sh /app/web.sh\nclock: sleep 1000\nworker: sleep 1000\n"
    up = [{"type": "startup", "name": "up", "uptime": 2}]
    files["app.json"] = json.dumps({
        "healthchecks": {"web": up, "clock": up, "worker": up},
        "formation": {"web": {"quantity": 1}, "clock": {"quantity": 1}, "worker": {"quantity": 2, "max_parallel": 1}},
    })  # fmt: skip
    repo = make_repo(tmp_path / "repo", files)
    server.push(repo, app)
    one, two = started(server, app, "worker.1", "worker.2")
    assert two - one >= 2
    server.dokku("scheduler-docker-local:set", app, "parallel-schedule-count", "1")
    server.dokku("ps:restart", app)
    web, clock, one, two = started(server, app, "web.1", "clock.1", "worker.1", "worker.2")
    assert clock - web >= 2 and one - clock >= 2 and two - one >= 2


def started(server, app, *dynos):
    """When each of the app's containers was started, in seconds of one day."""
    names = (f"{app}.{dyno}" for dyno in dynos)
    stamps = server.docker("inspect", "-f", "{{.State.StartedAt}}", *names).stdout.split()
    return [sum(float(n) * s for n, s in zip(stamp[11:-1].split(":"), (3600, 60, 1), strict=True)) for stamp in stamps]


def test_who_does_not_stop_is_killed_in_time_and_one_off_containers_go_too(server, app, tmp_path):
    files = web_app()
    files["web.sh"] = "trap '' TERM\n" + files["web.sh"].replace("exec httpd -f", "httpd") + "while :; do sleep 1; done\n"
    server.push(make_repo(tmp_path / "repo", files), app)
    server.dokku("ps:set", app, "stop-timeout-seconds", "1")
    server.dokku("run:detached", app, "sleep", "1000")
    begun = time.monotonic()
    server.dokku("ps:stop", app)
    assert 1 <= time.monotonic() - begun < 15
    assert server.docker("ps", "-q", "--filter", f"label=com.dokku.app-name={app}").stdout == ""


def test_a_pool_is_bounded_and_counts_failures(tmp_path):
    def act(app):
        running = tmp_path / app
        running.touch()
        (tmp_path / f"seen-{app}").write_text(str(len(list(tmp_path.glob("app*")))))
        time.sleep(0.2)
        running.unlink()
        if app in ("app1", "app3"):
            raise Failure("no")

    with pytest.raises(Failure, match="ps:test command returned 2 errors"):
        each_app([f"app{number}" for number in range(5)], "ps:test", 2, act)
    assert max(int(path.read_text()) for path in tmp_path.glob("seen-*")) == 2
    assert len(list(tmp_path.glob("seen-*"))) == 5


def test_restart_policy_reaches_docker(server, app, deployed):
    server.dokku("ps:set", app, "restart-policy", "on-failure:3")
    server.dokku("ps:restart", app)
    policy = server.docker("inspect", "-f", "{{.HostConfig.RestartPolicy}}", f"{app}.web.1").stdout
    assert policy.strip() == "{on-failure 3}"


def test_procfile_of_a_failed_push_does_not_stay(server, app, deployed):
    commit(deployed, {"Procfile": "web: sh /app/web.sh\nworker sh /app/worker.sh\n"})
    done = server.push(deployed, app, check=False)
    assert done.returncode and "Invalid Procfile: line 2" in done.stderr
    assert "worker:" in (server.lib / f"data/ps/{app}/Procfile").read_text()
    assert server.curl(f"{app}.test.example").stdout == "hello\n200"


def test_scaling_down_and_up_again_takes_no_container_that_is_leaving(server, app, deployed):
    server.dokku("checks:set", app, "wait-to-retire", "3")
    server.dokku("ps:scale", app, "web=2")
    first = containers(server, app)["web.2"]
    server.dokku("ps:scale", app, "web=1")
    server.dokku("ps:scale", app, "web=2")
    second = containers(server, app)["web.2"]
    assert first != second
    time.sleep(6)
    assert containers(server, app)["web.2"] == second
    assert server.docker("ps", "-aq", "--no-trunc", "--filter", f"id={first}").stdout == ""
