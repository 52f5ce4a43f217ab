"""storage: what outlives a container, who owns it, and what a mount may not be (commands-a.md 13)."""

import json
import os
import subprocess

import pytest

from dokku_min.errors import Failure
from tests.apps import make_app, web_app
from tests.plugins.helpers import refused
from tests.plugins.modules import plugin_module
from tests.server import run

directories = plugin_module("storage", "directories")
entries = plugin_module("storage", "entries")
mounts = plugin_module("storage", "mounts")


@pytest.mark.parametrize(
    "text, parsed",
    [
        ("/a:/b", ("/a", "/b", False, "")),
        ("/a b:/b", ("/a b", "/b", False, "")),
        ("/a:/b:ro", ("/a", "/b", True, "")),
        ("/a:/b:z,ro,rshared", ("/a", "/b", True, "z,rshared")),
        ("my-vol:/b", ("my-vol", "/b", False, "")),
    ],
)
def test_mounts_that_are_understood(text, parsed):
    assert mounts.parse(text) == parsed


@pytest.mark.parametrize(
    "text",
    ["", "/a", ":", "/a:", ":/b", "/a:b", "a/b:/c", "v:/c", "-v:/c", "/a/../b:/c", "/a:/../c", "/a:/b:/c", "/a:/b:ro:z",
     "/a:/b:ro z", "/a\n:/b", "/a:/b:x;y", "$HOME:/b"],
)  # fmt: skip
def test_mounts_that_are_refused(text):
    with pytest.raises(Failure) as caught:
        mounts.parse(text)
    assert "Storage path must be two valid paths" in caught.value.message or "volume option" in caught.value.message


@pytest.mark.parametrize(
    "text, number", [("herokuish", 32767), ("heroku", 1000), ("packeto", 2000), ("root", 0), ("7", 7)]
)
def test_owners(text, number):
    assert directories.owner_id(text) == number


@pytest.mark.parametrize("text", ["", "nobody", "-1", "65536", "1:2", "0 0", "²"])
def test_owners_that_are_refused(text):
    with pytest.raises(Failure):
        directories.owner_id(text)
    assert directories.owner_id("false") is None


@pytest.fixture
def helper(server):
    """Run the root helper as the dokku user does, through sudo."""

    def call(*words):
        argv = ("sudo", "-u", server.user, "sudo", "-n", f"/usr/local/libexec/{server.user}-storage-directory", *words)
        return run(*argv, check=False)

    return call


def test_the_root_helper_reaches_nothing_but_directories_of_storage(server, helper, tmp_path):
    base = server.lib / "data/storage"
    victim = tmp_path / "victim"
    victim.mkdir()
    (victim / "file").write_text("x")
    for name, target in (("link", victim), ("inner", None)):
        (base / name).unlink(missing_ok=True) if target else (base / name).mkdir(exist_ok=True)
        if target:
            (base / name).symlink_to(target)
    (base / "inner/out").unlink(missing_ok=True)
    (base / "inner/out").symlink_to(victim)
    assert helper("own", "inner", "1234").returncode == 0
    assert (base / "inner").stat().st_uid == 1234 and (base / "inner/out").lstat().st_uid == 1234
    for words in (("own", "link", "1"), ("own", "../config", "1"), ("own", "/etc", "1"), ("own", "", "1"), ("own", ".", "1"),
                  ("own", "inner", "-1"), ("own", "inner", "x"), ("own", "inner"), ("mode", "link", "0777"),
                  ("remove", "link"), ("remove", ".."), ("remove", "inner", "x"), ("bogus", "inner"), ()):  # fmt: skip
        assert helper(*words).returncode != 0, words
    assert victim.stat().st_uid == 0 and (victim / "file").stat().st_uid == 0
    assert helper("remove", "inner").returncode == 0
    assert not (base / "inner").exists() and (victim / "file").exists()
    (base / "link").unlink()
    other = run("sudo", "-u", server.user, "sudo", "-n", "id", check=False)
    assert other.returncode != 0, "the dokku user may become root for this helper alone"


