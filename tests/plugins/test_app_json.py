"""app-json: reading, validating and honouring app.json."""

import json
import os
import shutil
import subprocess

import pytest

from dokku_min.errors import Failure
from tests.apps import BUSYBOX, commit, make_repo, web_app
from tests.plugins.modules import plugin_module
from tests.server import run

lenient = plugin_module("app-json", "lenient")
schema = plugin_module("app-json", "schema")
taskargs = plugin_module("app-json", "taskargs")
variables = plugin_module("app-json", "variables")


# reading


@pytest.mark.parametrize(
    "text, value",
    [
        ("", {}),
        ("\n  // only a comment\n", {}),
        ("\ufeff{}", {}),
        ('{"a": 1,}', {"a": 1}),
        ('{"a": [1, 2,], /* c */ "b": "//no"} // end', {"a": [1, 2], "b": "//no"}),
        (
            '{"a": "\\u00e4\\n", "b": -1.5e3, "c": [true, false, null]}',
            {"a": "ä\n", "b": -1500.0, "c": [True, False, None]},
        ),
        ('{"a": {"b": {}}, "c": []}', {"a": {"b": {}}, "c": []}),
    ],
)
def test_lenient_json_is_read(text, value):
    assert lenient.Document(text).value == value
    assert lenient.parse(text) == value


@pytest.mark.parametrize(
    "text, line, part",
    [
        ('{\n"a": 1\n"b": 2}', 3, 'expected "," or "}"'),
        ('{\n\n"a" 1}', 3, 'expected ":" after "a"'),
        ("{\na: 1}", 2, "expected a quoted name"),
        ('{"a": [1,\n2', 1, "this '[' is never closed in a"),
        ('{"cron": [{"command":\n nope}]}', 2, "expected a value in cron[0].command, found nope"),
        ('{"a":\n"x}', 2, "in a"),
        ("{}\n}", 2, "unexpected '}' after the end"),
        ("{} /* \n", 1, "comment has no end"),
        ("[" * 5000, 1, "nested deeper than 100"),
        ('{"a": NaN}', 1, "found NaN"),
        ('{"a": 01x}', 1, "found 01x"),
    ],
)
def test_broken_json_is_told_with_its_line(text, line, part):
    with pytest.raises(Failure) as failure:
        lenient.parse(text)
    assert failure.value.message.startswith(f"app.json line {line}: ")
    assert part in failure.value.message


def test_lines_of_fields():
    document = lenient.Document('{\n"cron": [\n{"command": "a"},\n{\n"command": "b"}]}')
    assert [document.line(path) for path in ("cron", "cron[1]", "cron[1].command", "cron[1].schedule", "nowhere")] == [
        2,
        4,
        5,
        4,
        1,
    ]


def test_a_big_file_is_read_in_linear_time():
    items = ",\n".join('{"command": "x", "schedule": "@daily"}' for _ in range(20000))
    assert len(lenient.Document('{"cron": [' + items + ",]}").value["cron"]) == 20000


# what the fields may be: every one once right, once wrong

RIGHT = {
    "name": "x", "addons": ["anything"], "unknown": {"x": 1},
    "buildpacks": [{"url": "heroku/python"}],
    "cron": [{"command": "a b", "schedule": "@daily", "maintenance": False, "concurrency_policy": "forbid"}],
    "env": {"A": "x", "B": {"description": "d", "value": "v", "required": False, "generator": "secret", "sync": True}},
    "formation": {"web": {"quantity": 1, "max_parallel": 2, "service": {"exposed": True}, "size": "S", "autoscaling": {
        "min_quantity": 1, "max_quantity": 3, "cooldown_period_seconds": 3, "polling_interval_seconds": 3,
        "triggers": [{"name": "n", "type": "t", "metadata": {"u": "1"}}]}}, "worker": None},
    "healthchecks": {"web": [{
        "type": "startup", "name": "n", "path": "/", "port": 80, "scheme": "HTTPS", "timeout": 1, "attempts": 2, "wait": 1,
        "initialDelay": 0, "content": "c", "httpHeaders": [{"name": "X", "value": "y"}], "warn": True,
        "onFailure": {"command": ["x"], "url": "u"}},
        {"type": "startup", "uptime": 1}, {"type": "readiness", "command": ["a"]}, {"type": "liveness", "listening": True},
        {"name": "without a type, so not run"}]},
    "scripts": {"postdeploy": "a", "dokku": {"predeploy": "b", "postdeploy": "c"}},
}  # fmt: skip


