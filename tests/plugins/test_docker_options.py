"""docker-options: what people want docker to be told, stored as written and never evaluated (commands-a.md 12)."""

import json

import pytest

from dokku_min.errors import Failure
from tests.apps import make_app, web_app
from tests.plugins.helpers import inspected, refused
from tests.plugins.modules import plugin_module
from tests.server import run

options = plugin_module("docker-options", "options")


@pytest.mark.parametrize(
    "tokens, groups",
    [
        (["-v", "/a:/b"], [["-v", "/a:/b"]]),
        (["--build-arg", "X=Y", "--link", "a"], [["--build-arg", "X=Y"], ["--link", "a"]]),
        (["--label=a b"], [["--label=a b"]]),
        (["-v", "-"], [["-v", "-"]]),
    ],
)
def test_words_are_grouped_at_dashes(tokens, groups):
    assert options.grouped(tokens, "add to") == groups


@pytest.mark.parametrize("tokens", [[], ["word"], ["-v", "a\nb"]])
def test_words_that_are_no_option(tokens):
    with pytest.raises(Failure):
        options.grouped(tokens, "add to")


def listed(server, app, phase, *flags):
    return server.dokku("docker-options:list", app, *flags, "--phase", phase).stdout.splitlines()


def test_add_and_remove(server, fresh):
    app = fresh
    done = server.dokku("docker-options:add", app, "deploy,run", "-v", "/z:/z")
    assert (done.stdout, done.stderr) == ("", "")
    server.dokku("docker-options:add", app, "deploy", "--label", "'a b'", "--cap-add=X")
    server.dokku("docker-options:add", app, "deploy", "-v", "/z:/z")  # repeating it stores it twice
    assert listed(server, app, "deploy") == ["--cap-add=X", "--label 'a b'", "-v /z:/z", "-v /z:/z"]
    assert listed(server, app, "run") == ["-v /z:/z"] and listed(server, app, "build") == []
    server.dokku("docker-options:remove", app, "deploy", '-v  "/z:/z"')  # word by word, whatever the quotes
    server.dokku("docker-options:remove", app, "deploy", "--never-there")
    server.dokku("docker-options:add", app, "deploy", "--hostname 'c d'")
    server.dokku("docker-options:remove", app, "deploy", '--hostname "c d"')
    assert listed(server, app, "deploy") == ["--cap-add=X", "--label 'a b'"]


def test_nothing_is_ever_evaluated(server, fresh, tmp_path):
    mark = tmp_path / "mark"
    server.dokku(
        "docker-options:add", fresh, "run", f"--label x=$(touch {mark}) --label y=`touch {mark}` --label z=$HOME*"
    )
    found = listed(server, fresh, "run")
    assert f"--label 'z=$HOME*'" in found and any("$(touch" in line for line in found)  # noqa: F541
    server.dokku("plugin:trigger", "docker-args-run", fresh, "latest")
    assert not mark.exists()


def test_options_of_a_process_type(server, fresh):
    app = fresh
    done = server.dokku("docker-options:add", "--process", "web", "--process", "worker", app, "deploy", "--shm-size=1m")
    assert "process type worker is not in the Procfile" in done.stderr
    server.dokku("docker-options:add", app, "deploy", "--process", "web", "--ulimit", "nofile=9")
    assert listed(server, app, "deploy") == []
    assert listed(server, app, "deploy", "--process", "web") == ["--shm-size=1m", "--ulimit nofile=9"]
    answer = server.dokku("plugin:trigger", "docker-args-process-deploy", app, "dockerfile", "latest", "worker").stdout
    assert "--shm-size=1m" in answer and "--ulimit" not in answer
    server.dokku("docker-options:remove", "--process", "web", app, "deploy", "--ulimit", "nofile=9")
    assert listed(server, app, "deploy", "--process", "web") == ["--shm-size=1m"]
    assert server.dokku("docker-options:remove", "--process", "nope", app, "deploy", "--x").stderr == "", "nothing waits"
    done = server.dokku("docker-options:clear", "--process", "web", app)
    assert done.stdout == f"-----> Clearing docker-options for {app} (web) on phase deploy\n"
    assert listed(server, app, "deploy", "--process", "web") == []
    assert listed(server, app, "deploy", "--process", "worker") == ["--shm-size=1m"]


def test_report_and_clear(server, fresh):
    app = fresh
    server.dokku("docker-options:add", app, "build,deploy,run", "--a=1", "--b")
    server.dokku("docker-options:add", "--process", "web", app, "deploy", "--c")
    assert server.dokku("docker-options:report", app, "--docker-options-build").stdout == "--a=1 --b\n"
    assert server.dokku("docker-options:report", app, "--docker-options-deploy.web").stdout == "--c\n"
    found = json.loads(server.dokku("docker-options:report", app, "--format", "json").stdout)
    assert found["run"] == found["docker-options-run"] == "--a=1 --b"
    assert found["run-list"] == ["--a=1", "--b"] and found["deploy.web-list"] == ["--c"]
    assert "docker-options-run-list" not in found
    assert server.dokku("docker-options:clear", app, "build,run").stdout.count("-----> Clearing") == 2
    found = json.loads(server.dokku("docker-options:report", app, "--format", "json").stdout)
    assert found["build"] == "" and found["build-list"] == [] and found["deploy"] == "--a=1 --b"
    all_gone = server.dokku("docker-options:clear", app).stdout
    assert all_gone == f"-----> Clearing docker-options for {app} on all phases\n"
    text = server.dokku("docker-options:report", app).stdout
    assert (
        f"=====> {app} docker-options information\n" in text and "       Docker options deploy web:     --c\n" in text
    )


