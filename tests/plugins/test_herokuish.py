"""builder-herokuish, end to end on an image of our own that honours herokuish's contract."""

import json
import os
import signal
import subprocess
import time

import pytest

from tests.apps import STARTUP, commit, make_repo
from tests.herokuish import HERE, import_herokuish
from tests.plugins.modules import plugin_module
from tests.server import run

build = plugin_module("builder-herokuish", "build")

SERVER = """import os
from http.server import BaseHTTPRequestHandler, HTTPServer

import greet


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        found = {name: os.environ.get(name) for name in ("SECRET", "DYNO", "USER", "ODD")}
        self.wfile.write((greet.hello() + " " + repr(found) + f" uid={os.getuid()}").encode())


HTTPServer(("", int(os.environ["PORT"])), Page).serve_forever()
"""
PYTHON_APP = {
    "requirements.txt": "greet\n",
    "vendor/greet.py": "def hello():\n    return 'hello from python'\n",
    "app.py": SERVER,
    "Procfile": "web: python3 app.py\nworker: sleep 1000\n",
    ".env": "FROM_SOURCE=yes\n",
    "app.json": json.dumps(
        {"healthchecks": {"web": [STARTUP]}, "scripts": {"dokku": {"predeploy": "echo made > made.txt"}}}
    ),
}
STATIC_SITE = {"index.html": "a static page", "app.json": json.dumps({"healthchecks": {"web": [STARTUP]}})}


# pure functions


def test_options_that_only_a_dockerfile_build_knows_are_dropped():
    given = ["--file", "x", "-v", "/a:/b", "--build-arg=A=b", "--build-arg", "C", "--network=host"]
    assert build.for_containers(given) == ["-v", "/a:/b", "--network=host"]


def test_the_environment_of_a_build():
    found = build.environment("A=source", {"CURL_TIMEOUT": "600", "B": "x y"}, 'B="x y"\n')
    assert found["/tmp/env/B"] == "x y"
    assert found["/tmp/env/CURL_TIMEOUT"] == "600"
    assert found["/app/.env"] == 'CURL_CONNECT_TIMEOUT="90"\nCURL_TIMEOUT="600"\nA=source\nB="x y"\n'


# with docker


@pytest.fixture(scope="module")
def stack(server):
    """The image, as the one every app of this server is built on."""
    image = import_herokuish()
    server.dokku("buildpacks:set-property", "--global", "stack", image)
    yield image
    server.dokku("buildpacks:set-property", "--global", "stack")


@pytest.fixture(scope="module")
def python_app(server, stack, tmp_path_factory):
    """A Python app, pushed: (name, repository, what the push said)."""
    name = server.app("slug")
    server.dokku("apps:create", name)
    server.dokku("config:set", "--no-restart", name, "SECRET=s3cret", "ODD=a \"b\" $c 'd'", "AT_BUILD=seen")
    repo = make_repo(tmp_path_factory.mktemp("slug") / "repo", PYTHON_APP)
    yield name, repo, server.push(repo, name).stderr.replace("remote: ", "")
    server.dokku("apps:destroy", name, "--force")
    assert run("docker", "volume", "inspect", f"cache-{name}", check=False).returncode  # it goes with the app


@pytest.fixture
def app(server, stack, request):
    name = server.app(request.node.name.removeprefix("test_").replace("_", "-")[:40])
    server.dokku("apps:create", name)
    yield name
    server.dokku("apps:destroy", name, "--force")


def image_config(name):
    return json.loads(run("docker", "image", "inspect", "--format={{json .Config}}", f"dokku/{name}").stdout)


def in_image(name, script):
    return run("docker", "run", "--rm", "--entrypoint=", f"dokku/{name}", "/bin/bash", "-c", script).stdout


