"""apps: from create to destroy (commands-a.md 2)."""

import fcntl
import json
import os
import shutil

import pytest


def leftovers(server, name):
    """Every file and directory of the installation that has the app's name."""
    return sorted(str(path) for base in (server.root, server.lib) for path in base.rglob(f"{name}*"))


def test_a_new_app_is_listed_exists_and_has_a_report(server, app):
    assert server.dokku("apps:exists", app, check=False).returncode == 20
    created = server.dokku("apps:create", app)
    assert created.stdout.startswith(f"-----> Creating {app}...\n")

    assert server.dokku("apps:exists", app).stdout == ""
    assert app in server.dokku("apps:list").stdout.splitlines()
    assert app in json.loads(server.dokku("apps:list", "--format", "json").stdout)
    report = json.loads(server.dokku("apps:report", app, "--format", "json").stdout)
    assert report["dir"] == report["app-dir"] == f"{server.root}/{app}"
    assert report["created-at"].isdigit()
    assert report["locked"] == "false"


def test_a_name_is_taken_once(server, app):
    server.dokku("apps:create", app)
    again = server.dokku("apps:create", app, check=False)
    assert again.returncode == 1
    assert " !     Name is already taken\n" in again.stderr


@pytest.mark.parametrize("name", ["Upper", "with_underscore", "..", "../x", "-x", "a b", "", "a..b", "a-"])
def test_a_bad_name_is_refused_and_nothing_made(server, name):
    before = sorted(os.listdir(server.root))
    refused = server.dokku("apps:create", name, check=False)
    assert refused.returncode != 0
    assert sorted(os.listdir(server.root)) == before


def test_destroy_asks_and_takes_only_the_name_for_a_yes(server, app):
    server.dokku("apps:create", app)
    refused = server.dokku("apps:destroy", app, input="yes\n", check=False)
    assert refused.returncode == 1
    assert refused.stdout.endswith("> ")
    assert "Aborted." in refused.stderr
    assert server.dokku("apps:destroy", app, check=False).returncode == 1  # nobody there to answer
    assert server.dokku("apps:exists", app).returncode == 0

    assert server.dokku("apps:destroy", app, input=f"{app}\n").returncode == 0
    assert server.dokku("apps:exists", app, check=False).returncode == 20


def test_destroy_leaves_nothing_behind(server, app):
    server.dokku("apps:create", app)
    server.dokku("config:set", app, "A=1")
    server.dokku("apps:set", app, "deploy-source", "x")
    assert leftovers(server, app)
    server.dokku("--force", "apps:destroy", app)
    assert leftovers(server, app) == []


def test_destroy_can_be_repeated_when_a_plugin_failed(server, app, add_plugin):
    hook = add_plugin("fails-once", {"post-delete": '#!/bin/sh\n[ -e "$0.done" ] && exit 0\ntouch "$0.done"\nexit 3\n'})
    server.dokku("apps:create", app)
    failed = server.dokku("--force", "apps:destroy", app, check=False)
    assert failed.returncode == 3
    assert (hook / "post-delete.done").exists()
    assert server.dokku("apps:exists", app).returncode == 0
    server.dokku("--force", "apps:destroy", app)
    assert leftovers(server, app) == []


def test_an_app_that_a_plugin_cannot_follow_is_taken_back(server, app, add_plugin):
    add_plugin("refuses", {"post-create": "#!/bin/sh\necho no room >&2\nexit 4\n"})
    failed = server.dokku("apps:create", app, check=False)
    assert failed.returncode == 4
    assert "no room" in failed.stderr
    assert leftovers(server, app) == []


def test_the_operators_lock(server, app):
    server.dokku("apps:create", app)
    assert server.dokku("apps:locked", app, check=False).returncode == 1
    assert server.dokku("apps:lock", app).stdout == "-----> Deploy lock created\n"
    assert server.dokku("apps:lock", app).returncode == 0
    assert server.dokku("apps:locked", app).stdout == "Deploy lock exists\n"
    assert server.dokku("apps:report", app, "--app-locked").stdout == "true\n"
    refused = server.dokku("--force", "apps:destroy", app, check=False)
    assert f"dokku apps:unlock {app}" in refused.stderr
    assert server.dokku("apps:unlock", app).stdout == "-----> Deploy lock removed\n"
    assert server.dokku("apps:unlock", app, check=False).returncode == 1


