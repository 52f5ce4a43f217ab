"""buildpacks: the list of an app, its stack, and the .buildpacks file of a build."""

import json
import os
import shutil

import pytest

from dokku_min.errors import Failure
from tests.plugins.modules import plugin_module
from tests.server import run

references = plugin_module("buildpacks", "references")

PYTHON = "https://github.com/heroku/heroku-buildpack-python.git"
NODE = "https://github.com/heroku/heroku-buildpack-nodejs.git"
GO = "git://example.com/buildpacks/go.git"


@pytest.mark.parametrize(
    "reference, url",
    [
        ("heroku/python", PYTHON),
        ("heroku-community/nginx", "https://github.com/heroku/heroku-buildpack-nginx.git"),
        ("some-one/my.pack", "https://github.com/some-one/heroku-buildpack-my.pack.git"),
        *((url, url) for url in (PYTHON, GO, "http://host:8080/owner/repo", "git@host.example:owner/repo.git",
                                 "https://host/owner/repo.git#v1", "https://host/owner/repo.tgz", "git://host/repo")),
    ],
)  # fmt: skip
def test_references(reference, url):
    assert references.url_of(reference) == url


@pytest.mark.parametrize(
    "reference",
    ["", "python", "-x/y", "a/b/c", "/etc/passwd", "file:///etc", "https://host/only", "ftp://h/o/r", "git@host",
     "heroku/py thon", "https://h/o/r\nhttps://h/o/s", "../../x", "--upload-pack=x", "https://h/o/r;ls x",
     "heroku/python\n", "git://-o/x y"],
)  # fmt: skip
def test_what_is_no_reference(reference):
    with pytest.raises(Failure, match="Invalid buildpack specified: "):
        references.url_of(reference)


def test_a_buildpacks_file_is_made_complete():
    text = f"# ours\nheroku/python\n\n  {GO}  "
    assert references.rewritten(text) == f"# ours\n{PYTHON}\n\n{GO}\n"


def test_a_wrong_line_in_a_buildpacks_file():
    with pytest.raises(Failure, match="Invalid buildpack specified: nonsense"):
        references.rewritten("heroku/python\nnonsense\n")


@pytest.fixture(scope="module")
def app(server):
    name = server.app("packs")
    server.dokku("apps:create", name)
    yield name
    server.dokku("apps:destroy", name, "--force")


@pytest.fixture(autouse=True)
def empty(request):
    if "app" in request.fixturenames:
        server, app = request.getfixturevalue("server"), request.getfixturevalue("app")
        server.dokku("buildpacks:clear", app)


def listed(server, app):
    return server.dokku("buildpacks:list", app, "--quiet").stdout.split()


def test_add_and_list(server, app):
    server.dokku("buildpacks:add", app, "heroku/python")
    server.dokku("buildpacks:add", app, GO)
    server.dokku("buildpacks:add", "--index", "1", app, "heroku/nodejs")
    server.dokku("buildpacks:add", "--index", "9", app, GO)
    assert listed(server, app) == [NODE, PYTHON, GO, GO]
    shown = server.dokku("buildpacks:list", app).stdout
    assert shown.startswith(f"-----> {app} buildpack urls\n       {NODE}\n")
    assert server.dokku("buildpacks:report", app, "--buildpacks-list").stdout == f"{NODE},{PYTHON},{GO},{GO}\n"


def test_set_replaces_one(server, app):
    server.dokku("buildpacks:set", app, "heroku/python")
    server.dokku("buildpacks:set", app, "heroku/nodejs")
    assert listed(server, app) == [NODE]
    server.dokku("buildpacks:set", "--index", "5", app, GO)
    server.dokku("buildpacks:set", "--index", "2", app, "heroku/python")
    assert listed(server, app) == [NODE, PYTHON]


def test_set_replaces_all_at_once(server, app):
    server.dokku("buildpacks:add", app, GO)
    server.dokku("buildpacks:set", "--replace", app, "heroku/python", "heroku/nodejs")
    assert listed(server, app) == [PYTHON, NODE]
    assert server.dokku("buildpacks:set", "--replace", app, "heroku/python", "nonsense", check=False).returncode == 1
    assert listed(server, app) == [PYTHON, NODE]


def test_remove(server, app):
    server.dokku("buildpacks:set", "--replace", app, "heroku/python", "heroku/nodejs", GO)
    server.dokku("buildpacks:remove", app, "heroku/nodejs")
    server.dokku("buildpacks:remove", app, "--index", "1")
    assert listed(server, app) == [GO]