def test_ensure_directory(server):
    base = server.lib / "data/storage"
    done = server.dokku("storage:ensure-directory", "ensured", "--chown", "heroku")
    assert done.stdout == (
        f"-----> Ensuring {base}/ensured exists\n       Setting directory ownership to 1000:1000\n"
        "       Directory ready for mounting\n"
    )
    assert "deprecated" in done.stderr
    assert (base / "ensured").stat().st_uid == (base / "ensured").stat().st_gid == 1000
    assert (base / "ensured").stat().st_mode & 0o777 == 0o755
    (base / "ensured/deep").mkdir()
    server.dokku("storage:ensure-directory", "ensured")  # herokuish is the default, and it reaches all that is in it
    assert (base / "ensured/deep").stat().st_uid == 32767
    assert "ownership" not in server.dokku("storage:ensure-directory", "--chown", "false", "ensured").stdout


@pytest.mark.parametrize("name", ["../x", "/etc", "a/b", "a b", "a.b", ""])
def test_directories_that_are_refused(server, name):
    refused(server.dokku("storage:ensure-directory", name, check=False), "Directory can only contain")


def test_mount_list_unmount(server, fresh):
    app = fresh
    done = server.dokku("storage:mount", app, "/srv/x:/data")
    assert (done.stdout, done.stderr) == ("", "")
    server.dokku("storage:mount", app, "named-volume:/volume:ro,z")
    refused(server.dokku("storage:mount", app, "/srv/x:/data", check=False), "Mount path already exists.")
    listing = server.dokku("storage:list", app).stdout
    assert listing.startswith(f"-----> {app} volume bind-mounts:\n")
    assert "       /srv/x:/data\n" in listing and "       named-volume:/volume:ro,z\n" in listing
    assert server.dokku("--quiet", "storage:list", app).stdout.splitlines() == [
        line.strip() for line in listing.splitlines()[1:]
    ]
    found = {
        each["container_path"]: each
        for each in json.loads(server.dokku("storage:list", app, "--format", "json").stdout)
    }
    assert found["/data"]["host_path"] == "/srv/x" and "readonly" not in found["/data"]
    assert found["/volume"]["readonly"] is True and found["/volume"]["volume_options"] == "z"
    import hashlib

    assert found["/data"]["entry_name"] == f"legacy-{hashlib.sha1(b'/srv/x').hexdigest()[:10]}"
    assert found["/volume"]["entry_name"] == f"legacy-{hashlib.sha1(b'vol:named-volume').hexdigest()[:10]}"
    report = server.dokku("storage:report", app, "--storage-run-mounts").stdout
    assert sorted(report.split()) == ["-v", "-v", "/srv/x:/data", "named-volume:/volume:ro,z"]
    assert server.dokku("storage:report", app, "--storage-build-mounts").stdout == "\n"
    assert server.dokku("storage:unmount", app, "/srv/x:/data").stdout == ""
    refused(server.dokku("storage:unmount", app, "/srv/x:/data", check=False), "Mount path does not exist.")
    server.dokku("storage:unmount", app, "named-volume:/volume:ro,z")
    assert server.dokku("--quiet", "storage:list", app).stdout == ""