def test_a_python_app_is_built_and_serves(server, python_app):
    name, _, said = python_app
    assert f"-----> Building {name} from herokuish" in said
    assert "-----> Adding BUILD_ENV to build environment..." in said
    assert "-----> Python app detected" in said and "Compiling greet" in said
    assert "curl: 90 600, user: herokuishuser, AT_BUILD: seen" in said
    assert said.index("Executing predeploy task") < said.index("Deploying web")
    page = server.curl(f"{name}.test.example").stdout
    assert page.startswith("hello from python") and page.endswith("uid=32767\n200")
    wanted = {"SECRET": "s3cret", "DYNO": "web.1", "USER": "herokuishuser", "ODD": "a \"b\" $c 'd'"}
    assert repr(wanted) in page


def test_the_image_of_a_slug(server, python_app):
    name = python_app[0]
    config = image_config(name)
    labels = config["Labels"]
    assert config["User"] == "herokuishuser" and config["WorkingDir"] == "/app"
    assert (labels["com.dokku.image-stage"], labels["com.dokku.builder-type"]) == ("release", "herokuish")
    assert not [entry for entry in config["Env"] if "s3cret" in entry]
    assert in_image(name, "cat made.txt; stat -c %U made.txt; ls /tmp/env 2>&1 | wc -l") == "made\nherokuishuser\n1\n"
    assert "FROM_SOURCE=yes" in in_image(name, "cat .env")
    assert in_image(name, "cat at-build.txt") == "seen"  # what the buildpack found in the directory of variables
    assert in_image(name, "find /app ! -user herokuishuser") == ""
    is_herokuish = trigger(server, "builder-image-is-herokuish", name, f"dokku/{name}").stdout
    assert is_herokuish == "true\n"
    cache = json.loads(run("docker", "volume", "inspect", f"cache-{name}").stdout)[0]["Labels"]
    assert cache["com.dokku.app-name"] == name and cache["com.dokku.builder-type"] == "herokuish"
    kept = ("--filter=label=com.dokku.image-stage=build", f"--filter=label=com.dokku.app-name={name}")
    assert run("docker", "ps", "-aq", *kept).stdout == ""


def trigger(server, *words):
    argv = ["setpriv", f"--reuid={server.user}", f"--regid={server.user}", "--init-groups", "--"]
    return run(*argv, server.bin / "plugn", "trigger", *words, env=server.env)


def test_config_reaches_a_slug_without_a_build_and_layers_do_not_pile_up(server, python_app):
    name = python_app[0]
    before = run("docker", "history", "-q", f"dokku/{name}").stdout.count("\n")
    server.dokku("config:set", name, "SECRET=other")
    assert "'SECRET': 'other'" in server.curl(f"{name}.test.example").stdout
    server.dokku("config:unset", name, "SECRET")
    assert "'SECRET': None" in server.curl(f"{name}.test.example").stdout
    assert run("docker", "history", "-q", f"dokku/{name}").stdout.count("\n") == before


def test_the_cache_is_used_by_the_next_build_until_it_is_purged(server, python_app):
    name, repo, _ = python_app
    commit(repo, {"note.txt": "second"})
    assert "Using cached greet" in server.push(repo, name).stderr
    server.dokku("repo:purge-cache", name)
    assert run("docker", "volume", "inspect", f"cache-{name}", check=False).returncode
    server.dokku("repo:purge-cache", name)  # nothing left is fine
    labels = ("--label=com.dokku.image-stage=build", f"--label=com.dokku.app-name={name}")
    killed = run("docker", "container", "create", *labels, f"dokku/{name}").stdout.strip()
    assert "Compiling greet" in server.dokku("ps:rebuild", name).stdout
    assert run("docker", "container", "inspect", killed, check=False).returncode


def test_a_failing_build_leaves_the_old_version_serving(server, python_app):
    name, repo, _ = python_app
    image = run("docker", "image", "inspect", "--format={{.Id}}", f"dokku/{name}").stdout
    commit(repo, {"requirements.txt": "greet\nmissing\n"})
    done = server.push(repo, name, check=False)
    assert done.returncode and "App build failed" in done.stderr and "missing.py" in done.stderr
    assert server.curl(f"{name}.test.example").stdout.startswith("hello from python")
    assert run("docker", "image", "inspect", "--format={{.Id}}", f"dokku/{name}").stdout == image
    commit(repo, {"requirements.txt": "greet\n"})


