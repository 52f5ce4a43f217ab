"""The completion file that setup writes, in a real bash."""

import subprocess

import pytest


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("dokku apps:cre", ["create"]),
        ("dokku rep", ["report"]),
        ("dokku config:show ", ["APP"]),
        ("dokku config:show no-such", []),
        ("dokku nope", []),
    ],
)
def test_completion(server, app, typed, offered):
    server.dokku("apps:create", app)
    assert_offered(server, typed, [app if word == "APP" else word for word in offered])


def test_commands_of_installed_plugins(server, add_plugin):
    manifest = '[plugin]\ndescription = "x"\nversion = "1"\nexec = "run"\n[commands]\n"mine:new-form <app>" = "x"\n'
    add_plugin("mine", {"plugin.toml": manifest, "run": "#!/bin/sh\n", "subcommands/old-form": "#!/bin/sh\n"})
    server.dokku("mine:new-form")
    assert_offered(server, "dokku mine:", ["new-form", "old-form"])
    assert_offered(server, "dokku min", ["mine:new-form", "mine:old-form"])


def assert_offered(server, typed, wanted):
    file = f"/etc/bash_completion.d/{server.user}"
    script = 'source "$1"; COMP_LINE="$2"; COMP_POINT=${#2}; _dokku; printf "%s\\n" "${COMPREPLY[@]}"'
    done = subprocess.run(["bash", "-c", script, "bash", file, typed], capture_output=True, text=True, check=True)
    found = [word for word in done.stdout.splitlines() if word]
    assert set(wanted) <= set(found) if wanted else found == []
    assert not done.stderr


def test_the_file_is_clean(server):
    subprocess.run(["shellcheck", "-s", "bash", f"/etc/bash_completion.d/{server.user}"], check=True)
