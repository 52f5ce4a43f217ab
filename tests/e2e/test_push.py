"""A push from a developer's machine to an answer through nginx, and everything that may go wrong on the way."""

import subprocess

import pytest

from tests.apps import commit, failing_build, failing_check, make_repo, two_process_app, web_app
from tests.e2e.observe import answer, containers, files_of, ids, only, serves, settles, unfinished, url
from tests.server import run


@pytest.fixture
def repo(server, busybox_image, tmp_path):
    return make_repo(tmp_path / "repo", web_app("one"))


@pytest.fixture
def deployed(server, repo, app):
    server.push(repo, app)
    return repo


def said(done):
    """What git showed of the server's words, line by line."""
    return [line.removeprefix("remote: ").rstrip() for line in done.stderr.splitlines() if line.startswith("remote: ")]


def test_the_first_push_creates_the_app_and_it_answers(server, repo, app):
    assert app not in server.dokku("apps:list").stdout.split()
    lines = said(server.push(repo, app))
    assert app in server.dokku("apps:list").stdout.split()
    serves(server, app, "one")
    assert f"       http://{url(server, app)}" in lines[lines.index("=====> Application deployed:") + 1]
    assert [line for line in lines if line.startswith("-----> Building")]
    only(app, "web.1")
    assert unfinished(server) == []


def test_the_second_push_replaces_the_first(server, deployed, app):
    first = ids(app)
    commit(deployed, {"www/index.html": "two"})
    server.push(deployed, app)
    serves(server, app, "two")
    only(app, "web.1")
    assert ids(app) != first
    revision = run("git", "-C", deployed, "rev-parse", "HEAD").stdout
    assert server.dokku("config:get", app, "GIT_REV").stdout == revision


def test_a_failing_build_rejects_the_push_and_says_why(server, deployed, app):
    before = state(server, app)
    commit(deployed, failing_build())
    done = server.push(deployed, app, check=False)
    assert done.returncode != 0 and "[remote rejected]" in done.stderr
    last = said(done)[-8:]
    assert any("no compiler in sight" in line for line in said(done))
    assert any("build" in line and line.startswith(" !     ") for line in last), last
    assert_unchanged(server, app, before)


def test_a_failing_check_rejects_the_push_and_says_why(server, deployed, app):
    before = state(server, app)
    commit(deployed, failing_check())
    done = server.push(deployed, app, check=False)
    assert done.returncode != 0 and "[remote rejected]" in done.stderr
    last = [line for line in said(done)[-12:] if line.startswith(" !     ")]
    assert any("failed checks (web.1)" in line or "web.1" in line for line in last), said(done)
    assert_unchanged(server, app, before)
    commit(deployed, web_app("mended"))
    server.push(deployed, app)
    serves(server, app, "mended")


def test_a_process_that_ends_at_once_is_told_with_its_output(server, deployed, app):
    before = state(server, app)
    commit(deployed, {"web.sh": "echo cannot find the database >&2\nexit 4\n"})
    done = server.push(deployed, app, check=False)
    assert done.returncode != 0
    assert "cannot find the database" in done.stderr, done.stderr
    assert_unchanged(server, app, before)


def state(server, app):
    image = run("docker", "image", "inspect", "-f", "{{.Id}}", f"dokku/{app}:latest").stdout
    head = run("git", "-c", "safe.directory=*", "-C", server.root / app, "for-each-ref").stdout
    return ids(app), image, head, server.dokku("config:export", app).stdout


def assert_unchanged(server, app, before):
    serves(server, app, "one")
    assert settles(lambda: state(server, app) == before)
    assert unfinished(server) == []


def test_another_branch_is_accepted_with_a_notice_and_not_deployed(server, deployed, app):
    commit(deployed, {"www/index.html": "two"})
    done = server.push(deployed, app, ref="HEAD:refs/heads/topic")
    assert any("deploy did not complete" in line and "main" in line for line in said(done))
    serves(server, app, "one")


def test_two_process_types_scale(server, app, busybox_image, tmp_path):
    server.push(make_repo(tmp_path / "r", two_process_app()), app)
    only(app, "web.1")
    server.ssh("ps:scale", app, "web=2", "worker=1")
    only(app, "web.1", "web.2", "worker.1")
    assert {answer(server, url(server, app)) for _ in range(6)} == {("200", "hello")}
    assert upstreams(server, app) == 2
    server.ssh("ps:scale", app, "web=1", "worker=0")
    only(app, "web.1")
    assert upstreams(server, app) == 1


def upstreams(server, app):
    text = (server.root / app / "nginx.conf").read_text()
    return sum(1 for line in text.splitlines() if line.strip().startswith("server ") and ":5000" in line)