def test_a_running_deploys_lock_cannot_be_taken_away(server, app):
    server.dokku("apps:create", app)
    path = server.lib / "data/apps" / app / ".deploy.lock"
    path.write_text("4711")
    shutil.chown(path, server.user, server.user)
    with open(path) as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert server.dokku("apps:locked", app).returncode == 0
        refused = server.dokku("apps:unlock", app, check=False)
        assert refused.returncode == 1
        assert "4711" in refused.stderr
        assert server.dokku("apps:lock", app, check=False).returncode == 1
    assert path.read_text() == "4711"
    # its holder is gone: a leftover bars nobody
    assert server.dokku("apps:locked", app, check=False).returncode == 1
    server.dokku("apps:unlock", app)
    assert not path.exists()


def test_clone_and_rename_take_the_settings_along(server, app):
    other, third = f"{app}-2", f"{app}-3"
    server.dokku("apps:create", app)
    server.dokku("config:set", app, "A=1")
    server.dokku("git:set", app, "deploy-branch", "trunk")
    try:
        server.dokku("apps:clone", app, other)
        assert server.dokku("config:get", other, "A").stdout == "1\n"
        assert server.dokku("git:report", other, "--git-deploy-branch").stdout == "trunk\n"
        assert server.dokku("apps:exists", app).returncode == 0

        taken = server.dokku("apps:clone", app, other, check=False)
        assert taken.returncode == 1
        assert server.dokku("apps:clone", "--ignore-existing", app, other).returncode == 0

        born = server.dokku("apps:report", other, "--app-created-at").stdout
        server.dokku("apps:rename", other, third)
        assert server.dokku("config:get", third, "A").stdout == "1\n"
        assert server.dokku("apps:report", third, "--app-created-at").stdout == born
        assert leftovers(server, other) == []
    finally:
        for name in (other, third):
            server.dokku("--force", "apps:destroy", name, check=False)


def test_a_clone_that_fails_leaves_no_half_app(server, app, add_plugin):
    server.dokku("apps:create", app)
    add_plugin("refuses", {"post-app-clone-setup": "#!/bin/sh\nexit 5\n", "post-app-rename-setup": "#!/bin/sh\nexit 5\n"})
    for command in ("apps:clone", "apps:rename"):
        assert server.dokku(command, app, f"{app}-2", check=False).returncode == 5
        assert leftovers(server, f"{app}-2") == []
    assert server.dokku("apps:exists", app).returncode == 0


def test_maybe_create_is_silent_and_can_be_forbidden(server, app):
    trigger = ("plugin:trigger", "app-maybe-create", app)
    try:
        server.dokku("apps:set", "--global", "disable-autocreation", "true")
        refused = server.dokku(*trigger, check=False)
        assert refused.returncode == 1
        assert " !     App auto-creation disabled.\n" in refused.stderr
    finally:
        server.dokku("apps:set", "--global", "disable-autocreation")
    assert server.dokku(*trigger).stdout == ""
    assert server.dokku("apps:exists", app).returncode == 0
    assert server.dokku(*trigger).stdout == ""


def test_app_list_can_skip_the_filter(server, app, add_plugin):
    server.dokku("apps:create", app)
    add_plugin("blind", {"user-auth-app": "#!/bin/sh\nexit 0\n"})
    assert server.dokku("apps:exists", app, check=False).returncode == 20
    assert app not in server.dokku("plugin:trigger", "app-list").stdout.split()
    assert app in server.dokku("plugin:trigger", "app-list", "false").stdout.split()


def test_settings_have_scopes(server, app):
    server.dokku("apps:create", app)
    refused = server.dokku("apps:set", app, "disable-autocreation", "true", check=False)
    assert "Property can only be specified globally" in refused.stderr
    refused = server.dokku("apps:set", "--global", "deploy-source", "x", check=False)
    assert "Property cannot be specified globally" in refused.stderr
    assert server.dokku("apps:set", app, "nonsense", "x", check=False).returncode == 1
