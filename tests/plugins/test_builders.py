"""Which builder a source gets, and the builders that are one outside program."""

import json
import os
import shutil

import pytest

from tests.apps import commit, make_repo, web_app
from tests.plugins.modules import plugin_module
from tests.server import run

receive = plugin_module("git", "receive")


@pytest.mark.parametrize("machine, allowed, builder", [
    ("x86_64", False, "herokuish"), ("aarch64", False, "pack"), ("arm64", False, "pack"), ("aarch64", True, "herokuish"),
])  # fmt: skip
def test_what_builds_a_source_that_nothing_marks(monkeypatch, machine, allowed, builder):
    monkeypatch.setattr(receive.os, "uname", lambda: os.uname_result(("Linux", "host", "6", "1", machine)))
    monkeypatch.setattr(receive, "ask", lambda *_: "")
    monkeypatch.setattr(receive, "holds", lambda trigger, app: trigger == "builder-herokuish-allowed" and allowed)
    monkeypatch.setattr(receive, "_is_known", lambda _: True)

    assert receive.detect("blog", "/source") == builder


@pytest.fixture(scope="module")
def app(server):
    name = server.app("builders")
    server.dokku("apps:create", name)
    yield name
    server.dokku("apps:destroy", name, "--force")


@pytest.fixture
def source(server):
    path = server.base / "builders-source"
    path.mkdir()
    yield path
    shutil.rmtree(path)


def trigger(server, *words, check=True, env=()):
    argv = ["setpriv", f"--reuid={server.user}", f"--regid={server.user}", "--init-groups", "--"]
    return run(*argv, server.bin / "plugn", "trigger", *words, env={**server.env, **dict(env)}, check=check)


def detected(server, app, source):
    return trigger(server, "builder-detect", app, source).stdout.partition("\n")[0]


@pytest.mark.parametrize(
    "files, builder",
    [
        ({}, ""),
        ({"index.html": ""}, ""),
        ({"Dockerfile": ""}, "dockerfile"),
        ({".buildpacks": "heroku/python\n"}, "herokuish"),
        ({".env": "A=b\nBUILDPACK_URL=https://h/o/r\n"}, "herokuish"),
        ({".env": "A=b\n"}, ""),
        ({"lambda.yml": ""}, "lambda"),
        ({"nixpacks.toml": ""}, "nixpacks"),
        ({"project.toml": ""}, "pack"),
        ({"railpack.json": "{}"}, "railpack"),
        ({"Dockerfile": "", ".buildpacks": ""}, "herokuish"),
        ({"Dockerfile": "", ".env": "BUILDPACK_URL=x"}, "herokuish"),
        ({"Dockerfile": "", "project.toml": ""}, "pack"),
        ({"Dockerfile": "", "nixpacks.toml": "", "lambda.yml": ""}, "dockerfile"),
        ({".buildpacks": "", "project.toml": "", "lambda.yml": ""}, "herokuish"),
        ({"lambda.yml": "", "nixpacks.toml": "", "project.toml": ""}, "lambda"),
        ({"nixpacks.toml": "", "project.toml": "", "railpack.json": ""}, "nixpacks"),
        ({"project.toml": "", "railpack.json": ""}, "pack"),
    ],
)
def test_detection(server, app, source, files, builder):
    for name, text in files.items():
        (source / name).write_text(text)
    assert detected(server, app, source) == builder


def test_buildpack_url_in_the_config_decides(server, app, source):
    (source / "Dockerfile").write_text("")
    server.dokku("config:set", "--no-restart", app, "BUILDPACK_URL=https://h/o/r")
    found = detected(server, app, source)
    server.dokku("config:unset", "--no-restart", app, "BUILDPACK_URL")
    assert found == "herokuish"


def test_the_selected_builder_decides(server, app, source):
    (source / "Dockerfile").write_text("")
    server.dokku("builder:set", "--global", "selected", "nixpacks")
    overall = detected(server, app, source)
    server.dokku("builder:set", app, "selected", "pack")
    own = detected(server, app, source)
    server.dokku("builder:set", "--global", "selected")
    server.dokku("builder:set", app, "selected")
    assert (overall, own) == ("nixpacks", "pack")


def test_herokuish_where_it_is_not_allowed(server, app, source):
    (source / ".buildpacks").write_text("")
    server.dokku("builder-herokuish:set", app, "allowed", "false")
    assert detected(server, app, source) == ""
    assert trigger(server, "builder-herokuish-allowed", app, check=False).returncode == 1
    server.dokku("builder-herokuish:set", app, "allowed", "true")
    assert detected(server, app, source) == "herokuish"
    assert server.dokku("builder-herokuish:report", app, "--builder-herokuish-computed-allowed").stdout == "true\n"
    assert server.dokku("builder-herokuish:set", app, "allowed", "perhaps", check=False).returncode == 1
    server.dokku("builder-herokuish:set", app, "allowed")