def test_the_life_of_an_entry(server, fresh):
    name, app = server.app("entry"), fresh
    assert server.dokku("storage:create", name, "--chown", "1234", "--mode", "0750").stdout.endswith(
        f"-----> Storage entry {name} created\n"
    )
    path = server.lib / "data/storage" / name
    assert path.stat().st_uid == 1234 and path.stat().st_mode & 0o777 == 0o750
    info = json.loads(server.dokku("storage:info", name, "--format", "json").stdout)
    assert info["host_path"] == str(path) and info["schema_version"] == 1 and info["chown"] == "1234"
    file = server.lib / f"data/storage-registry/entries/{name}.json"
    assert file.stat().st_mode & 0o777 == 0o600
    done = server.dokku(
        "storage:mount", app, name, "--container-dir", "/here", "--process-type", "web", "--volume-readonly"
    )
    assert done.stdout == f"-----> Storage entry {name} mounted at /here on {app}\n"
    done = server.dokku(
        "storage:mount", app, name, "--container-dir", "/here", "--process-type", "web", "--phase", "deploy"
    )
    assert done.stdout == f"-----> Storage entry {name} updated at /here on {app}\n"
    web = server.dokku("plugin:trigger", "docker-args-deploy", app, "latest", "web", "1").stdout
    assert f"-v {path}:/here\n" in f"{web.strip()}\n" and ":ro" not in web  # an update forgets what it does not repeat
    assert str(path) not in server.dokku("plugin:trigger", "docker-args-deploy", app, "latest", "worker", "1").stdout
    assert str(path) not in server.dokku("plugin:trigger", "docker-args-run", app, "latest").stdout
    found = json.loads(server.dokku("plugin:trigger", "storage-app-mounts", app, "deploy").stdout)
    assert found[0]["entry"]["name"] == name and found[0]["attachment"]["container_path"] == "/here"
    assert f"{name}\tdocker-local\tmounted by: {app}\n" in server.dokku("storage:report", "--global").stdout
    refused(server.dokku("storage:destroy", name, "--force", check=False), f"still mounted by app(s): {app}")
    server.dokku("storage:mount", app, name, "--container-dir", "/there")
    refused(server.dokku("storage:unmount", app, name, check=False), "--container-dir: /here, /there")
    server.dokku("storage:unmount", app, name, "--container-dir", "/here")
    server.dokku("storage:unmount", app, name)
    refused(server.dokku("storage:unmount", app, name, check=False), "is not mounted on")
    server.dokku("storage:set", name, "mode", "0700")
    assert path.stat().st_mode & 0o777 == 0o700
    server.dokku("storage:annotations:set", name, "example.com/note", "two words")
    assert (
        server.dokku("storage:annotations:report", name, "--storage-annotations.example.com/note").stdout
        == "two words\n"
    )
    server.dokku("storage:labels:set", name, "k", "v")
    assert json.loads(server.dokku("storage:labels:report", name, "--format", "json").stdout) == {"k": "v"}
    assert server.dokku("storage:destroy", name, input="wrong\n", check=False).returncode == 1
    assert "destroyed" in server.dokku("storage:destroy", name, "--destroy-host-dir", input=f"{name}\n").stdout
    assert not path.exists() and not file.exists()


def test_docker_options_become_mounts(server, fresh):
    app = fresh
    server.dokku("docker-options:add", app, "deploy,run", "-v /x:/y --cap-add=A")
    server.dokku("docker-options:add", app, "deploy", "--volume=/only:/deploy:ro")
    assert server.dokku("storage:migrate", app).stdout == f"-----> Re-migrated {app}\n"
    assert set(server.dokku("--quiet", "storage:list", app).stdout.split()) == {"/x:/y", "/only:/deploy:ro"}
    assert server.dokku("storage:report", app, "--storage-run-mounts").stdout == "-v /x:/y\n"
    assert server.dokku("docker-options:report", app, "--docker-options-deploy").stdout == "--cap-add=A\n"
    assert server.dokku("storage:migrate", app).stdout == ""