@pytest.mark.parametrize(
    "words, status, text",
    [
        (("add",), 1, "Please specify an app"),
        (("add", "nosuch", "deploy", "-x"), 20, "App nosuch does not exist"),
        (("add", "APP"), 1, "Phase(s) must be one of [build deploy run]"),
        (("add", "APP", "deploy,bogus", "-x"), 1, "Phase(s) must be one of [build deploy run]"),
        (("add", "APP", "deploy"), 1, "Please specify docker options to add to the phase"),
        (("add", "APP", "deploy", "image"), 1, "a docker option starts with a dash"),
        (("add", "APP", "deploy", "--label 'open"), 1, "unbalanced '"),
        (("add", "--bogus", "APP", "deploy", "-x"), 2, "unknown flag: --bogus"),
        (("add", "APP", "deploy", "-x", "--process"), 2, "flag needs an argument: --process"),
        (("add", "--process", "web", "APP", "run", "-x"), 1, "only supported for the deploy phase"),
        (("add", "--process", "_default_", "APP", "deploy", "-x"), 1, "Invalid process type"),
        (("add", "--process", "../x", "APP", "deploy", "-x"), 1, "Invalid process type"),
        (("remove", "APP", "deploy"), 1, "Please specify docker options to remove from the phase"),
        (("remove", "nosuch", "deploy", "-x"), 20, "App nosuch does not exist"),
        (("clear", "APP", "bogus"), 1, "Phase(s) must be one of [build deploy run]"),
        (("clear", "nosuch"), 20, "App nosuch does not exist"),
        (("list", "APP"), 1, "--phase is required"),
        (("list", "APP", "--phase", "bogus"), 1, "must be one of [build deploy run]"),
        (("list", "nosuch", "--phase", "run"), 20, "App nosuch does not exist"),
        (("report", "nosuch"), 20, "App nosuch does not exist"),
        (("report", "APP", "--bogus"), 1, "Invalid flag passed, valid flags: --docker-options-build"),
        (("report", "APP", "--docker-options-run", "--docker-options-build"), 1, "only a single flag"),
    ],
)
def test_what_is_refused(server, running, words, status, text):
    verb, *rest = [running if word == "APP" else word for word in words]
    refused(server.dokku(f"docker-options:{verb}", *rest, check=False), text, status=status)


def test_builders_are_spared_what_they_cannot_take(server, fresh):
    server.dokku(
        "docker-options:add", fresh, "build", "-v /a:/b --link x --file F --build-args y --restart=no --no-cache"
    )

    def emitted(builder):
        return server.dokku("plugin:trigger", "docker-args-build", fresh, builder).stdout.split()

    assert emitted("dockerfile") == ["--build-args", "y", "--file", "F", "--no-cache"]
    assert emitted("herokuish") == ["--link", "x", "--no-cache", "-v", "/a:/b"]


def test_containers_get_them_and_clones_and_renames_keep_them(server, app, tmp_path):
    server.dokku("apps:create", app)
    server.dokku("docker-options:add", app, "deploy", "--label 'com.example.text=two words'")
    server.dokku("docker-options:add", "--process", "web", app, "deploy", "--shm-size=32m")
    server.dokku("docker-options:add", app, "run", "--hostname=oneoff")
    make_app(server, app, web_app(), tmp_path)
    found = inspected(server, f"{app}.web.1")
    assert found["Config"]["Labels"]["com.example.text"] == "two words"
    assert found["HostConfig"]["ShmSize"] == 32 * 2**20
    assert server.dokku("run", app, "hostname").stdout == "oneoff\n"
    clone = f"{app}-c"
    try:
        server.dokku("apps:clone", "--skip-deploy", app, clone)
        assert listed(server, clone, "run") == ["--hostname=oneoff"]
        assert listed(server, clone, "deploy", "--process", "web") == ["--shm-size=32m"]
    finally:
        server.dokku("apps:destroy", clone, "--force", check=False)
    assert not (server.lib / "config/docker-options" / clone).exists()


def test_options_of_an_older_dokku_are_taken_over(server, fresh):
    old = server.root / fresh / "DOCKER_OPTIONS_DEPLOY"
    old.write_text("# a comment\n-v /old:/old\n--label x='a b'\n")
    run(server.bin / "dokku", "plugin:trigger", "install", env=server.env, check=False)
    run(server.bin / "dokku", "plugin:install", "--core", env=server.env)
    assert listed(server, fresh, "deploy") == ["--label 'x=a b'", "-v /old:/old"]
    assert not old.exists()
