"""Plugins built as the community builds them, installed unmodified on a real server and used (plugins.md 4.2)."""

import json
import shutil

import pytest

from tests.apps import BUSYBOX, make_app, web_app
from tests.server import CHECKOUT, run

FIXTURES = CHECKOUT / "tests/fixtures/plugins"


@pytest.fixture
def install(server, tmp_path):
    """install(NAME) puts a plugin of tests/fixtures/plugins on the server, from a git repository; gone after the test."""
    added = []

    def install(name):
        repo = tmp_path / f"{name}.git"
        shutil.copytree(FIXTURES / name, repo, symlinks=True)
        run("git", "init", "-q", "-b", "main", repo)
        run("git", "-C", repo, "add", "-A")
        run("git", "-C", repo, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "first")
        added.append(name.removeprefix("dokku-"))
        return server.dokku("plugin:install", f"file://{repo}")

    yield install
    for name in added:
        server.dokku("plugin:uninstall", name, check=False)


def test_a_plugin_comes_over_ssh(server, tmp_path, app):
    """From a real sshd, which here is the server's own: the source is in the repository of an app that is never built."""
    source = tmp_path / "source"
    shutil.copytree(FIXTURES / "dokku-banner", source)
    for words in (("init", "-q", "-b", "main"), ("add", "-A"),
                  ("-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "first")):  # fmt: skip
        run("git", "-C", source, *words)
    server.dokku("apps:create", app)
    run("git", "-C", source, "push", "-q", server.root / app, "main:refs/heads/master", "--receive-pack",
        "git -c core.hooksPath=/dev/null -c safe.directory=* receive-pack")  # fmt: skip
    run("chown", "-R", f"{server.user}:{server.user}", server.root / app)
    try:
        refused = server.dokku("plugin:install", server.remote(app), "--name", "banner", check=False)
        assert (refused.returncode, "Host key verification failed" in refused.stderr) == (1, True)
        assert not (server.lib / "plugins/available/banner").exists()
        keyed = {**server.env, "GIT_SSH_COMMAND": server.git_env()["GIT_SSH_COMMAND"]}
        done = run(server.bin / "dokku", "plugin:install", server.remote(app), "--name", "banner", env=keyed)
        assert done.stdout.startswith(f"Cloning plugin repo {server.remote(app)} to {server.lib}/plugins/available/banner\n")
        assert "Plugin banner enabled\n" in done.stdout
        assert run(server.bin / "dokku", "plugin:update", "banner", env=keyed).returncode == 0
    finally:
        server.dokku("plugin:uninstall", "banner", check=False)


@pytest.fixture
def settings(server):
    """settings(TEXT) is what the operator writes into .dokkurc; gone after the test."""
    place = server.root / ".dokkurc"
    place.mkdir(exist_ok=True)
    yield (place / "test").write_text
    (place / "test").unlink(missing_ok=True)


@pytest.fixture
def store(server, install, settings, busybox_image):
    settings(f"export STORE_IMAGE={busybox_image}\n")
    server.dokku("config:unset", "--global", "NONE", check=False)
    done = install("dokku-store")
    assert "Plugin store enabled\n" in done.stdout
    yield server
    for line in server.dokku("plugin:trigger", "service-list", check=False).stdout.split():
        name = line.partition(":")[2]
        (server.lib / "services/store" / name / "LINKS").write_text("")
        server.dokku("--force", "store:destroy", name, check=False)


class TestDatastore:
    def test_help(self, store):
        assert "    store  Plugin for managing Store services\n" in store.dokku("help").stdout
        for lines in (store.dokku("help", "--all").stdout, store.ssh("help", "--all").stdout):
            assert "    store:link <service> <app> [--no-restart]" in lines
        assert store.dokku("store:help").stdout.startswith("Usage: dokku store[:COMMAND]\n")
        assert store.dokku("store").stdout == store.dokku("store:help").stdout

    def test_service(self, store):
        done = store.dokku("store:list")
        assert (done.stdout, done.stderr) == ("", " !     There are no Store services\n")
        name = store.app("x")
        assert store.dokku("store:create", name).stdout == (
            f"-----> Starting container\n=====> Store container created: {name}\n"
        )
        again = store.dokku("store:create", name, check=False)
        assert (again.returncode, again.stderr) == (1, f" !     Store service {name} already exists\n")
        assert store.ssh("store:list").stdout == f"=====> Store services\n{name}\n"
        assert store.ssh("--quiet", "store:list").stdout == f"{name}\n"
        assert store.dokku("store:info", name).stdout == (
            f"=====> {name} store service information\n       Image: {BUSYBOX}\n       Links: \n"
        )
        assert store.dokku("plugin:trigger", "service-list").stdout == f"store:{name}\n"
        assert run("docker", "inspect", "-f", "{{.State.Running}}", f"dokku.store.{name}").stdout == "true\n"
        refused = store.dokku("store:destroy", name, check=False)
        assert (refused.returncode, refused.stderr) == (1, " !     Confirmation is missing, use --force\n")
        assert store.dokku("store:destroy", name, "--force").stdout == f"=====> Store container deleted: {name}\n"

    def test_link_and_unlink(self, store, app):
        name = store.app("x")
        store.dokku("store:create", name)
        store.dokku("apps:create", app)
        unknown = store.dokku("store:link", name, "no-such-app", check=False)
        assert (unknown.returncode, unknown.stderr) == (20, " !     App no-such-app does not exist\n")
        url, option = f"store://dokku-store-{name}:7000/{name}", f"--link dokku.store.{name}:dokku-store-{name}"
        done = store.ssh("store:link", name, app)
        assert done.stdout.startswith(f"-----> Setting config vars\n       STORE_URL:  {url}\n")
        assert store.dokku("config:get", app, "STORE_URL").stdout == f"{url}\n"
        for phase in ("build", "deploy", "run"):
            assert option in store.dokku("docker-options:report", app, f"--docker-options-{phase}").stdout
        twice = store.dokku("store:link", name, app, check=False)
        assert (twice.returncode, twice.stderr) == (1, f" !     Already linked as {url}\n")
        linked = store.dokku("--force", "store:destroy", name, check=False)
        assert (linked.returncode, linked.stderr) == (1, " !     Cannot delete linked service\n")
        assert store.dokku("store:unlink", name, app).stdout == "-----> Unsetting STORE_URL\n"
        assert store.dokku("config:get", app, "STORE_URL", check=False).returncode == 1
        assert option not in store.dokku("docker-options:report", app).stdout
        assert store.dokku("--app", app, "store:link", name).returncode == 0
        assert store.dokku("config:get", app, "STORE_URL").stdout == f"{url}\n"

    def test_an_app_takes_its_links_with_it(self, store, app):
        name, renamed = store.app("x"), store.app("renamed")
        store.dokku("store:create", name)
        store.dokku("apps:create", app)
        store.dokku("store:link", name, app)
        store.dokku("apps:rename", app, renamed)
        assert store.dokku("store:info", name).stdout.endswith(f"Links: {renamed}\n")
        store.dokku("apps:clone", renamed, app)
        assert store.dokku("store:info", name).stdout.endswith(f"Links: {renamed} {app}\n")
        done = store.dokku("apps:destroy", renamed, "--force")
        assert f"-----> Unlinking from {name}\n" in done.stdout
        assert store.dokku("store:info", name).stdout.endswith(f"Links: {app}\n")

    def test_a_deployed_app_reaches_its_service(self, store, app, tmp_path):
        name = store.app("x")
        store.dokku("store:create", name)
        make_app(store, app, web_app("stored"), tmp_path)
        done = store.dokku("store:link", name, app)
        assert f"-----> Restarting app {app}\n" in done.stdout
        cid = (store.root / app / "CONTAINER.web.1").read_text().strip()
        env = json.loads(run("docker", "inspect", "-f", "{{json .Config.Env}}", cid).stdout)
        assert f"STORE_URL=store://dokku-store-{name}:7000/{name}" in env
        assert f"dokku-store-{name}" in run("docker", "exec", cid, "cat", "/etc/hosts").stdout
        store.dokku("store:unlink", name, app)


def test_a_plugin_that_touches_nginx(server, install, app, tmp_path):
    install("dokku-banner")
    make_app(server, app, web_app("behind a banner"), tmp_path)
    done = server.dokku("banner:set", app, "Hello there")
    assert done.stdout == f"-----> Banner of {app} is Hello there\n"
    answer = server.curl(f"{app}.test.example", "/", "-i").stdout
    assert "X-Banner: Hello there" in answer
    assert "behind a banner" in answer
    assert f"=====> {app} banner information\n       Banner text:                   Hello there\n" in (
        server.dokku("report", app, check=False).stdout
    )
    server.dokku("proxy:build-config", app)
    assert "# banner was here, port " in (server.root / app / "nginx.conf").read_text()
    server.dokku("apps:destroy", app, "--force")
    assert not (server.lib / "config/banner" / app).exists()


def test_a_plugin_that_guards(server, install, settings, app):
    other = server.app("open-x")
    server.dokku("apps:create", app)
    settings('export GATE_GUEST_COMMANDS="apps:list apps:exists version"\n')
    key = server.base / "ssh/other"
    server.dokku("ssh-keys:add", "guest", input=(server.base / "ssh/other.pub").read_text())
    try:
        install("dokku-gate")
        assert app in server.ssh("apps:list").stdout
        assert app not in server.ssh("apps:list", key=key).stdout
        hidden = server.ssh("apps:exists", app, key=key, check=False)
        assert (hidden.returncode, hidden.stderr.strip()) == (20, f"!     App {app} does not exist")
        denied = server.ssh("apps:create", other, key=key, check=False)
        assert denied.returncode == 1
        assert denied.stderr.splitlines()[:2] == [
            "guests may only: apps:list apps:exists version",
            " !     Access denied",
        ]
        assert server.dokku("apps:exists", app).returncode == 0
    finally:
        server.dokku("ssh-keys:remove", "guest", check=False)