def test_every_known_field_is_taken():
    schema.check(RIGHT)


@pytest.mark.parametrize(
    "path, value",
    [
        ("", []), ("", 3),
        ("buildpacks", {}), ("buildpacks[0]", "x"), ("buildpacks[0].url", 1), ("buildpacks[0].url", None),
        ("cron", {}), ("cron[0]", 1), ("cron[0].command", None), ("cron[0].command", " "), ("cron[0].schedule", None),
        ("cron[0].command", "a\0b"), ("cron[0].maintenance", "yes"), ("cron[0].concurrency_policy", "sometimes"),
        ("env", []), ("env.A", 1), ("env.A", "a\0"), ("env.1A", "x"), ("env.B.value", 1), ("env.B.generator", "dice"),
        ("env.B.required", "no"), ("env.B.sync", 1), ("env.B.description", 1),
        ("formation", []), ("formation.web", 2), ("formation.web.quantity", "1"), ("formation.web.quantity", -1),
        ("formation.web.quantity", True), ("formation.web.max_parallel", 0), ("formation.a b", {}),
        ("formation.web.service", 1), ("formation.web.autoscaling", 1),
        ("healthchecks", []), ("healthchecks.web", {}), ("healthchecks.web[0].type", "deadness"),
        ("healthchecks.web[0].port", "80"), ("healthchecks.web[0].path", ""), ("healthchecks.web[0].attempts", 0),
        ("healthchecks.web[0].timeout", "5"), ("healthchecks.web[0].wait", "5"), ("healthchecks.web[1].uptime", "5"),
        ("healthchecks.web[0].initialDelay", -1), ("healthchecks.web[1].uptime", 1e300),
        ("healthchecks.web[0].port", 65536), ("healthchecks.web[0].scheme", "ftp"), ("healthchecks.web[0].name", 1),
        ("healthchecks.web[2].command", "a"), ("healthchecks.web[0].httpHeaders", {}),
        ("healthchecks.web[0].httpHeaders[0].name", None), ("healthchecks.web[3].listening", 1),
        ("healthchecks.web[0].httpHeaders[0].value", 1), ("healthchecks.web[0].onFailure.command", "x"),
        ("healthchecks.web[0].onFailure.url", 1), ("healthchecks.web[0]", {"type": "startup"}),
        ("healthchecks.web[0]", {"type": "startup", "path": "/", "listening": True}),
        ("formation.web.service.exposed", 1), ("formation.web.autoscaling.min_quantity", -1),
        ("formation.web.autoscaling.max_quantity", "3"), ("formation.web.autoscaling.cooldown_period_seconds", "3"),
        ("formation.web.autoscaling.polling_interval_seconds", "3"), ("formation.web.autoscaling.triggers", {}),
        ("formation.web.autoscaling.triggers[0].name", 1), ("formation.web.autoscaling.triggers[0].type", 1),
        ("healthchecks.web[0].warn", 1), ("healthchecks.web[0].onFailure", "x"), ("healthchecks.web[0].content", 1),
        ("scripts", []), ("scripts.postdeploy", 1), ("scripts.dokku", "x"), ("scripts.dokku.predeploy", ["a"]),
        ("scripts.dokku.postdeploy", 1),
    ],
)  # fmt: skip
def test_a_wrong_field_is_named(path, value):
    with pytest.raises(schema.Wrong) as wrong:
        schema.check(replaced(RIGHT, path, value))
    assert wrong.value.path == path


def replaced(value, path, new):
    if not path:
        return new
    value = json.loads(json.dumps(value))
    *way, last = path.replace("[", ".[").split(".")
    at = value
    for step in way:
        at = at[int(step[1:-1]) if step[0] == "[" else step]
    at[int(last[1:-1]) if last[0] == "[" else last] = new
    return value


# env


@pytest.mark.parametrize(
    "declared, current, first, expected",
    [
        ({"A": "x"}, {}, True, {"A": "x"}),
        ({"A": "x"}, {}, False, {}),
        ({"A": "x"}, {"A": "mine"}, True, {}),
        ({"A": "x"}, {"A": ""}, True, {"A": "x"}),
        ({"A": {"value": "x", "sync": True}}, {"A": "mine"}, False, {"A": "x"}),
        ({"A": {"value": "x", "sync": True}}, {"A": "x"}, False, {}),
        ({"A": {"sync": True}}, {"A": "mine"}, True, {}),
        ({"A": {"required": False}}, {}, True, {}),
        ({"A": None}, {"A": "set"}, True, {}),
    ],
)
def test_env_defaults(declared, current, first, expected):
    assert variables.wanted(declared, current, first) == expected


