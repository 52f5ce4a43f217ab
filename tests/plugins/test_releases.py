"""releases: records, the current one, going back (architecture.md 4)."""

import json

from tests.apps import commit, make_repo, web_app


def test_every_deploy_is_a_release_and_one_can_go_back(server, app, tmp_path):
    repo = make_repo(tmp_path / "repo", web_app("one"))
    server.push(repo, app)
    server.dokku("checks:set", app, "wait-to-retire", "1")
    server.dokku("config:set", "--no-restart", app, "COLOUR=red")
    revision = commit(repo, {**web_app("two", path="/two.html"), "www/two.html": "only version two passes this check"})
    server.push(repo, app)
    server.dokku("config:set", app, "COLOUR=blue", "EXTRA=1")

    listed = json.loads(server.dokku("releases:list", app, "--format", "json").stdout)

    assert [each["number"] for each in listed] == [3, 2, 1]
    assert listed[1]["revision"] == revision and listed[0]["image"] == listed[1]["image"]
    assert "COLOUR" not in server.dokku("releases:info", app, "v1").stdout
    assert "blue" not in server.dokku("releases:info", app).stdout, "a config value was shown without being asked for"
    assert "blue" in server.dokku("releases:info", "--show-config", app).stdout
    server.dokku("releases:rollback", app, "v1")
    assert server.curl(f"{app}.test.example").stdout == "one\n200"
    assert '"/two.html"' not in (server.lib / "data/app-json" / app / "app.json").read_text()
    assert server.dokku("config:get", app, "COLOUR", check=False).returncode == 1
    server.dokku("releases:rollback", app, "2")
    assert server.curl(f"{app}.test.example").stdout == "two\n200"
    assert server.dokku("config:get", app, "COLOUR").stdout == "red\n"
    assert server.dokku("config:get", app, "EXTRA", check=False).returncode == 1
    assert json.loads(server.dokku("releases:list", app, "--format", "json").stdout)[0]["number"] == 5
    assert "v5 (current)" in server.dokku("releases", app).stdout


def test_rollback_refuses_what_is_not_there(server, app, tmp_path):
    server.push(make_repo(tmp_path / "repo", web_app()), app)
    for word, why in (("v7", "is not older than v1"), ("x", "is not a release number"), ("", "is not older than v1")):
        done = server.dokku("releases:rollback", app, *([word] if word else []), check=False)
        if not word:
            assert done.returncode == 1 and "has no release 0" in done.stderr
        else:
            assert done.returncode == 1 and why in done.stderr
    assert server.dokku("releases", "no-such-app", check=False).returncode == 20


def test_skip_deploy_builds_without_running(server, app, tmp_path):
    server.dokku("apps:create", app)
    server.dokku("ps:set", app, "skip-deploy", "true")
    done = server.push(make_repo(tmp_path / "repo", web_app()), app)
    assert "Skipping deployment" in done.stderr
    assert server.docker("ps", "-q", "--filter", f"label=com.dokku.app-name={app}").stdout == ""


def test_rollback_that_fails_changes_nothing(server, app, tmp_path):
    """The older version does not come up any more: what it needs was in a directory that is gone."""
    files = web_app("one")
    files["app.json"] = files["app.json"].replace('"path": "/"', '"command": ["test", "-e", "/data/seed"]')
    folder = server.lib / f"data/storage/{app}"
    folder.mkdir(parents=True)
    (folder / "seed").write_text("x")
    server.dokku("apps:create", app)
    server.dokku("storage:mount", app, f"{folder}:/data")
    repo = make_repo(tmp_path / "repo", files)
    server.push(repo, app)
    server.dokku("checks:set", app, "wait-to-retire", "1")
    commit(repo, web_app("two"))
    server.push(repo, app)
    server.dokku("config:set", "--no-restart", app, "PENDING=yes")
    (folder / "seed").unlink()
    before = server.dokku("config:show", app).stdout

    done = server.dokku("releases:rollback", app, "v1", check=False)

    assert done.returncode != 0 and "failed the checks" in done.stderr, done.stderr
    assert server.dokku("config:show", app).stdout == before
    assert server.curl(f"{app}.test.example").stdout == "two\n200"
    assert "v2 (current)" in server.dokku("releases", app).stdout
    server.dokku("ps:restart", app)
    assert server.curl(f"{app}.test.example").stdout == "two\n200"