@pytest.mark.parametrize(
    "words, status, text",
    [
        (("mount",), 1, "Please specify an app"),
        (("mount", "nosuch", "/a:/b"), 20, "App nosuch does not exist"),
        (("mount", "APP"), 1, "Storage path must be two valid paths divided by colon."),
        (("mount", "APP", "/a:/b", "--container-dir", "/c"), 1, "flags go with a storage entry's name"),
        (("mount", "APP", "no-such-entry", "--container-dir", "/c"), 1, "Storage entry no-such-entry does not exist"),
        (("mount", "APP", "/a:/b", "--bogus"), 2, "unknown flag: --bogus"),
        (("unmount", "APP", "/never:/there"), 1, "Mount path does not exist."),
        (("unmount", "nosuch", "/a:/b"), 20, "App nosuch does not exist"),
        (("list", "nosuch"), 20, "App nosuch does not exist"),
        (("list", "APP", "--format", "xml"), 1, "Invalid --format value specified"),
        (("report", "nosuch"), 20, "App nosuch does not exist"),
        (("ensure-directory", "x", "--chown", "bogus"), 1, "Unsupported chown permissions"),
        (("ensure-directory",), 1, "Missing argument: <directory>"),
        (("create", "Upper"), 1, "Invalid storage entry name"),
        (("create", "a" * 46), 1, "Invalid storage entry name"),
        (("create", "legacy-x"), 1, "taken by dokku"),
        (("create", "ok", "relative/path"), 1, "Invalid path"),
        (("create", "ok", "/srv/../etc"), 1, "Invalid path"),
        (
            ("create", "ok", "/srv", "--chown", "root"),
            1,
            "only supported when the storage entry uses the default host path",
        ),
        (("create", "ok", "/srv", "--reclaim-policy", "Delete"), 1, "uses the default host path"),
        (("create", "ok", "--size", "1Gi"), 1, "not supported by the docker-local scheduler"),
        (("create", "ok", "--mode", "9"), 1, "Invalid mode"),
        (("create", "ok", "--scheduler", "nomad"), 1, "Invalid scheduler"),
        (("create", "ok", "--label", "novalue"), 1, "Invalid pair"),
        (("info", "no-such-entry"), 1, "does not exist"),
        (("info", "../../etc/passwd"), 1, "does not exist"),
        (("set", "no-such-entry", "mode", "0700"), 1, "does not exist"),
        (("set", "no-such-entry", "mode", "0700", "--chown", "root"), 1, "not both"),
        (("destroy", "no-such-entry", "--force"), 1, "does not exist"),
        (("exec", "no-such-entry"), 1, "does not exist"),
        (("wait", "no-such-entry"), 1, "does not exist"),
        (("migrate",), 1, "Please specify an app"),
        (("migrate", "nosuch"), 20, "App nosuch does not exist"),
    ],
)
def test_what_is_refused(server, running, words, status, text):
    verb, *rest = [running if word == "APP" else word for word in words]
    refused(server.dokku(f"storage:{verb}", *rest, check=False), text, status=status)


def test_data_survives_a_deploy_and_is_there_for_one_off_commands(server, app, tmp_path):
    server.dokku("apps:create", app)
    name = server.app("survives")
    server.dokku("storage:create", name)
    path = server.lib / "data/storage" / name
    server.dokku("storage:mount", app, f"{path}:/data")
    server.dokku("storage:mount", app, f"{path}:/readonly:ro")
    make_app(server, app, web_app(), tmp_path)
    try:
        server.dokku("enter", app, "web", "sh", "-c", "echo kept > /data/file")
        assert (path / "file").read_text() == "kept\n"
        server.dokku("ps:rebuild", app)
        assert server.dokku("enter", app, "web", "cat", "/data/file").stdout == "kept\n"
        assert server.dokku("run", app, "cat", "/data/file").stdout == "kept\n"
        assert server.dokku("run", app, "touch", "/readonly/x", check=False).returncode == 1
        shell = ("storage:exec", name, "--image", "dokku-test/busybox", "--as-user", "5", "--")
        assert server.dokku(*shell, "sh", "-c", "cat file; id -u; exit 3", check=False).returncode == 3
        assert server.dokku(*shell, "cat", "file").stdout == "kept\n"
    finally:
        server.dokku("apps:destroy", app, "--force")
        assert (path / "file").exists(), "storage is not the app's"
        server.dokku("storage:destroy", name, "--force", "--destroy-host-dir")
    assert not os.path.exists(path)


def test_two_that_mount_at_once_lose_nothing(server, fresh):
    argv = [[server.bin / "dokku", "storage:mount", fresh, f"/srv/{n}:/mnt/{n}"] for n in range(6)]
    jobs = [subprocess.Popen(words, env=server.env) for words in argv]
    assert [job.wait() for job in jobs] == [0] * 6
    assert len(server.dokku("--quiet", "storage:list", fresh).stdout.splitlines()) == 6