def test_env_secret_is_made_once():
    declared = {"S": {"generator": "secret", "sync": True}}
    found = variables.wanted(declared, {}, True)["S"]
    assert len(found) == 64 and not set(found) - set("0123456789abcdef")
    assert variables.wanted(declared, {"S": found}, False) == {}


def test_env_required_without_a_value():
    with pytest.raises(Failure, match="required env var A has no value, no default, and no TTY for prompt"):
        variables.wanted({"A": {"description": "d"}}, {}, True)


def test_env_is_asked_for_on_a_terminal():
    assert variables.wanted(
        {"A": {"description": "d"}}, {}, True, lambda key, about: f"{key} {about['description']}"
    ) == {"A": "A d"}


# tasks


def test_a_task_has_no_limits_ports_or_restarts():
    given = ["--cpus", "1", "--memory=1g", "-p", "80:80", "-p8:8", "--publish=1:1", "-P", "--restart=always", "-v", "/a:/b",
             "--env=A", "--network=x"]  # fmt: skip
    assert taskargs.without(given) == ["-v", "/a:/b", "--env=A", "--network=x"]


def test_variables_are_told_from_other_arguments():
    given = ["--env=A", "-v", "/a:/b", "-e", "B=1", "--env-file=/f"]
    assert taskargs.environment(given) == (["--env=A", "-e", "B=1", "--env-file=/f"], ["-v", "/a:/b"])


def test_values_travel_in_the_environment_unless_the_docker_client_would_obey_them():
    words, env = taskargs.safe_env(["--env=A", "--env=DOCKER_HOST", "-e", "X=y"], {"A": "secret", "DOCKER_HOST": "h"})
    assert words == ["--env=A", "--env=DOCKER_HOST=h", "-e", "X=y"]
    assert env == {"A": "secret"}


@pytest.mark.parametrize(
    "entrypoint, slug, cnb, starts",
    [
        ([], False, False, taskargs.EITHER_SHELL),
        (["/tini", "--"], False, False, taskargs.EITHER_SHELL),
        (["/tini", "-g", "--"], False, False, ["/tini", "-g", "--", "echo", "a b"]),
        (["/server"], False, False, ["/server", "echo", "a b"]),
        (["/server"], False, True, ["/cnb/lifecycle/launcher", "--", "/bin/sh"]),
        ([], True, False, taskargs.EITHER_SHELL),
    ],
)
def test_how_a_task_is_started(entrypoint, slug, cnb, starts):
    argv = taskargs.argv("echo 'a b'", entrypoint, "", slug, cnb)
    assert argv[: len(starts)] == list(starts)


def test_a_configured_shell_runs_the_task():
    argv = taskargs.argv("echo a", [], "/bin/zsh", False, False)
    assert argv[:2] == ["/bin/zsh", "-c"] and argv[2].endswith("\necho a")


