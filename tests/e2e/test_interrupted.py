"""A deploy is killed with -9 at every step in turn: the old version answers, and the next push is as if nothing was."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.apps import commit, make_repo, web_app
from tests.e2e.observe import answer, containers, only, serves, settles, unfinished, url
from tests.server import run

# in the order in which a push fires them; 00-killer comes first among the hooks of each
POINTS = [
    "core-post-extract", "post-extract", "builder-detect", "pre-receive-app", "builder-build", "pre-build-dockerfile",
    "post-build-dockerfile", "release-and-deploy", "pre-release-builder", "builder-release", "post-release-builder",
    "pre-deploy", "docker-args-deploy", "scheduler-deploy", "post-container-create", "check-deploy", "core-post-deploy",
    "network-get-listeners", "nginx-pre-reload", "post-deploy", "scheduler-register-retired", "deploy-source-set",
]  # fmt: skip
SWITCHED = POINTS.index("nginx-pre-reload")  # from here on the new version may have taken over already

# Kill what runs this deploy, up to what sshd started, the way a power cut would: all of it at one stroke.
KILLER = """#!/bin/bash
[[ -s {base}/kill-at && "$(<{base}/kill-at)" == "${{0##*/}}" ]] || exit 0
: > {base}/kill-at
tree=() top=$PPID
while [[ "$(ps -o comm= -p "$(ps -o ppid= -p "$top" | tr -d ' ')")" != sshd ]]; do
  top="$(ps -o ppid= -p "$top" | tr -d ' ')"
  [[ "$top" -gt 1 ]] || break
done
below() {{
  local child
  for child in $(ps -o pid= --ppid "$1"); do [[ "$child" == "$$" ]] || below "$child"; done
  tree+=("$1")
}}
below "$top"
echo "${{0##*/}} ${{#tree[@]}}" >> {base}/killed
kill -9 "${{tree[@]}}"
kill -9 $$
"""


@pytest.fixture
def killer(server, add_plugin):
    for name in ("kill-at", "killed"):
        (server.base / name).write_text("")
        (server.base / name).chmod(0o666)
    add_plugin("00-killer", {point: KILLER.format(base=server.base) for point in POINTS})

    def push_and_kill(point, repo, app):
        (server.base / "kill-at").write_text(point)
        done = server.push(repo, app, check=False)
        killed = (server.base / "killed").read_text().splitlines()
        assert killed and killed[-1].startswith(f"{point} "), f"{point} was not reached:\n{done.stderr}"
        assert int(killed[-1].split()[1]) >= 2  # git receive-pack and dokku, at least
        return done

    return push_and_kill


@pytest.fixture(scope="module")
def shared(server, busybox_image, tmp_path_factory):
    """One app for all points: each starts from what the one before has left after its recovery."""
    name = server.app("killed")
    repo = make_repo(tmp_path_factory.mktemp("killed") / "repo", web_app("start"))
    server.push(repo, name)
    server.dokku("checks:set", name, "wait-to-retire", "1")
    yield name, repo
    server.dokku("apps:destroy", name, "--force", check=False)


@pytest.mark.parametrize("point", POINTS)
def test_killed_at(server, killer, shared, point):
    app, repo = shared
    old = answer(server, url(server, app))[1]
    new, after = f"killed at {point}", f"after {point}"
    commit(repo, {"www/index.html": new})
    done = killer(point, repo, app)
    assert done.returncode != 0
    status, text = answer(server, url(server, app))
    assert status == "200" and text in ((old,) if POINTS.index(point) < SWITCHED else (old, new))
    assert settles(lambda: not processes_of(server)), processes_of(server)

    commit(repo, {"www/index.html": after})
    server.push(repo, app)
    serves(server, app, after)
    only(app, "web.1")
    assert unfinished(server) == []
    assert records(server, app) == live_files(server, app)
    assert len(images_left_over(app)) <= 1  # that of the killed deploy's container, gone with the next deploy
    assert not (server.lib / "data/apps" / app / ".deploy.lock").exists()


def processes_of(server):
    """Commands of the dokku user that still run a deploy."""
    found = run("ps", "-u", server.user, "-o", "args=", check=False).stdout.splitlines()
    return [line for line in found if "git-receive-pack" in line or "git-hook" in line or "docker build" in line]


def records(server, app):
    return sorted(path.name for path in (server.root / app).glob("*.web.*"))


def live_files(server, app):
    return ["CONTAINER.web.1", "IP.web.1", "PORT.web.1"]


def images_left_over(app):
    """Images of the app without a name: what a build left that became no release."""
    argv = ["docker", "images", "-q", "--filter", f"label=com.dokku.app-name={app}", "--filter", "dangling=true"]
    return run(*argv).stdout.split()


def test_killed_on_the_very_first_push(server, killer, app, busybox_image, tmp_path):
    repo = make_repo(tmp_path / "repo", web_app("first"))
    for point in ("core-post-extract", "check-deploy"):
        assert killer(point, repo, app).returncode != 0
    server.push(repo, app)
    serves(server, app, "first")
    only(app, "web.1")
    assert unfinished(server) == []


def test_a_killed_scale_is_finished_by_the_next_command(server, add_plugin, shared):
    app, _ = shared
    before = answer(server, url(server, app))
    process = subprocess.Popen(
        server.ssh_argv("ps:scale", app, "web=2"), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    assert settles(lambda: len(containers(app)) == 2)
    for pid in pids_of(server, "ps:scale"):
        os.kill(pid, 9)
    process.wait()
    assert answer(server, url(server, app)) == before
    server.ssh("ps:scale", app, "web=1")
    only(app, "web.1")
    assert answer(server, url(server, app)) == before


def pids_of(server, word):
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if word.encode() in path.read_bytes() and path.owner() == server.user:
                found.append(int(path.parent.name))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return found