@pytest.mark.parametrize(
    "words, part",
    [
        (("buildpacks:add", "APP", "nonsense"), "Invalid buildpack specified: nonsense"),
        (("buildpacks:add", "APP"), "Missing argument: <buildpack>"),
        (("buildpacks:add", "--index", "-1", "APP", "heroku/go"), "Invalid value -1 for --index"),
        (("buildpacks:set", "APP"), "Must specify a buildpack"),
        (("buildpacks:set", "APP", "heroku/go", "heroku/python"), "Only one buildpack can be set without --replace"),
        (("buildpacks:set", "--replace", "APP"), "--replace takes the whole list"),
        (("buildpacks:set", "--replace", "--index", "1", "APP", "heroku/go"), "--replace takes the whole list"),
        (("buildpacks:remove", "APP"), "Must specify a buildpack to remove"),
        (("buildpacks:remove", "APP", "heroku/go", "--index", "1"), "Please choose either index or buildpack"),
        (("buildpacks:remove", "APP", "heroku/go"), "No buildpacks were found"),
        (("buildpacks:set-property", "APP", "stack", "two words"), "Invalid stack specified"),
        (
            ("buildpacks:set-property", "APP", "color", "red"),
            "Invalid property specified, valid properties include: stack",
        ),
        (("buildpacks:list", "no-such-app"), "App no-such-app does not exist"),
    ],
)
def test_errors(server, app, words, part):
    done = server.dokku(*[app if word == "APP" else word for word in words], check=False)
    assert done.returncode in (1, 20) and part in done.stderr


def test_remove_what_is_not_there(server, app):
    server.dokku("buildpacks:add", app, GO)
    for words in ((app, "heroku/go"), (app, "--index", "2")):
        assert server.dokku("buildpacks:remove", *words, check=False).returncode == 1
    assert listed(server, app) == [GO]


def test_the_stack(server, app):
    done = server.dokku("buildpacks:set-property", app, "stack", "example/image:1")
    assert done.stdout == "=====> Setting stack to example/image:1\n"
    server.dokku("buildpacks:set-property", "--global", "stack", "example/other")
    found = json.loads(server.dokku("buildpacks:report", app, "--format", "json").stdout)
    assert (found["stack"], found["global-stack"]) == ("example/image:1", "example/other")
    assert found["computed-stack"] == "example/image:1"
    server.dokku("buildpacks:set-property", app, "stack")
    assert server.dokku("buildpacks:report", app, "--buildpacks-computed-stack").stdout == "example/other\n"
    server.dokku("buildpacks:set-property", "--global", "stack")


# the .buildpacks file of a build


@pytest.fixture
def source(server):
    path = server.base / "packs-source"
    path.mkdir()
    run("chown", server.user, path)
    yield path
    shutil.rmtree(path)


def extract(server, app, path, check=True):
    argv = ["setpriv", f"--reuid={server.user}", f"--regid={server.user}", "--init-groups", "--"]
    return run(*argv, server.bin / "plugn", "trigger", "post-extract", app, path, "rev", env=server.env, check=check)


def test_the_apps_list_wins_over_the_sources(server, app, source):
    (source / ".buildpacks").write_text("heroku/nodejs\n")
    server.dokku("buildpacks:set", "--replace", app, "heroku/python", GO)
    extract(server, app, source)
    assert (source / ".buildpacks").read_text() == f"{PYTHON}\n{GO}\n"
    assert (source / ".buildpacks").stat().st_mode & 0o777 == 0o600


def test_app_json_names_buildpacks(server, app, source):
    stored = server.lib / "data/app-json" / app / "app.json"
    stored.write_text('{"buildpacks": [{"url": "heroku/python"}, {"url": "git://example.com/buildpacks/go.git"}]}')
    extract(server, app, source)
    stored.unlink()
    assert (source / ".buildpacks").read_text() == f"{PYTHON}\n{GO}\n"


def test_a_wrong_buildpack_in_app_json_is_told_with_its_line(server, app, source):
    stored = server.lib / "data/app-json" / app / "app.json"
    stored.write_text('{"buildpacks": [\n{"url": "heroku/python"},\n{"url": "nonsense"}]}')
    done = extract(server, app, source, check=False)
    stored.unlink()
    assert done.returncode == 1
    assert "app.json line 3: buildpacks[1].url: Invalid buildpack specified: nonsense" in done.stderr


def test_the_sources_own_file_is_made_complete(server, app, source):
    (source / ".buildpacks").write_text("# one\nheroku/python\n")
    extract(server, app, source)
    assert (source / ".buildpacks").read_text() == f"# one\n{PYTHON}\n"
    (source / ".buildpacks").write_text("nonsense\n")
    assert extract(server, app, source, check=False).returncode == 1


def test_a_link_is_not_followed(server, app, source):
    os.symlink("/etc/hostname", source / ".buildpacks")
    done = extract(server, app, source, check=False)
    assert done.returncode == 1 and "is a link" in done.stderr


def test_no_buildpacks_no_file(server, app, source):
    extract(server, app, source)
    assert list(source.iterdir()) == []