TOOLS = [("pack", "project.toml", "projecttoml-path"), ("nixpacks", "nixpacks.toml", "nixpackstoml-path"),
         ("railpack", "railpack.json", "railpackjson-path"), ("lambda", "lambda.yml", "lambdayml-path")]  # fmt: skip


@pytest.mark.parametrize("builder, manifest, key", TOOLS)
def test_the_manifest_may_be_elsewhere(server, app, source, builder, manifest, key):
    (source / "deploy").mkdir()
    (source / "deploy/mine").write_text("mine")
    (source / manifest).write_text("usual")
    run("chown", "-R", server.user, source)
    server.dokku(f"builder-{builder}:set", app, key, "deploy/mine")
    found = json.loads(server.dokku(f"builder-{builder}:report", app, "--format", "json").stdout)
    trigger(server, "core-post-extract", app, source, "rev")
    first = (source / manifest).read_text()
    trigger(server, "core-post-extract", app, source, "rev")  # by now deploy/mine is not there
    server.dokku(f"builder-{builder}:set", app, key)
    assert (found[key], found[f"computed-{key}"], found[f"global-{key}"]) == ("deploy/mine", "deploy/mine", "")
    assert first == "mine"
    assert not (source / manifest).exists()


@pytest.mark.parametrize("builder, manifest, key", TOOLS)
def test_a_manifest_outside_of_the_source_is_refused(server, app, builder, manifest, key):
    done = server.dokku(f"builder-{builder}:set", app, key, "../x", check=False)
    assert done.returncode == 1 and "must be a file of the source" in done.stderr


@pytest.mark.parametrize("builder, manifest, key", TOOLS)
def test_a_program_that_is_not_installed(server, app, source, builder, manifest, key):
    (source / manifest).write_text("")
    done = trigger(server, "builder-build", builder, app, source, check=False)
    program = {"lambda": "lambda-builder"}.get(builder, builder)
    assert done.returncode == 1
    assert done.stderr.startswith(f" !     Missing {program}, install it\n !     it is one file: https://")


def test_the_null_builder_leaves_the_image_that_is_there(server, app, busybox_image, tmp_path):
    name = server.app("by-nobody")
    image = f"FROM {busybox_image}\nRUN mkdir www && echo given >www/index.html\nCMD httpd -f -p 5000 -h /app/www\n"
    run("docker", "image", "build", "--quiet", "--tag", f"dokku/{name}:latest", "-", input=image)
    server.dokku("apps:create", name)
    try:
        server.dokku("builder:set", name, "selected", "null")
        server.push(make_repo(tmp_path / "repo", {**web_app("from the source"), "Dockerfile": "nonsense"}), name)
        page = server.curl(f"{name}.test.example").stdout
    finally:
        server.dokku("apps:destroy", name, "--force")
    assert page == "given\n\n200"  # and that although it has no labels at all


# a program that makes an image of the source with docker: the part of pack's work that we rely on
PROGRAM = """#!/bin/sh
# notes how it was called, and builds the source
set -eu
printf '%s\\n' "$@" >"$(dirname "$0")/called"
echo "secret: $SECRET" >>"$(dirname "$0")/called"
while [ $# -gt 0 ]; do
  case "$1" in
    build | --path | --tag | --name | --working-directory) ;;
    dokku/*) image="$1" ;;
    /*) dir="$1" ;;
  esac
  shift
done
cd "$dir" && touch lambda.zip
cat Procfile 2>/dev/null || true
docker build -q -f - -t "$image" . <Dockerfile.tool
"""


# what an image of Cloud Native Buildpacks has: its entrypoint is the web process, another program starts other commands
LAUNCHER = """LABEL io.buildpacks.lifecycle.metadata={}
RUN mkdir -p /cnb/lifecycle /cnb/process && ln -s /app /workspace && cd /cnb && touch process/web lifecycle/launcher && \\
  chmod +x process/web lifecycle/launcher && printf '#!/bin/sh\\nexit 9\\n' >process/web && \\
  printf '#!/bin/sh\\n[ "$1" = -- ] || exit 8\\nshift\\nLAUNCHED=yes exec "$@"\\n' >lifecycle/launcher
ENTRYPOINT ["/cnb/process/web"]
"""