def test_config_set_makes_a_new_release_and_no_restart_does_not(server, deployed, app):
    def releases():
        return len(list((server.lib / "data/releases" / app).glob("[0-9]*.json")))

    def greeting():
        name = containers(app)[0]
        return run("docker", "exec", name, "sh", "-c", 'echo "$GREETING"').stdout.strip()

    before, container = releases(), ids(app)
    server.ssh("config:set", "--no-restart", app, "GREETING=quiet")
    assert releases() == before and ids(app) == container
    server.ssh("config:set", app, "GREETING='hello you'")
    assert releases() == before + 1
    only(app, "web.1")
    assert greeting() == "hello you"
    serves(server, app, "one")


def test_a_custom_domain(server, deployed, app):
    server.ssh("domains:add", app, f"www.{app}.example")
    assert answer(server, f"www.{app}.example") == ("200", "one")
    serves(server, app, "one")
    server.ssh("domains:remove", app, f"www.{app}.example")
    assert answer(server, f"www.{app}.example") != ("200", "one")


def test_a_storage_mount_survives_deploys(server, deployed, app):
    place = server.lib / "data/storage" / app
    server.dokku("storage:ensure-directory", app)
    server.dokku("storage:mount", app, f"{place}:/data")
    server.ssh("ps:restart", app)
    only(app, "web.1")
    run("docker", "exec", f"{app}.web.1", "sh", "-c", "echo kept > /data/file")
    commit(deployed, {"www/index.html": "two"})
    server.push(deployed, app)
    only(app, "web.1")
    assert run("docker", "exec", f"{app}.web.1", "cat", "/data/file").stdout == "kept\n"
    assert (place / "file").read_text() == "kept\n"


def test_destroy_leaves_nothing_behind(server, deployed, app):
    server.ssh("domains:add", app, f"www.{app}.example")
    server.ssh("config:set", "--no-restart", app, "A=1")
    server.dokku("network:create", f"{app}-net")
    commit(deployed, {"www/index.html": "two"})
    server.push(deployed, app)
    assert files_of(server, app)
    server.dokku("network:destroy", f"{app}-net", "--force")
    server.ssh("apps:destroy", app, "--force")
    assert containers(app) == []
    assert app not in run("docker", "images", "--format", "{{.Repository}}").stdout
    labelled = ["docker", "images", "-aq", "--filter", f"label=com.dokku.app-name={app}"]
    assert run(*labelled).stdout == ""
    assert app not in run("docker", "network", "ls").stdout
    assert [path for path in files_of(server, app) if "/log/" not in path] == []
    for text in ((server.lib / "data/cron/crontab"), (server.lib / "data/scheduler-docker-local/dead-containers")):
        assert not text.exists() or app not in text.read_text()
    assert unfinished(server) == []
    assert answer(server, url(server, app)) != ("200", "two")


def test_an_unknown_key_is_refused(server, repo, app):
    done = server.push(repo, app, key=server.base / "ssh/other", check=False)
    assert done.returncode != 0 and "Permission denied" in done.stderr
    assert app not in server.dokku("apps:list").stdout.split()


def test_two_pushes_at_once_do_not_mix(server, deployed, app, tmp_path):
    other = tmp_path / "other"
    run("git", "clone", "-q", deployed, other)
    commit(deployed, {"www/index.html": "left", "www/same": "left"})
    commit(other, {"www/index.html": "right", "www/same": "right"})
    start = [
        subprocess.Popen(
            ["git", "-C", repo, "push", "--force", server.remote(app), "HEAD:refs/heads/main"],
            env=server.git_env(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )
        for repo in (deployed, other)
    ]  # fmt: skip
    outputs = [process.communicate()[0] for process in start]
    won = [process.returncode == 0 for process in start]
    assert any(won)
    for output, good in zip(outputs, won, strict=True):
        assert good or "deploy lock" in output or "cannot lock ref" in output, output
    status, text = answer(server, url(server, app))
    assert (status, text) in [("200", side) for side, good in zip(("left", "right"), won, strict=True) if good]
    assert answer(server, url(server, app), "/same") == ("200", text)
    assert unfinished(server) == []


def test_fetch_gives_the_code_back(server, deployed, app, tmp_path):
    run("git", "clone", "-q", "-b", "main", server.remote(app), tmp_path / "back", env=server.git_env())
    assert (tmp_path / "back/www/index.html").read_text() == "one"


def test_a_restarted_container_is_found_again(server, deployed, app):
    """The proxy follows the live containers, not what files remember of them."""
    run("docker", "stop", "-t", "0", f"{app}.web.1")
    (server.root / app / "IP.web.1").write_text("192.0.2.1")
    server.dokku("ps:restore", app)
    assert settles(lambda: answer(server, url(server, app)) == ("200", "one"))
    only(app, "web.1")
    assert "192.0.2.1" not in (server.root / app / "nginx.conf").read_text()