@pytest.mark.parametrize("shell", ["/bin/dash", "/bin/bash"])
@pytest.mark.parametrize(
    "command, status, output",
    [
        ("echo a; false; echo b", 1, "a\n"),
        ("echo a # and a comment", 0, "a\n"),
        ("exit 7", 7, ""),
        ("true && echo ok", 0, "ok\n"),
    ],
)
def test_the_shell_stops_at_the_first_error(shell, command, status, output):
    done = subprocess.run(taskargs.argv(command, [], shell, False, False), capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (status, output)


def test_secrets_in_a_command_are_not_shown():
    assert (
        taskargs.masked("migrate postgres://u:pw@db/x -v", {"DB": "postgres://u:pw@db/x", "V": "-v"})
        == "migrate $DB -v"
    )


# taking the file over


@pytest.fixture
def source(server, tmp_path_factory):
    """A source directory that the dokku user can read, and an app."""
    name = server.app("appjson")
    server.dokku("apps:create", name)
    path = server.base / "appjson-source"
    path.mkdir()
    yield name, path
    shutil.rmtree(path)
    server.dokku("apps:destroy", name, "--force")


def trigger(server, *words, check=True):
    argv = ["setpriv", f"--reuid={server.user}", f"--regid={server.user}", "--init-groups", "--"]
    return run(*argv, server.bin / "plugn", "trigger", *words, env=server.env, check=check)


def stored(server, app):
    directory = server.lib / "data/app-json" / app
    return sorted(path.name.replace(path.suffixes[1] if path.suffixes[1:] else "", "") for path in directory.iterdir())


def extract(server, app, path, check=True):
    return trigger(server, "core-post-extract", app, path, "rev", check=check)


def test_extraction_keeps_the_old_file_until_the_deploy_succeeds(server, source):
    app, path = source
    (path / "app.json").write_bytes(b'{"formation": {"web": {"max_parallel": 4}}, // windows\r\n}')
    extract(server, app, path)
    assert stored(server, app) == ["app.json"]
    assert trigger(server, "app-json-get-content", app).stdout == "{}\n"  # another process: not its deploy
    fresh = next((server.lib / "data/app-json" / app).iterdir())
    assert fresh.read_bytes() == b'{"formation": {"web": {"max_parallel": 4}}, // windows\n}\n'
    fresh.rename(fresh.with_name("app.json"))
    assert json.loads(trigger(server, "app-json-get-content", app).stdout) == {
        "formation": {"web": {"max_parallel": 4}}
    }
    assert trigger(server, "app-json-process-deploy-parallelism", app, "web").stdout == "4\n"
    assert trigger(server, "app-json-process-deploy-parallelism", app, "worker").stdout == ""


def test_leftovers_of_killed_deploys_go_with_the_next(server, source):
    app, path = source
    directory = server.lib / "data/app-json" / app
    for name in ("app.json", "app.json.1", "app.json.2.missing"):
        (directory / name).write_text("{}")
    extract(server, app, path)
    left = sorted(entry.name for entry in directory.iterdir())
    assert left[0] == "app.json" and len(left) == 2 and left[1].endswith(".missing") and left[1] != "app.json.2.missing"


def test_a_malformed_file_names_line_and_field(server, source):
    app, path = source
    (path / "app.json").write_text('{\n"cron": [\n{"command": "x", "schedule": 5}]}')
    done = extract(server, app, path, check=False)
    assert done.returncode == 1
    assert done.stderr == " !     app.json line 3: cron[0].schedule must be a string, not 5\n"


def test_a_file_that_is_no_text(server, source):
    app, path = source
    (path / "app.json").write_bytes(b'{\n"a": "\xff"}')
    done = extract(server, app, path, check=False)
    assert done.returncode == 1 and "app.json line 2: this is not UTF-8 text" in done.stderr


def test_a_link_out_of_the_source_is_not_followed(server, source):
    app, path = source
    os.symlink("/etc/passwd", path / "app.json")
    done = extract(server, app, path, check=False)
    assert done.returncode == 1 and "lies outside" in done.stderr
    assert stored(server, app) == []


def test_another_path(server, source):
    app, path = source
    (path / "deploy").mkdir()
    (path / "deploy/my.json").write_text('{"env": {"A": "x"}}')
    (path / "app.json").write_text("{ broken")
    assert (
        server.dokku("app-json:set", app, "appjson-path", "/deploy/my.json").stdout
        == "=====> Setting appjson-path to deploy/my.json\n"
    )
    extract(server, app, path)
    assert '"env"' in next((server.lib / "data/app-json" / app).iterdir()).read_text()
    assert server.dokku("app-json:report", app, "--app-json-computed-appjson-path").stdout == "deploy/my.json\n"


def test_a_configured_path_that_is_missing_also_hides_the_default(server, source):
    app, path = source
    (path / "app.json").write_text("{ broken")
    run("chown", "-R", server.user, path)
    server.dokku("app-json:set", app, "appjson-path", "other.json")
    extract(server, app, path)
    assert not (path / "app.json").exists()
    server.dokku("app-json:set", app, "appjson-path")
    assert server.dokku("app-json:report", app, "--app-json-computed-appjson-path").stdout == "app.json\n"


@pytest.mark.parametrize("path", ["../app.json", "/", "a/../../b"])
def test_a_path_outside_of_the_source_is_refused(server, source, path):
    done = server.dokku("app-json:set", source[0], "appjson-path", path, check=False)
    assert done.returncode == 1 and "Invalid appjson-path" in done.stderr


def test_the_line_of_a_field_for_other_plugins(server, source):
    app, path = source
    (path / "x.json").write_text('{\n"cron": [\n{"command": "x"}]}')
    assert trigger(server, "app-json-line", app, path / "x.json", "cron[0].command").stdout == "3\n"
    assert json.loads(trigger(server, "app-json-get-content", app, path / "x.json").stdout) == {
        "cron": [{"command": "x"}]
    }


# whole deploys


def task_app(text="hello", **app_json):
    """A web app on the busybox image with these fields in its app.json."""
    files = web_app(text)
    files["app.json"] = json.dumps({**json.loads(files["app.json"]), **app_json})
    return files


@pytest.fixture(scope="module")
def deployed(server, busybox_image, tmp_path_factory):
    """An app with every task and env kind, pushed: (name, repository, what the push said)."""
    name = server.app("every-task")
    files = task_app(
        env={
            "KEPT": "default",
            "SET": {"value": "from app.json"},
            "KEY": {"generator": "secret"},
            "OPT": {"required": False},
        },
        formation={"web": {"quantity": 1}, "worker": {"quantity": 2}, "clock": {"quantity": 0}},
        scripts={
            "dokku": {
                "predeploy": 'echo "pre $SET" | tee /app/made',
                "postdeploy": 'echo "dokku-post on $(cat /app/made)"',
            },
            "postdeploy": "echo once; touch /app/not-kept",
        },
    )
    files["Procfile"] = (
        "web: sh /app/web.sh\nworker: sleep 1000\nclock: sleep 1000\nrelease: cat /app/made; echo pw=$KEPT\n"
    )
    server.dokku("apps:create", name)
    server.dokku("config:set", "--no-restart", name, "KEPT=operators-own")
    repo = make_repo(tmp_path_factory.mktemp("every") / "repo", files)
    yield name, repo, server.push(repo, name).stderr.replace("remote: ", "").replace("        \n", "\n")
    server.dokku("apps:destroy", name, "--force")


def image_config(name):
    return json.loads(run("docker", "image", "inspect", "--format={{json .Config}}", f"dokku/{name}").stdout)


def test_tasks_run_in_order(server, deployed):
    name, _, said = deployed
    steps = [
        "Processing app.json env vars", "Executing predeploy task from app.json: ", "       pre from app.json\n",
        "Executing release task from Procfile in ephemeral container: cat /app/made; echo pw=$KEPT\n",
        "       pw=operators-own\n",
        "web=1 worker=2", "Executing postdeploy task from app.json in ephemeral container: echo once", "       once\n",
        "Deploying web (count=1)", "Executing postdeploy task from app.json in ephemeral container: echo \"dokku-post",
        "       dokku-post on pre from app.json\n", "Application deployed:",
    ]  # fmt: skip
    assert [said.find(step) for step in steps] == sorted(said.find(step) for step in steps)
    assert said.find(steps[0]) > 0
    assert f"=====> Start of {name} predeploy task (" in said and f"=====> End of {name} predeploy task (" in said


def test_variables_of_a_deploy(server, deployed):
    name, _, said = deployed
    env = json.loads(server.dokku("config:export", "--format", "json", name).stdout)
    assert (env["KEPT"], env["SET"], len(env["KEY"])) == ("operators-own", "from app.json", 64)
    assert "OPT" not in env and env["KEY"] not in said
    assert (
        json.loads(server.dokku("app-json:report", name, "--format", "json").stdout)["computed-appjson-path"]
        == "app.json"
    )


def test_the_formation_is_the_scale_and_cannot_be_changed_by_hand(server, deployed):
    name = deployed[0]
    scale = server.dokku("--quiet", "ps:scale", name).stdout.split()
    assert scale == ["clock:", "0", "release:", "0", "web:", "1", "worker:", "2"]
    assert server.dokku("ps:scale", name, "web=2", check=False).returncode == 1


def test_the_image_after_a_predeploy_task(server, deployed):
    """What the task changed is in it; the app's variables, the waiting program and the ephemeral tasks are not."""
    config = image_config(deployed[0])
    key = server.dokku("config:get", deployed[0], "KEY").stdout.strip()
    assert config["Cmd"] == ["sh", "/app/web.sh"] and not config.get("Entrypoint")
    assert not [entry for entry in config["Env"] if key in entry or entry.startswith(("KEPT=", "SET="))]
    assert config["Labels"]["com.dokku.predeploy-phase"] == "true"
    listing = run("docker", "run", "--rm", f"dokku/{deployed[0]}", "ls", "/app").stdout.split()
    assert "made" in listing and "not-kept" not in listing


def test_tasks_leave_no_containers(server, deployed):
    label = f"--filter=label=com.dokku.app-name={deployed[0]}"
    assert run("docker", "ps", "-aq", label, "--filter=label=dokku_phase_script").stdout == ""
    assert run("docker", "ps", "-aq", "--filter", f"name=^{deployed[0]}.predeploy").stdout == ""


def test_a_redeploy_runs_tasks_again_but_not_the_first_postdeploy(server, deployed):
    name = deployed[0]
    before = run("docker", "history", "-q", f"dokku/{name}").stdout.count("\n")
    killed = run("docker", "container", "create", f"--name={name}.predeploy.1", BUSYBOX).stdout.strip()
    done = server.dokku("config:set", name, "SET=newer value")
    assert run("docker", "container", "inspect", killed, check=False).returncode
    assert "pre newer value" in done.stdout and "echo once" not in done.stdout
    assert server.dokku("config:get", name, "SET").stdout == "newer value\n"  # not set back: it does not say sync
    assert run("docker", "history", "-q", f"dokku/{name}").stdout.count("\n") == before


@pytest.mark.parametrize(
    "phase, change",
    [
        ("predeploy", {"scripts": {"dokku": {"predeploy": "echo will fail; exit 3"}}}),
        ("release", {}),
        ("env", {"env": {"NEVER_GIVEN": {"description": "x", "sync": True}}}),
        ("formation", {"formation": {"web": {"quantity": 1}, "nobody": {"quantity": 1}}}),
    ],
)
def test_a_failing_step_stops_the_deploy_before_anything_is_switched(server, deployed, phase, change):
    name, repo, _ = deployed
    files = task_app("new text", **change)
    if phase == "release":
        files["Procfile"] = "web: sh /app/web.sh\nrelease: echo will fail; exit 3\n"
    live = run("docker", "container", "inspect", "-f", "{{.Id}}", f"{name}.web.1").stdout
    old = run("git", "-C", repo, "rev-parse", "HEAD").stdout.strip()
    commit(repo, files)
    done = server.push(repo, name, check=False)
    run("git", "-C", repo, "reset", "--hard", "-q", old)
    wanted = {"env": "required env var NEVER_GIVEN has no value",
              "formation": "app.json line 1: formation.nobody is no process type"}  # fmt: skip
    assert (
        done.returncode
        and wanted.get(phase, f"Execution of {phase} task failed: echo will fail; exit 3") in done.stderr
    )
    assert "Deploying web" not in done.stderr
    assert (phase == "formation") == ("Building" not in done.stderr)
    assert run("docker", "container", "inspect", "-f", "{{.Id}}", f"{name}.web.1").stdout == live
    assert server.curl(f"{name}.test.example").stdout == "hello\n200"
    assert '"worker"' in trigger(server, "app-json-get-content", name).stdout  # the old app.json is in force
    assert image_config(name)["Labels"]["com.dokku.predeploy-phase"] == "true"


def test_a_failing_first_postdeploy_is_tried_again(server, app, tmp_path):
    repo = make_repo(tmp_path / "repo", task_app(scripts={"postdeploy": "echo first try; exit 1"}))
    done = server.push(repo, app, check=False)
    assert (
        done.returncode and "Execution of postdeploy task failed" in done.stderr and "Deploying web" not in done.stderr
    )
    commit(repo, task_app(scripts={"postdeploy": "echo second try"}))
    assert "second try" in server.push(repo, app).stderr


def test_tasks_of_an_image_that_is_one_program(server, app, tmp_path):
    """Its entrypoint gets the words of the task; the image keeps entrypoint and command."""
    files = task_app(scripts={"dokku": {"predeploy": "sh -c 'echo words of \"$1\" >/app/made' x 'a  b'"}})
    files["Dockerfile"] += 'ENTRYPOINT ["env", "MARK=1"]\nCMD ["sh", "/app/web.sh"]\n'
    server.push(make_repo(tmp_path / "repo", files), app)
    assert image_config(app)["Entrypoint"] == ["env", "MARK=1"] and image_config(app)["Cmd"] == ["sh", "/app/web.sh"]
    assert run("docker", "run", "--rm", f"dokku/{app}", "cat", "/app/made").stdout == "words of a  b\n"


def test_app_json_of_an_image(server, app, tmp_path):
    """An image deploy has no source: the file comes out of the image's working directory."""
    files = task_app(scripts={"dokku": {"predeploy": "echo from the image"}})
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    image = f"h6-test/{app}:1"
    run("docker", "image", "build", "--quiet", "--tag", image, tmp_path)
    server.dokku("apps:create", app)
    done = server.dokku("git:from-image", app, image, check=False)
    run("docker", "image", "rm", image)
    assert done.returncode == 0, done.stderr
    assert "Executing predeploy task from app.json: echo from the image" in done.stdout
    assert json.loads(trigger(server, "app-json-get-content", app).stdout)["scripts"]