def test_a_static_site_without_a_procfile(server, app, tmp_path):
    done = server.push(make_repo(tmp_path / "repo", STATIC_SITE), app)
    assert "-----> Static app detected" in done.stderr
    assert server.curl(f"{app}.test.example").stdout == "a static page\n200"


def buildpack_repo(directory, name="static"):
    """One of the image's buildpacks as a git repository, which shows that it is another one."""
    files = {str(path.relative_to(HERE / "buildpacks" / name)): path.read_text() for path in
             (HERE / "buildpacks" / name / "bin").iterdir()}  # fmt: skip
    repo = make_repo(directory, {})
    for path, text in files.items():
        (repo / path).parent.mkdir(exist_ok=True)
        (repo / path).write_text(text.replace("Static site", "Custom static site").replace(" curl:", " Custom, curl:"))
        (repo / path).chmod(0o755)
    commit(repo, {})
    return repo


def test_buildpack_url_of_a_local_repository(server, app, tmp_path):
    buildpack = buildpack_repo(server.base / f"{app}-pack")
    server.dokku("docker-options:add", app, "build", f"-v {buildpack}:/buildpack:ro")
    server.dokku("config:set", "--no-restart", app, "BUILDPACK_URL=file:///buildpack")
    files = {
        **STATIC_SITE,
        "Procfile": "web: python3 -m http.server --directory public $PORT\n",
        "Dockerfile": "nonsense",
    }
    done = server.push(make_repo(tmp_path / "repo", files), app)
    run("rm", "-rf", buildpack)
    assert "Fetching custom buildpack" in done.stderr and "Custom static site" in done.stderr
    assert server.curl(f"{app}.test.example").stdout == "a static page\n200"


@pytest.fixture
def git_daemon(tmp_path):
    """git://HOST:PORT, which containers reach too; it serves the repositories in tmp_path/served."""
    served = tmp_path / "served"
    served.mkdir()
    host = run("ip", "-4", "-o", "address", "show", "docker0").stdout.split()[3].partition("/")[0]
    port = "29418"
    argv = [
        "git",
        "daemon",
        f"--listen={host}",
        f"--port={port}",
        "--export-all",
        "--reuseaddr",
        f"--base-path={served}",
    ]
    daemon = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    yield f"git://{host}:{port}", served
    os.killpg(daemon.pid, signal.SIGTERM)  # `git` and the `git-daemon` it started
    daemon.wait()


def test_a_buildpacks_file_with_a_git_url(server, app, git_daemon, tmp_path):
    url, served = git_daemon
    buildpack_repo(served / "static")
    wait_for(lambda: run("git", "ls-remote", f"{url}/static", check=False).returncode == 0)
    files = {**STATIC_SITE, ".buildpacks": f"# ours\n{url}/static\n"}
    repo = make_repo(tmp_path / "repo", files)
    done = server.push(repo, app)
    assert "Fetching custom buildpack" in done.stderr and "Custom static site" in done.stderr
    assert "cached" not in done.stderr
    commit(repo, {"other.html": "another page"})
    done = server.push(repo, app)
    assert "Using cached index.html" in done.stderr and "cached other.html" not in done.stderr
    assert server.curl(f"{app}.test.example", "/other.html").stdout == "another page\n200"


@pytest.mark.parametrize("place, text", [(".buildpacks", "{}\n"), (".env", "BUILDPACK_URL={}\n")])
def test_the_python_app_names_a_buildpack(server, python_app, git_daemon, place, text):
    name, repo, _ = python_app
    url, served = git_daemon
    buildpack_repo(served / "python", "python")
    wait_for(lambda: run("git", "ls-remote", f"{url}/python", check=False).returncode == 0)
    commit(repo, {place: text.format(f"{url}/python"), "Dockerfile": "nonsense"})
    try:
        said = server.push(repo, name).stderr
    finally:
        (repo / place).unlink()
        (repo / "Dockerfile").unlink()
        commit(repo, {})
    assert "Fetching custom buildpack" in said and "Custom, curl: 90 600" in said and "Using cached greet" in said
    assert server.curl(f"{name}.test.example").stdout.startswith("hello from python")