def test_an_image_of_buildpacks_from_elsewhere_is_started_by_its_launcher(server, app, busybox_image, source):
    """Also with commands of its app.json and checks, and where the label of what built it is our Dockerfile's."""
    name, image = server.app("cnb"), f"dokku/{app}:cnb"
    check = {"type": "startup", "name": "launched", "command": ["sh", "-c", 'test "$LAUNCHED"'], "attempts": 3, "wait": 1}
    files = web_app("launched")
    files["Dockerfile"] += LAUNCHER
    files["Procfile"] = "web: sh /app/web.sh\nrelease: echo released with $LAUNCHED\n"
    files["app.json"] = json.dumps({"healthchecks": {"web": [check]}, "scripts": {"dokku": {"predeploy": "env"}}})
    for path, text in files.items():
        (source / path).parent.mkdir(exist_ok=True)
        (source / path).write_text(text)
    run("docker", "image", "build", "--quiet", "--tag", image, source)
    server.dokku("apps:create", name)
    try:
        said = server.dokku("git:from-image", name, image).stdout
        page = server.curl(f"{name}.test.example").stdout
        ran = server.dokku("run", name, "sh", "-c", "echo $LAUNCHED 'a  b'").stdout
        entered = server.dokku("enter", name, "web", "sh", "-c", "echo $LAUNCHED").stdout
    finally:
        server.dokku("apps:destroy", name, "--force")
        run("docker", "image", "rm", image)
    assert "LAUNCHED=yes" in said
    assert (page, ran, entered) == ("launched\n200", "yes a  b\n", "yes\n")


@pytest.mark.parametrize("builder, manifest, key", TOOLS)
def test_a_build_with_the_program(server, busybox_image, tmp_path, builder, manifest, key):
    """Ours end to end: the program's command line, its variables, labels, entrypoint, port and the running app."""
    name = server.app(f"by-{builder}")
    tool = server.bin / {"lambda": "lambda-builder"}.get(builder, builder)
    tool.write_text(PROGRAM)
    tool.chmod(0o755)
    files = web_app(f"by {builder}")
    files["Dockerfile.tool"] = files.pop("Dockerfile") + "ENTRYPOINT []\n"
    files["Procfile"] = "release: echo released\nweb: sh /app/web.sh\n"
    if builder == "nixpacks":  # its images have a bash; ours stands in for it
        files["Dockerfile.tool"] += "RUN printf '#!/bin/sh\\nexec sh \"$@\"\\n' >/bin/bash && chmod +x /bin/bash\n"
    if builder == "pack":
        files["Dockerfile.tool"] += LAUNCHER
    server.dokku("apps:create", name)
    try:
        run("chown", server.user, server.bin)
        server.dokku("config:set", "--no-restart", name, "SECRET=s3 cret", "HOME=/elsewhere")
        done = server.push(make_repo(tmp_path / "repo", {**files, manifest: ""}), name)
        called = (server.bin / "called").read_text()
        labels = run("docker", "image", "inspect", "--format={{json .Config.Labels}}", f"dokku/{name}").stdout
        page = server.curl(f"{name}.test.example").stdout
    finally:
        tool.unlink()
        server.dokku("apps:destroy", name, "--force")
    assert f"Building {name} with" in done.stderr and "released" in done.stderr
    assert called.startswith("build\n") and called.endswith("secret: s3 cret\n")
    if builder == "pack":
        assert (
            "--builder\nheroku/builder:24\n" in called
            and "--env=SECRET\n" in called
            and "--env=HOME=/elsewhere" in called
        )
    assert json.loads(labels)["com.dokku.builder-type"] == builder
    assert json.loads(labels)["com.dokku.image-stage"] == "release"
    assert page == f"by {builder}\n200"


def test_a_failing_program_leaves_the_app_alone(server, tmp_path):
    name = server.app("by-broken")
    tool = server.bin / "pack"
    tool.write_text("#!/bin/sh\necho it will not do\nexit 3\n")
    tool.chmod(0o755)
    repo = make_repo(tmp_path / "repo", {"project.toml": ""})
    commit(repo, {})
    done = server.push(repo, name, check=False)
    tool.unlink()
    server.dokku("apps:destroy", name, "--force")
    assert done.returncode and "it will not do" in done.stderr and "App build failed" in done.stderr


def test_the_short_names_that_dokku_knows_commands_by(server, app):
    for short, long, key in (
        ("dockerfile", "builder-dockerfile", "dockerfile-path"), ("herokuish", "builder-herokuish", "allowed"),
        ("lambda", "builder-lambda", "lambdayml-path"), ("nixpacks", "builder-nixpacks", "nixpackstoml-path"),
        ("pack", "builder-pack", "projecttoml-path"), ("rails", "builder-railpack", "railpackjson-path"),
        ("docker-local", "scheduler-docker-local", "init-process"),
    ):  # fmt: skip
        server.dokku(f"{short}:set", app, key, "false")
        report = server.dokku(f"{short}:report", app).stdout
        same = server.dokku(f"{long}:report", app).stdout
        server.dokku(f"{long}:set", app, key)
        assert ("false" in report, report) == (True, same)
