"""git: pushes, and every other way of bringing code into an app (commands-b.md 1 and 2)."""

import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.apps import BUSYBOX, commit, failing_build, failing_check, make_app, make_repo, web_app
from tests.plugins.modules import plugin_module
from tests.server import run

repo_module = plugin_module("git", "repo")
sync_module = plugin_module("git", "sync")


@pytest.mark.parametrize("name", ["main", "feature/x", "v1.0", "a-b_c", "ä", "refs/heads/x"])
def test_branch_names(name):
    assert repo_module.is_branch_name(name)


@pytest.mark.parametrize(
    "name",
    ["", "-x", "a..b", "a b", "a~1", "a^", "a:b", "a?", "a*", "a[", "a\\b", "/a", "a/", "a//b", "a.", ".a", "a/.b",
     "a.lock", "a.lock/b", "@", "a@{1}", "a\x7f", "a\nb", "--upload-pack=x"],
)  # fmt: skip
def test_what_is_no_branch_name(name):
    assert not repo_module.is_branch_name(name)


@pytest.mark.parametrize(
    ("remote", "shown"),
    [
        ("https://u:secret@example.com/x.git", "https://example.com/x.git"),
        ("https://example.com/a@b", "https://example.com/a@b"),
        ("git@example.com:x", "git@example.com:x"),
    ],
)
def test_a_password_in_a_remote_is_not_shown(remote, shown):
    assert sync_module.shown(remote) == shown


@pytest.mark.parametrize("remote", ["-x", "--upload-pack=id", "ext::sh -c id", "fd::17", "relative/path", "", "a::b"])
def test_remotes_that_are_refused(remote):
    with pytest.raises(repo_module.Failure):
        sync_module.check_remote(remote)


def last_words(failed):
    """The last lines that the server said, as the developer sees them."""
    return [line.removeprefix("remote:").strip() for line in failed.stderr.splitlines() if line.startswith("remote:")][-3:]


def files_of(app):
    return set(run("docker", "run", "--rm", f"dokku/{app}:latest", "ls", "-a", "/app").stdout.split())


def served(server, app):
    """What the app's container answers, asked from within it: whatever the proxy does."""
    inside = ("docker", "exec", f"{app}.web.1", "wget", "-qO-", "http://127.0.0.1:5000/")
    return run(*inside, check=False).stdout


def work_left(server, app):
    work = server.lib / "data/git" / app / "work"
    return os.listdir(work) if work.exists() else []


def test_a_push_makes_the_app_and_deploys_it(server, app, tmp_path):
    repo = make_app(server, app, web_app("one"), tmp_path)
    head = run("git", "-C", repo, "rev-parse", "HEAD").stdout.strip()
    assert served(server, app) == "one"
    assert server.dokku("config:get", app, "GIT_REV").stdout.strip() == head
    report = json.loads(server.dokku("git:report", app, "--format", "json").stdout)
    assert (report["sha"], report["deploy-branch"]) == (head, "main")
    assert report["last-updated-at"].isdigit()
    report = json.loads(server.dokku("apps:report", app, "--format", "json").stdout)
    assert (report["deploy-source"], report["deploy-source-metadata"]) == ("git-push", head)
    assert work_left(server, app) == []

    run("git", "clone", "-q", server.remote(app), tmp_path / "clone", env=server.git_env())
    assert (tmp_path / "clone/www/index.html").read_text() == "one"


def test_a_failure_rejects_the_push_says_why_last_and_changes_nothing(server, app, tmp_path):
    repo = make_app(server, app, web_app("one"), tmp_path)
    good = server.dokku("config:get", app, "GIT_REV").stdout
    for broken, why in ((failing_build(), "no compiler in sight"), (failing_check(), "web.1")):
        commit(repo, broken)
        failed = server.push(repo, app, check=False)
        assert failed.returncode == 1
        assert "[remote rejected]" in failed.stderr
        assert "!" in last_words(failed)[-1]
        assert why in failed.stderr
        assert any("failed" in line for line in last_words(failed))
        assert served(server, app) == "one"
        assert server.dokku("config:get", app, "GIT_REV").stdout == good
        assert server.dokku("git:report", app, "--git-sha").stdout == good
        assert work_left(server, app) == []
    commit(repo, web_app("two"))
    server.push(repo, app)
    assert served(server, app) == "two"


