"""builds: output and outcome of builds, and cancelling one (commands-b.md 3)."""

import json
import subprocess
import time

import pytest

from tests.apps import commit, failing_build, make_repo, web_app
from tests.plugins.modules import plugin_module

records = plugin_module("builds", "records")


def test_ids_sort_by_age():
    first = records.new_id()
    time.sleep(0.002)
    second = records.new_id()
    assert records.is_id(first) and first < second
    assert not records.is_id("../../etc/passw")


def failed_steps(server):
    commands = server.docker("ps", "-a", "--no-trunc", "--format", "{{.Command}}").stdout
    return commands.count("no compiler in sight")


def builds(server, app):
    return json.loads(server.dokku("builds:list", app, "--format", "json").stdout)


def test_output_of_good_and_failed_builds_is_kept(server, app, tmp_path):
    repo = make_repo(tmp_path / "repo", web_app())
    server.push(repo, app)
    commit(repo, failing_build())
    before = failed_steps(server)
    assert server.push(repo, app, check=False).returncode
    assert failed_steps(server) == before, "a failed build leaves a container behind"
    server.dokku("ps:restart", app)

    listed = builds(server, app)

    assert [(b["source"], b["kind"], b["status"]) for b in listed] == [
        ("ps:restart", "deploy", "succeeded"),
        ("git-hook", "build", "failed"),
        ("git-hook", "build", "succeeded"),
    ]
    said = server.dokku("builds:output", app, listed[1]["id"]).stdout
    assert "no compiler in sight" in said
    assert "Application deployed" in server.dokku("builds:output", app, listed[2]["id"]).stdout
    text = server.dokku("builds:info", app, listed[1]["id"]).stdout
    assert "Status:     failed" in text and "Exit Code:" in text
    failed = json.loads(server.dokku("builds:list", app, "--status", "failed", "--format", "json").stdout)
    assert [b["id"] for b in failed] == [listed[1]["id"]]
    assert server.dokku("builds:report", app, "--build-status").stdout == "succeeded\n"
    server.dokku("builds:set", app, "retention", "1")
    server.dokku("builds:prune", app)
    assert [b["id"] for b in builds(server, app)] == [listed[0]["id"]]


def test_cancel_kills_the_whole_build_and_the_old_version_serves(server, app, tmp_path):
    repo = make_repo(tmp_path / "repo", web_app("old"))
    server.push(repo, app)
    slow = web_app("new")
    slow["Dockerfile"] += "RUN sleep 60\n"
    commit(repo, slow)
    push = subprocess.Popen(
        ["git", "-C", repo, "push", server.remote(app), "HEAD:refs/heads/main"],
        env=server.git_env(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    wait_for(lambda: "Running in" in server.dokku("builds:output", app, check=False, timeout=2).stdout)
    running = builds(server, app)[0]
    assert running["display_status"] == "running"

    done = server.dokku("builds:cancel", app)

    assert f"Canceling build {running['id']}" in done.stdout
    assert push.wait(timeout=20) != 0
    assert server.curl(f"{app}.test.example").stdout == "old\n200"
    assert server.dokku("builds:report", app, "--build-status").stdout == "canceled\n"
    assert "App not currently deploying" in server.dokku("builds:cancel", app).stderr
    commit(repo, web_app("newer"))
    server.push(repo, app)
    assert server.curl(f"{app}.test.example").stdout == "newer\n200"


def wait_for(condition, seconds=30):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if condition():
                return
        except subprocess.TimeoutExpired as expired:  # it follows a build that runs
            if "Running in" in (expired.stdout or b"").decode():
                return
        time.sleep(0.2)
    raise AssertionError("it did not happen")


@pytest.mark.parametrize(
    ("words", "status", "why"),
    [
        (["builds:list", "no-such-app"], 20, "does not exist"),
        (["builds:list", "APP", "--kind", "nope"], 1, "Invalid --kind value"),
        (["builds:list", "APP", "--status", "nope"], 1, "Invalid --status value"),
        (["builds:info", "APP", "../../x"], 1, "has no build ../../x"),
        (["builds:info", "APP"], 1, "Missing argument: <build-id>"),
        (["builds:set", "APP", "retention", "0"], 1, "Invalid retention"),
        (["builds:set", "APP", "nope", "1"], 1, "valid properties include: retention"),
        (["builds:list", "--nope"], 2, "unknown flag: --nope"),
        (["builds:prune"], 1, "--all-apps"),
    ],
)
def test_bad_input(server, app, words, status, why):
    server.dokku("apps:create", app)
    done = server.dokku(*(app if word == "APP" else word for word in words), check=False)
    assert done.returncode == status and why in done.stderr


def test_nothing_recorded_is_a_notice(server, app):
    server.dokku("apps:create", app)
    assert "No builds recorded for this app" in server.dokku("builds:list", app).stderr
    assert "App not currently deploying" in server.dokku("builds:output", app).stderr
