"""repo: an app's git repository is packed, its build cache removed."""

import pytest

from tests.apps import commit, make_repo
from tests.server import run


@pytest.fixture
def app(server):
    name = server.app("repo")
    server.dokku("apps:create", name)
    yield name
    server.dokku("apps:destroy", name, "--force", check=False)


def git(server, app, *words):
    return run("setpriv", f"--reuid={server.user}", f"--regid={server.user}", "--clear-groups", "git",
               f"--git-dir={server.root / app}", *words, env={**server.env, "HOME": str(server.root)}).stdout  # fmt: skip


def push_without_a_build(server, app, directory):
    """Commits on a branch that is not deployed."""
    server.dokku("git:set", app, "deploy-branch", "production")
    repo = make_repo(directory / "repo", {"file": "one"})
    for number in range(5):
        commit(repo, {"file": f"version {number}\n" * 100})
    server.push(repo, app, check=False)
    return repo


def loose(server, app):
    return int(git(server, app, "count-objects").split()[0])


def test_gc_packs_objects_but_leaves_branches_as_files(server, app, tmp_path):
    repo = push_without_a_build(server, app, tmp_path)
    head = run("git", "-C", repo, "rev-parse", "HEAD").stdout
    branch = server.root / app / "refs/heads/main"
    before = loose(server, app)
    done = server.dokku("repo:gc", app)
    assert f"-----> Packing the repository of {app}" in done.stdout
    assert before > 0 and loose(server, app) == 0
    assert branch.read_text() == head
    assert branch.owner() == server.user


def test_gc_without_a_repository(server, app):
    run("rm", "-r", server.root / app / "refs")
    done = server.dokku("repo:gc", app, check=False)
    assert done.returncode == 1 and "no git repository yet" in done.stderr


def test_gc_while_the_app_is_locked(server, app, tmp_path):
    push_without_a_build(server, app, tmp_path)
    server.dokku("apps:lock", app)
    done = server.dokku("repo:gc", app, check=False)
    server.dokku("apps:unlock", app)
    assert done.returncode == 1 and f"{app} is locked" in done.stderr


@pytest.fixture
def cache(app):
    """A build cache, and what a killed build has left behind."""
    run("docker", "volume", "create", f"cache-{app}")
    return f"cache-{app}"


def exists(volume):
    return run("docker", "volume", "inspect", volume, check=False).returncode == 0


def test_purge_cache(server, app, cache, busybox_image):
    labels = ("--label=com.dokku.image-stage=build", f"--label=com.dokku.app-name={app}")
    left = run("docker", "container", "create", *labels, f"--volume={cache}:/cache", busybox_image).stdout.strip()
    server.dokku("repo:purge-cache", app)
    assert not exists(cache)
    assert run("docker", "container", "inspect", left, check=False).returncode
    server.dokku("repo:purge-cache", app)


def test_a_cache_in_use_stays_and_says_so(server, app, cache, busybox_image):
    user = run(
        "docker", "container", "create", f"--name={app}-user", f"--volume={cache}:/cache", busybox_image
    ).stdout.strip()
    done = server.dokku("repo:purge-cache", app, check=False)
    run("docker", "rm", user)
    assert done.returncode == 1 and f"cannot remove the build cache of {app}" in done.stderr
    assert exists(cache)


def test_another_stack_starts_with_an_empty_cache(server, app, cache):
    server.dokku("buildpacks:set-property", app, "stack", "example/image")
    assert not exists(cache)
    run("docker", "volume", "create", cache)
    server.dokku("buildpacks:set-property", "--global", "stack", "example/image")
    server.dokku("buildpacks:set-property", "--global", "stack")
    assert not exists(cache)


def test_the_cache_goes_with_its_app(server, app, cache):
    server.dokku("apps:destroy", app, "--force")
    assert not exists(cache)


@pytest.mark.parametrize("command", ["repo:gc", "repo:purge-cache"])
def test_an_app_that_is_not_there(server, command):
    assert server.dokku(command, "no-such-app", check=False).returncode == 20