def test_a_first_push_that_fails_leaves_the_choice_of_a_branch_open(server, app, tmp_path):
    repo = make_repo(tmp_path / "repo", failing_build())
    assert server.push(repo, app, "HEAD:refs/heads/wrong", check=False).returncode == 1
    assert server.dokku("git:report", app, "--git-deploy-branch").stdout == "\n"
    commit(repo, web_app("one"))
    server.push(repo, app, "HEAD:refs/heads/right")
    assert server.dokku("git:report", app, "--git-deploy-branch").stdout == "right\n"
    assert served(server, app) == "one"


def test_only_the_deploy_branch_deploys(server, app, tmp_path):
    repo = make_app(server, app, web_app("one"), tmp_path)
    other = commit(repo, web_app("two"))
    pushed = server.push(repo, app, "HEAD:refs/heads/feature/x")
    assert "deploy did not complete, you must push to main" in pushed.stderr
    assert served(server, app) == "one"
    refs = run("git", f"--git-dir={server.root}/{app}", "-c", "safe.directory=*", "for-each-ref").stdout
    assert f"{other} commit\trefs/heads/feature/x" in refs

    server.dokku("git:set", app, "deploy-branch", "feature/x")
    server.dokku("ps:rebuild", app)
    assert served(server, app) == "two"
    assert (server.root / app / "HEAD").read_text() == "ref: refs/heads/feature/x\n"

    gone = server.push(repo, app, ":refs/heads/feature/x", check=False)
    assert gone.returncode == 1
    assert "is the deploy branch" in gone.stderr
    assert server.push(repo, app, ":refs/heads/main").returncode == 0


def test_of_several_branches_at_once_the_main_one_is_deployed(server, app, tmp_path):
    repo = make_repo(tmp_path / "repo", web_app("main"))
    run("git", "-C", repo, "switch", "-q", "-c", "aaa")
    commit(repo, web_app("other"))
    run("git", "-C", repo, "tag", "v1")
    env = server.git_env()
    run("git", "-C", repo, "push", "-q", server.remote(app), "aaa", "main", "v1", env=env)
    assert server.dokku("git:report", app, "--git-deploy-branch").stdout == "main\n"
    assert served(server, app) == "main"