def wait_for(holds):
    for _ in range(50):
        if holds():
            return
        time.sleep(0.1)
    raise AssertionError("it never came true")


def test_a_source_that_no_buildpack_knows(server, app, tmp_path):
    done = server.push(make_repo(tmp_path / "repo", {"README": "nothing to build"}), app, check=False)
    assert done.returncode and "Unable to select a buildpack" in done.stderr and "App build failed" in done.stderr
    assert run("docker", "image", "inspect", f"dokku/{app}", check=False).returncode


def test_an_image_that_cannot_be_pulled(server, app, tmp_path):
    server.dokku("buildpacks:set-property", app, "stack", "127.0.0.1:9/no/image:1")
    done = server.push(make_repo(tmp_path / "repo", STATIC_SITE), app, check=False)
    said = done.stderr.replace("remote: ", "")
    assert done.returncode
    assert "the builder image 127.0.0.1:9/no/image:1 is not on this server and cannot be pulled" in said
    assert "docker load" in said


def test_a_missing_image_is_pulled_with_the_credentials_of_the_app(server, app, registry, busybox_image, tmp_path):
    image = f"{registry}/team/builder:1"
    server.dokku("registry:login", "--password-stdin", app, registry, "u", input="p\n")
    run("docker", "login", "--username=u", "--password=p", registry)
    run("docker", "tag", busybox_image, image)
    run("docker", "push", "--quiet", image)
    run("docker", "logout", registry)
    run("docker", "rmi", image)
    server.dokku("buildpacks:set-property", app, "stack", image)

    said = server.push(make_repo(tmp_path / "repo", STATIC_SITE), app, check=False).stderr

    assert f"Pulling {image}" in said and "Failure extracting app code" in said  # it has no herokuish in it
    run("docker", "rmi", image)


def test_an_image_without_herokuish(server, app, busybox_image, tmp_path):
    server.dokku("buildpacks:set-property", app, "stack", busybox_image)
    done = server.push(make_repo(tmp_path / "repo", STATIC_SITE), app, check=False)
    assert done.returncode and "Failure extracting app code" in done.stderr


def test_a_link_named_env_does_not_show_the_hosts_files(server, app, tmp_path):
    secret = server.root / "secret"
    secret.write_text("HIDDEN=1\n")
    secret.chmod(0o644)
    repo = make_repo(tmp_path / "repo", STATIC_SITE)
    (repo / ".env").symlink_to(secret)
    commit(repo, {})
    server.push(repo, app)
    secret.unlink()
    assert "HIDDEN" not in in_image(app, "cat .env")


def test_buildpacks_detect(server, python_app):
    name = python_app[0]
    done = server.dokku("buildpacks:detect", name)
    assert "-----> Python app detected" in done.stdout + done.stderr
    done = server.dokku("buildpacks:detect", name, "--branch", "nowhere", check=False)
    assert done.returncode == 1 and f"{name} has no branch nowhere" in done.stderr
    server.dokku("buildpacks:set-property", name, "stack", "127.0.0.1:9/no/image:1")
    done = server.dokku("buildpacks:detect", name, check=False)
    server.dokku("buildpacks:set-property", name, "stack")
    assert done.returncode == 1 and "cannot be pulled" in done.stderr and "docker load" in done.stderr


def test_an_app_user_that_is_no_name(server, app, tmp_path):
    server.dokku("config:set", "--no-restart", app, "DOKKU_APP_USER=x; id")
    done = server.push(make_repo(tmp_path / "repo", STATIC_SITE), app, check=False)
    assert done.returncode and "DOKKU_APP_USER is no user name" in done.stderr