def test_the_second_of_two_pushes_is_told_to_wait(server, app, tmp_path):
    files = web_app("one")
    files["Dockerfile"] += "RUN sleep 4\n"
    repo = make_repo(tmp_path / "repo", files)
    argv = ["git", "-C", str(repo), "push", server.remote(app), "HEAD:refs/heads/main"]
    first = subprocess.Popen(argv, env=server.git_env(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: server.dokku("apps:locked", app, check=False).returncode == 0)
        second = make_repo(tmp_path / "second", web_app("two"))
        refused = server.push(second, app, check=False)
        assert refused.returncode == 1
        assert f"{app} currently has a deploy lock in place" in refused.stderr
    finally:
        assert first.wait(timeout=120) == 0
    assert served(server, app) == "one"
    assert server.dokku("apps:locked", app, check=False).returncode == 1


def wait_for(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never came about"
        time.sleep(0.1)


def test_the_operators_lock_bars_a_push(server, app, tmp_path):
    server.dokku("apps:create", app)
    server.dokku("apps:lock", app)
    refused = server.push(make_repo(tmp_path / "repo", web_app()), app, check=False)
    assert refused.returncode == 1
    assert f"{app} is locked" in refused.stderr


def processes(*words):
    """pids of what runs with all of these words in its argv."""
    lines = run("ps", "axww", "-o", "pid=,args=").stdout.splitlines()
    return [int(line.split(None, 1)[0]) for line in lines if all(word in line for word in words)]


def test_a_killed_deploy_leaves_nothing_that_the_next_one_minds(server, app, tmp_path):
    files = web_app("one")
    pause = f"sleep 300.{os.getpid()}"  # like no other process on this machine
    files["Dockerfile"] += f"RUN {pause}\n"
    repo = make_repo(tmp_path / "repo", files)
    argv = ["git", "-C", str(repo), "push", server.remote(app), "HEAD:refs/heads/main"]
    push = subprocess.Popen(argv, env=server.git_env(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: processes(pause), 60)
        for pid in processes(f"git-hook {app}") + processes("image build", f"dokku/{app}:latest"):
            os.kill(pid, signal.SIGKILL)
        push.wait(timeout=60)
        assert work_left(server, app) != []  # killed at once: it could not tidy up
    finally:
        for pid in processes(pause):
            os.kill(pid, signal.SIGKILL)

    commit(repo, web_app("two"))
    server.push(repo, app)
    assert served(server, app) == "two"
    assert work_left(server, app) == []


def test_export_ignore_and_keep_git_dir(server, app, tmp_path):
    repo = make_app(server, app, {**web_app(), ".gitattributes": "docs export-ignore\n", "docs": "x"}, tmp_path)
    assert "docs" not in files_of(app)
    assert ".git" not in files_of(app)
    server.dokku("git:set", app, "keep-git-dir", "true")
    commit(repo, {"more": "x"})
    server.push(repo, app)
    assert {".git", "more"} <= files_of(app)
    log = run("docker", "run", "--rm", f"dokku/{app}:latest", "cat", "/app/.git/HEAD").stdout
    assert log == "ref: refs/heads/main\n"
    listed = run("docker", "run", "--rm", f"dokku/{app}:latest", "find", "/app/.git/objects").stdout
    assert ".pack" in listed
    assert "alternates" not in listed


def test_submodules_come_along_but_not_from_this_machine(server, app, tmp_path):
    repo = make_repo(tmp_path / "repo", web_app())
    make_repo(tmp_path / "lib", {"lib.txt": "x"})
    run("git", "-C", repo, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", f"{tmp_path}/lib", "vendor")
    commit(repo, {})
    failed = server.push(repo, app, check=False)
    assert failed.returncode == 1
    assert "cannot fetch the submodules" in failed.stderr

    port = server.ssh_port + 20000
    daemon = ["git", "daemon", "--export-all", "--reuseaddr", "--listen=127.0.0.1", f"--port={port}"]
    served_by = subprocess.Popen([*daemon, f"--base-path={tmp_path}"], stderr=subprocess.DEVNULL)
    try:
        time.sleep(0.5)
        run("git", "-C", repo, "submodule", "set-url", "vendor", f"git://127.0.0.1:{port}/lib/.git")
        commit(repo, {})
        server.push(repo, app)
    finally:
        served_by.terminate()
        served_by.wait()
    listed = run("docker", "run", "--rm", f"dokku/{app}:latest", "ls", "-a", "/app/vendor").stdout
    assert listed.split() == [".", "..", "lib.txt"]


def test_hooks_of_plugins_see_the_source_and_their_failure_ends_the_push(server, app, tmp_path, add_plugin):
    note = tmp_path / "note"
    note.touch()
    note.chmod(0o666)
    for parent in note.parents[:3]:
        parent.chmod(0o755)
    script = f'#!/bin/sh\n{{ echo "${{0##*/}} $*"; pwd; ls; env | grep ^GIT_; }} >> {note}\n'
    add_plugin("watcher", {"post-extract": script + "touch added\n", "pre-receive-app": f'#!/bin/sh\necho "$2" >> {note}\n'})
    repo = make_app(server, app, web_app(), tmp_path)
    head = run("git", "-C", repo, "rev-parse", "HEAD").stdout.strip()
    said = note.read_text()
    trigger, name, work, rev = said.split("\n")[0].split()
    assert (trigger, name, rev) == ("post-extract", app, head)
    assert said.split("\n")[1] == work
    assert "web.sh" in said
    assert "GIT_QUARANTINE_PATH" not in said
    assert said.endswith("dockerfile\n")
    assert "added" in files_of(app)

    add_plugin("veto", {"pre-receive-app": "#!/bin/sh\necho not today >&2\nexit 7\n"})
    commit(repo, web_app("two"))
    refused = server.push(repo, app, check=False)
    assert refused.returncode == 1
    assert "not today" in last_words(refused)[-1]


def test_other_branches_can_belong_to_a_plugin(server, app, tmp_path, add_plugin):
    repo = make_app(server, app, web_app(), tmp_path)
    add_plugin("branches", {"receive-branch": '#!/bin/sh\necho "got $1 $3"\n'})
    commit(repo, {"x": "y"})
    pushed = server.push(repo, app, "HEAD:refs/heads/review")
    assert f"got {app} refs/heads/review" in pushed.stderr


def test_names_that_git_hands_us_are_checked(server):
    for name in ("../etc", "-oProxyCommand=x", "UPPER", "a b", "/", ".."):
        refused = server.ssh(f"git-receive-pack '{name}'", check=False)
        assert refused.returncode != 0
        assert refused.stdout == ""
    unknown = server.ssh(f"git-upload-pack '{server.app('unknown')}'", check=False)
    assert unknown.returncode == 20
    assert not (server.root / server.app("unknown")).exists()


def test_the_hook_takes_nothing_but_what_git_gives_it(server, app):
    server.dokku("apps:create", app)
    for line in ("x", "a b c", f"{'0' * 40} -x refs/heads/main"):
        assert server.dokku("git-hook", app, input=f"{line}\n", check=False).returncode == 1
    unknown = server.dokku("git-hook", app, input=f"{'0' * 40} {'1' * 40} refs/heads/main\n", check=False)
    assert "has no commit" in unknown.stderr


def test_settings(server, app):
    server.dokku("apps:create", app)
    for key, value in (("deploy-branch", "a..b"), ("keep-git-dir", "maybe"), ("rev-env-var", "1x"),
                       ("archive-max-size", "0"), ("nonsense", "x")):  # fmt: skip
        assert server.dokku("git:set", app, key, value, check=False).returncode == 1
    server.dokku("git:set", app, "rev-env-var", "SHA")
    assert server.dokku("git:report", app, "--git-rev-env-var").stdout == "SHA\n"
    server.dokku("git:set", app, "rev-env-var")
    assert server.dokku("git:report", app, "--git-rev-env-var").stdout == "\n"
    refused = server.dokku("ps:rebuild", app, check=False)
    assert "there are no commits stored at that branch" in refused.stderr or refused.returncode == 0
    refused = server.dokku("plugin:trigger", "receive-app", app, check=False)
    assert "Cannot build from 'master' as there are no commits stored at that branch." in refused.stderr


def test_files_that_follow_an_app_do_not_end_in_what_plugins_have_linked_there(server, app, add_plugin, tmp_path):
    shared, renamed, again = server.lib / "data/shared", f"{app}-r", f"{app}-s"
    shared.mkdir()
    (shared / "server.crt").write_text("for all")
    script = f'mkdir -p "$DOKKU_ROOT/$1/tls"; ln -s {shared}/server.crt "$DOKKU_ROOT/$1/tls/server.crt"'
    add_plugin("shares", {"post-create": f"#!/bin/sh\n{script}\n"})
    server.dokku("apps:create", app)
    try:
        server.dokku("apps:rename", app, renamed)
        certificate = server.root / renamed / "tls/server.crt"
        assert (certificate.is_symlink(), certificate.read_text()) == (True, "for all")
        certificate.unlink()
        certificate.write_text("its own")
        server.dokku("apps:rename", renamed, again)
        assert (server.root / again / "tls/server.crt").read_text() == "its own"
        assert (shared / "server.crt").read_text() == "for all"
    finally:
        for name in (renamed, again):
            server.dokku("--force", "apps:destroy", name, check=False)
        run("rm", "-rf", shared)


def test_a_repository_and_what_is_to_be_said_of_it(server, app, tmp_path):
    server.dokku("apps:create", app)
    shutil.rmtree(server.root / app / "refs")
    (server.root / app / "hooks/pre-receive").unlink()
    for _ in range(2):
        server.dokku("git:initialize", app)
    assert os.access(server.root / app / "hooks/pre-receive", os.X_OK)
    assert server.dokku("git:status", app).stdout == "On branch master\nNo commits yet\n"
    assert "there is nothing to remove" in server.dokku("git:unlock", app, "--force").stdout
    repo = make_repo(tmp_path / "src", {"a": "x"})
    shown = json.loads(server.dokku("git:report", app, "--format", "json").stdout)
    assert (shown["sha"], shown["last-updated-at"], shown["source-image"]) == ("", "", "")
    run("git", "-C", server.root / app, "-c", "safe.directory=*", "fetch", "-q", repo, "main:master")
    run("chown", "-R", f"{server.user}:{server.user}", server.root / app)
    shown = json.loads(server.dokku("git:report", app, "--format", "json").stdout)
    assert shown["sha"] == run("git", "-C", repo, "rev-parse", "HEAD").stdout.strip()
    assert abs(int(shown["last-updated-at"]) - time.time()) < 600
    assert re.fullmatch(r"On branch master\n[0-9a-f]{7,} change \(t, .*\)\n", server.dokku("git:status", app).stdout)


def test_a_clone_and_a_renamed_app_have_the_code_and_run(server, app, tmp_path):
    make_app(server, app, web_app("one"), tmp_path)
    clone, renamed = f"{app}-c", f"{app}-r"
    try:
        server.dokku("apps:clone", app, clone)
        assert served(server, clone) == "one"
        assert clone in (server.root / clone / "hooks/pre-receive").read_text()
        server.dokku("apps:rename", "--skip-deploy", clone, renamed)
        assert served(server, clone) == served(server, renamed) == ""
        server.dokku("ps:rebuild", renamed)
        assert served(server, renamed) == "one"
        assert served(server, app) == "one"
    finally:
        for name in (clone, renamed):
            server.dokku("--force", "apps:destroy", name, check=False)


# from an image


def test_an_image_is_deployed(server, app, tmp_path):
    make_app(server, app, web_app("one"), tmp_path)
    image = f"dokku/{app}:given"
    run("docker", "tag", f"dokku/{app}:latest", image)
    other = f"{app}-i"
    server.dokku("apps:create", other)
    try:
        done = server.dokku("git:from-image", other, image, "Jo Doe", "jo@example.com")
        assert "Image exists on host, skipping pull" in done.stdout
        assert served(server, other) == "one"
        assert server.dokku("git:report", other, "--git-source-image").stdout == f"{image}\n"
        assert server.dokku("apps:report", other, "--app-deploy-source").stdout == "docker-image\n"
        shown = run("git", f"--git-dir={server.root}/{other}", "-c", "safe.directory=*", "log", "--format=%an %ae %s").stdout
        assert shown == "Jo Doe jo@example.com Initial commit\n"

        again = server.dokku("git:from-image", other, image, check=False)
        assert again.returncode == 1
        assert "No changes detected, skipping git commit" in again.stderr
        run("docker", "tag", image, f"dokku/{app}:loaded")
        saved = subprocess.run(["docker", "save", f"dokku/{app}:loaded"], capture_output=True, check=True).stdout
        argv = [server.bin / "dokku", "git:load-image", other, f"dokku/{app}:loaded"]
        subprocess.run(argv, input=saved, env=server.env, check=True, capture_output=True)
        assert server.dokku("git:report", other, "--git-source-image").stdout == f"dokku/{app}:loaded\n"
        assert server.dokku("git:from-image", other, "--help me", check=False).returncode != 0
        missing = server.dokku("git:from-image", other, "localhost:1/none", check=False)
        assert "Failed to pull image: localhost:1/none" in missing.stderr
        assert server.dokku("git:report", other, "--git-source-image").stdout == f"dokku/{app}:loaded\n"
    finally:
        server.dokku("--force", "apps:destroy", other, check=False)


def test_a_build_dir_is_what_the_image_is_built_on_with(server, app):
    """An image may ask for files with ONBUILD; --force asks the registry also for what is here."""
    image, place = f"dokku/{app}:onbuild", server.base / f"{app}-files"
    run("docker", "build", "-q", "-t", image, "-", input=f"FROM {BUSYBOX}\nONBUILD COPY . /app\nCMD sleep 1000\n")
    place.mkdir()
    (place / "given.txt").write_text("x")
    server.dokku("apps:create", app)
    try:
        server.dokku("checks:disable", app)
        server.dokku("git:from-image", "--build-dir", str(place), app, image)
        assert "given.txt" in files_of(app)
        forced = server.dokku("git:from-image", "--force", app, image, check=False)
        assert forced.returncode == 1
        assert "Force pulling image" in forced.stdout and f"Failed to pull image: {image}" in forced.stderr
        refused = server.dokku("git:from-image", "--build-dir", str(server.root), app, image, check=False)
        assert "dokku keeps its own files there" in refused.stderr
    finally:
        shutil.rmtree(place)


def test_a_failed_image_deploy_can_be_tried_again(server, app, add_plugin):
    server.dokku("apps:create", app)
    plugin = add_plugin("veto", {"pre-receive-app": "#!/bin/sh\nexit 7\n"})
    failed = server.dokku("git:from-image", app, BUSYBOX, check=False)
    assert failed.returncode == 7
    assert server.dokku("git:report", app, "--git-sha").stdout == "\n"
    assert server.dokku("git:report", app, "--git-source-image").stdout == "\n"
    (plugin / "pre-receive-app").write_text("#!/bin/sh\necho second try\nexit 8\n")
    again = server.dokku("git:from-image", app, BUSYBOX, check=False)
    assert again.returncode == 8
    assert "second try" in again.stdout


# from an archive


def test_archives_are_deployed(server, app, tmp_path):
    source = make_repo(tmp_path / "src", web_app("one"))
    run("git", "-C", source, "archive", "--format=tar", "--prefix=app-1.0/", "--output", tmp_path / "a.tar", "HEAD")
    server.dokku("apps:create", app)
    deploy = [server.bin / "dokku", "git:from-archive"]
    with open(tmp_path / "a.tar") as data:
        argv = [*deploy, app, "--", "Jo Doe", "jo@example.com"]
        subprocess.run(argv, stdin=data, env=server.env, check=True, capture_output=True)
    assert served(server, app) == "one"
    shown = run("git", f"--git-dir={server.root}/{app}", "-c", "safe.directory=*", "log", "-1", "--format=%an %ae").stdout
    assert shown == "Jo Doe jo@example.com\n"
    assert server.dokku("apps:report", app, "--app-deploy-source").stdout == "tar\n"

    commit(source, web_app("two"))
    run("git", "-C", source, "archive", "--format=zip", "--output", tmp_path / "a.zip", "HEAD")
    web = subprocess.Popen(["busybox", "httpd", "-f", "-p", f"127.0.0.1:{server.ssh_port + 20001}", "-h", str(tmp_path)])
    try:
        time.sleep(0.3)
        url = f"http://127.0.0.1:{server.ssh_port + 20001}/a.zip"
        server.dokku("git:from-archive", "--archive-type", "zip", app, url)
        missing = server.dokku("git:from-archive", app, url + ".none", check=False)
        assert "cannot fetch the archive" in missing.stderr
    finally:
        web.terminate()
        web.wait()
    assert served(server, app) == "two"
    assert server.dokku("apps:report", app, "--app-deploy-source-metadata").stdout == f"{url}\n"
    for argv in ((app, "file:///etc/passwd"), ("--archive-type", "rar", app, url), (app,)):
        assert server.dokku("git:from-archive", *argv, check=False).returncode == 1


def test_limits_of_archives_hold(server, app, tmp_path):
    server.dokku("apps:create", app)
    (tmp_path / "Dockerfile").write_text("x" * 5000)
    run("tar", "-C", tmp_path, "-cf", tmp_path / "a.tar", "Dockerfile")
    server.dokku("git:set", "--global", "archive-max-size", "4000")
    try:
        with open(tmp_path / "a.tar") as data:
            argv = [server.bin / "dokku", "git:from-archive", app, "--"]
            refused = subprocess.run(argv, stdin=data, env=server.env, check=False, capture_output=True, text=True)
    finally:
        server.dokku("git:set", "--global", "archive-max-size")
    assert refused.returncode == 1
    assert "exceeds maximum allowed size" in refused.stderr
    assert "[archive-security]" in refused.stderr
    assert work_left(server, app) == []


# from another repository


@pytest.fixture
def remote(server, tmp_path):
    """A repository beside the server's own, with the branches main and dev and the tag v1 of main's first commit."""
    repo = make_repo(tmp_path / "src", web_app("one"))
    run("git", "-C", repo, "tag", "v1")
    run("git", "-C", repo, "switch", "-q", "-c", "dev")
    commit(repo, web_app("dev"))
    run("git", "-C", repo, "switch", "-q", "main")
    commit(repo, web_app("two"))
    place = server.base / "remote"
    shutil.rmtree(place, ignore_errors=True)
    run("git", "clone", "-q", "--bare", repo, place)
    run("chown", "-R", f"{server.user}:{server.user}", place)
    yield str(place)
    shutil.rmtree(place)


def sha(remote, ref):
    return run("git", f"--git-dir={remote}", "-c", "safe.directory=*", "rev-parse", ref).stdout


def test_sync_follows_branches_tags_and_commits(server, app, remote):
    server.dokku("apps:create", app)
    stored = ("git:report", app, "--git-sha")
    server.dokku("git:sync", app, remote)
    assert server.dokku(*stored).stdout == sha(remote, "main")
    assert server.dokku("git:report", app, "--git-deploy-branch").stdout == "main\n"
    for ref in ("dev", "v1", sha(remote, "dev").strip(), sha(remote, "main")[:8]):
        server.dokku("git:sync", app, f"file://{remote}", ref)
        assert server.dokku(*stored).stdout == sha(remote, ref)
    assert server.dokku("git:report", app, "--git-deploy-branch").stdout == "main\n"
    assert run("docker", "ps", "-aq", "--filter", f"name={app}").stdout == ""  # nothing was built

    unknown = server.dokku("git:sync", app, remote, "nope", check=False)
    assert unknown.returncode == 1
    assert "has no branch, tag or commit nope" in unknown.stderr
    assert server.dokku("git:sync", app, f"{server.root}/{app}", check=False).returncode == 1


def test_sync_builds_when_asked(server, app, remote):
    server.dokku("apps:create", app)
    server.dokku("git:sync", "--build-if-changes", app, remote, "v1")
    assert served(server, app) == "one"
    assert server.dokku("git:report", app, "--git-deploy-branch").stdout == "\n"
    source = server.dokku("apps:report", app, "--app-deploy-source-metadata").stdout
    assert source == f"{remote}#{sha(remote, 'v1')}"
    again = server.dokku("git:sync", "--build-if-changes", app, remote, "v1")
    assert "Skipping build as no changes were detected" in again.stdout
    server.dokku("git:sync", "--build", app, remote, "main")
    assert served(server, app) == "two"


def test_sync_may_leave_the_deploy_branch_alone(server, app, remote):
    server.dokku("apps:create", app)
    server.dokku("git:sync", "--skip-deploy-branch", app, remote, "dev")
    assert server.dokku("git:report", app, "--git-deploy-branch").stdout == "\n"
    assert server.dokku("git:report", app, "--git-sha").stdout == sha(remote, "dev")
    assert (server.root / app / "refs/heads/master").exists()


@pytest.fixture
def guarded(remote):
    """URL of the remote as a web server serves it to who gives the right password."""
    run("git", f"--git-dir={remote}", "-c", "safe.directory=*", "update-server-info")

    class Guard(SimpleHTTPRequestHandler):
        def do_GET(self):
            if self.headers.get("Authorization") == "Basic am86czNjcmV0":  # jo:s3cret
                return super().do_GET()
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="test"')
            self.end_headers()

        def log_message(self, *_):
            pass

    web = ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: Guard(*args, directory=remote))
    threading.Thread(target=web.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{web.server_port}/"
    web.shutdown()
    web.server_close()


def test_sync_gives_the_password_it_was_told(server, app, remote, guarded):
    server.dokku("apps:create", app)
    refused = server.dokku("git:sync", app, guarded, check=False)
    assert refused.returncode == 1 and "dokku git:auth" in refused.stderr
    server.dokku("git:auth", "127.0.0.1", "jo", input="s3cret\n")
    try:
        server.ssh("git:sync", app, guarded)
    finally:
        server.dokku("git:auth", "127.0.0.1")
    assert server.dokku("git:report", app, "--git-sha").stdout == sha(remote, "main")


def test_a_sync_whose_build_fails_will_try_again(server, app, remote, add_plugin):
    server.dokku("apps:create", app)
    add_plugin("veto", {"pre-receive-app": "#!/bin/sh\nexit 7\n"})
    for _ in range(2):
        assert server.dokku("git:sync", "--build-if-changes", app, remote, check=False).returncode == 7
    assert server.dokku("git:report", app, "--git-sha").stdout == "\n"


# access to other places


def test_netrc_entries_come_and_go(server):
    netrc = server.root / ".netrc"
    server.dokku("git:auth", "git.example", "me", "s3cret")
    assert "machine git.example login me password s3cret\n" in netrc.read_text()
    assert netrc.stat().st_mode & 0o777 == 0o600
    assert server.dokku("git:auth-status", "git.example", check=False).returncode == 1
    assert server.dokku("git:auth-status", "git.example", "me", "s3cret").returncode == 0
    assert server.dokku("git:auth-status", "git.example", "me", "other", check=False).returncode == 1
    server.dokku("git:auth", "git.example", "me", input="piped\n")
    assert netrc.read_text().count("machine git.example") == 1
    assert server.dokku("git:auth-status", "git.example", "me", "piped").returncode == 0
    missing = server.dokku("git:auth", "git.example", "me", check=False)
    assert "Missing password for netrc auth entry" in missing.stderr
    for bad in ("a b", "x\nmachine evil", '"quoted'):
        assert server.dokku("git:auth", "git.example", "me", bad, check=False).returncode == 1
    server.dokku("git:auth", "git.example")
    assert server.dokku("git:auth-status", "git.example").returncode == 0
    assert "git.example" not in netrc.read_text()


def test_deploy_key_and_known_hosts(server):
    assert server.dokku("git:public-key", check=False).returncode == 1
    try:
        server.dokku("git:generate-deploy-key")
        public = server.dokku("git:public-key").stdout
        assert public.startswith("ssh-ed25519 ")
        assert server.dokku("git:generate-deploy-key").returncode == 0
        assert server.dokku("git:public-key").stdout == public

        host = f"127.0.0.1:{server.ssh_port}"
        assert server.dokku("git:allow-host", host).stdout == f"{host} added to known hosts\n"
        assert f"[127.0.0.1]:{server.ssh_port} " in (server.root / ".ssh/known_hosts").read_text()
        for bad in ("", "-x", "a b", "127.0.0.1:1"):
            assert server.dokku("git:allow-host", bad, check=False).returncode != 0
    finally:
        for name in ("id_ed25519", "id_ed25519.pub", "known_hosts"):
            (server.root / ".ssh" / name).unlink(missing_ok=True)
