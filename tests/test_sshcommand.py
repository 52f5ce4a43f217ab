"""`sshcommand` as a program, and what a key that it let in may do."""

import json
import os
import re
import stat
import subprocess
import time

import pytest

from tests.server import run


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """Public keys of several types, by name."""
    place = tmp_path_factory.mktemp("keys")
    for name, *kind in (("one", "ed25519"), ("two", "ed25519"), ("rsa", "rsa", "-b", "2048"), ("ec", "ecdsa")):
        run("ssh-keygen", "-q", "-N", "", "-C", f"{name} of somebody", "-t", *kind, "-f", place / name)
    return {name: (place / f"{name}.pub").read_text() for name in ("one", "two", "rsa", "ec")}


@pytest.fixture
def ssh(server):
    """Run sshcommand on the server; the keys that a test adds are gone after it."""
    path = server.root / ".ssh/authorized_keys"
    before = path.read_text()

    def call(*words, key=None, check=True):
        how = {"input": key} if key is not None else {}
        return run(server.bin / "sshcommand", *words, env=server.env, check=check, **how)

    yield call
    path.write_text(before)


def lines(server):
    return (server.root / ".ssh/authorized_keys").read_text().splitlines()


def fingerprint(key):
    return run("ssh-keygen", "-lf", "-", input=key).stdout.split()[1]


@pytest.mark.parametrize("kind", ["one", "rsa", "ec"])
def test_acl_add_writes_the_line_that_dokku_writes(server, ssh, keys, kind):
    key, mark = keys[kind], fingerprint(keys[kind])
    assert ssh("acl-add", server.user, "dev", key=key).stdout == f"{mark}\n"
    command = f'FINGERPRINT={mark} NAME=\\"dev\\" `cat {server.root}/.sshcommand` $SSH_ORIGINAL_COMMAND'
    options = "no-agent-forwarding,no-user-rc,no-X11-forwarding,no-port-forwarding"
    assert lines(server)[-1] == f'command="{command}",{options} {key.strip()}'
    info = os.stat(server.root / ".ssh/authorized_keys")
    assert stat.S_IMODE(info.st_mode) == 0o600 and info.st_uid == os.stat(server.root).st_uid


def refused(server, ssh, message, *words, key=None):
    before = lines(server)
    done = ssh(*words, key=key, check=False)
    assert done.returncode == 1 and done.stdout == "", done
    assert message in done.stderr and done.stderr.startswith(" !     ") and "Traceback" not in done.stderr
    assert lines(server) == before


def test_duplicates_are_refused(server, ssh, keys):
    ssh("acl-add", server.user, "dev", key=keys["one"])
    refused(server, ssh, "Duplicate ssh key name: dev", "acl-add", server.user, "dev", key=keys["two"])
    refused(server, ssh, "it is there as dev", "acl-add", server.user, "other", key=keys["one"])
    renamed = keys["one"].replace("one of somebody", "another comment")
    refused(server, ssh, "it is there as dev", "acl-add", server.user, "other", key=renamed)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "Key is empty"),
        ("\n \n", "Key is empty"),
        ("# only a comment\n", "Key is empty"),
        ("ssh-ed25519\n", "Invalid ssh public key"),
        ("ssh-ed25519 AAAAnotakey me\n", "Invalid ssh public key"),
        ("hello there\n", "Invalid ssh public key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\n", "Invalid ssh public key"),
        ('command="id" {one}', "Invalid ssh public key"),
        ("no-pty {one}", "Invalid ssh public key"),
        ('environment="A=b" {one}', "Invalid ssh public key"),
        ("{one}{two}", "Too many keys"),
        ("{one}\n\n{two}", "Too many keys"),
    ],
)
def test_bad_keys_are_refused(server, ssh, keys, text, message):
    refused(server, ssh, message, "acl-add", server.user, "dev", key=text.format(**keys))


@pytest.mark.parametrize("name", ["", "-x", ".x", "a b", 'a"', "a\\", "a`id`", "$(id)", "a\nb", "a;b", "é"])
def test_bad_names_are_refused(server, ssh, keys, name):
    refused(server, ssh, "invalid key name", "acl-add", server.user, name, key=keys["one"])


def test_a_comment_brings_no_second_line_and_no_control_characters(server, ssh, keys):
    key = keys["one"].strip() + "\x1b[31m\x07\x00 x\n"
    before = len(lines(server))
    ssh("acl-add", server.user, "dev", key=key)
    assert len(lines(server)) == before + 1
    assert lines(server)[-1].isprintable()


def test_acl_remove_takes_exactly_that_name(server, ssh, keys):
    ssh("acl-add", server.user, "dev", key=keys["one"])
    ssh("acl-add", server.user, "dev2", key=keys["two"])
    ssh("acl-remove", server.user, "dev")
    assert [line for line in lines(server) if 'NAME=\\"dev2\\"' in line]
    assert not [line for line in lines(server) if 'NAME=\\"dev\\"' in line]
    assert ssh("acl-remove", server.user, "nobody").returncode == 0
    ssh("acl-remove-by-fingerprint", server.user, fingerprint(keys["two"]))
    assert not [line for line in lines(server) if "dev" in line.partition("ssh-ed25519")[0]]


def test_lines_of_others_stay_as_they_are(server, ssh, keys):
    path = server.root / ".ssh/authorized_keys"
    foreign = f"# the operator's own\n{keys['two'].strip()}"  # without a newline at its end
    path.write_text(path.read_text() + foreign)
    ssh("acl-add", server.user, "dev", key=keys["one"])
    assert foreign in path.read_text()
    ssh("acl-remove", server.user, "dev")
    assert foreign in path.read_text()


def test_list(server, ssh, keys):
    ssh("acl-add", server.user, "dev", key=keys["one"])
    mark = fingerprint(keys["one"])
    options = "no-agent-forwarding,no-user-rc,no-X11-forwarding,no-port-forwarding"
    text = f'{mark} NAME="dev" SSHCOMMAND_ALLOWED_KEYS="{options}"\n'
    assert text in ssh("list", server.user).stdout
    assert ssh("list", server.user, "dev").stdout == text
    assert json.loads(ssh("list", server.user, "dev", "json").stdout) == [
        {"fingerprint": mark, "name": "dev", "SSHCOMMAND_ALLOWED_KEYS": options, "public-key": keys["one"].strip()}
    ]
    assert json.loads(ssh("list", server.user, "nobody", "json").stdout) == []
    done = ssh("list", server.user, "nobody", check=False)
    assert done.returncode == 1 and "No public keys found for nobody" in done.stderr
    assert "Invalid output format" in ssh("list", server.user, "dev", "yaml", check=False).stderr


def test_help_version_and_wrong_calls(server, ssh):
    assert "acl-remove-by-fingerprint" in ssh("help").stdout == ssh().stdout
    assert re.fullmatch(r"\d+\.\d+\.\d+\n", ssh("version").stdout)
    refused(server, ssh, "no command nope", "nope")
    refused(server, ssh, "needs 2 argument(s)", "acl-add", server.user)
    refused(server, ssh, "there is no user", "list", "no-such-user")


def test_create_makes_a_user_whose_keys_run_one_command(server, ssh, keys):
    user = f"{server.user}-c"
    home = f"/home/{user}"
    try:
        for _ in range(2):  # the second call changes nothing
            ssh("create", user, "/usr/bin/my program", "x")
            assert open(f"{home}/.sshcommand").read() == "/usr/bin/my program x\n"
            assert oct(os.stat(f"{home}/.ssh").st_mode & 0o777) == "0o700"
        ssh("acl-add", user, "dev", key=keys["one"])
        assert f"`cat {home}/.sshcommand`" in open(f"{home}/.ssh/authorized_keys").read()
    finally:
        run("userdel", "-r", user, check=False)


def test_killed_or_crowded_it_loses_no_key(server, ssh, keys, tmp_path):
    names = [f"k{number}" for number in range(6)]
    for name in names:
        run("ssh-keygen", "-q", "-N", "", "-t", "ed25519", "-f", tmp_path / name)
    program = server.bin / "sshcommand"
    start = [
        subprocess.Popen([program, "acl-add", server.user, name], env=server.env, stdin=open(tmp_path / f"{name}.pub"))
        for name in names
    ]
    assert [process.wait() for process in start] == [0] * len(names)
    known = [entry["name"] for entry in json.loads(ssh("list", server.user, "", "json").stdout)]
    assert sorted(known) == ["admin", *names]
    process = subprocess.Popen(
        [program, "acl-remove", server.user, "k0"], env=server.env, stdin=subprocess.DEVNULL, start_new_session=True
    )
    time.sleep(0.02)
    process.kill()
    process.wait()
    assert len(json.loads(ssh("list", server.user, "", "json").stdout)) in (len(names), len(names) + 1)


class TestWhatAKeyMayDo:
    def test_without_a_command_it_gets_help_and_no_shell(self, server):
        assert server.ssh().stdout.startswith("Usage: dokku ")

    def test_a_key_that_was_not_let_in_is_refused(self, server):
        done = server.ssh("version", key=server.base / "ssh/other", check=False)
        assert done.returncode == 255 and "Permission denied" in done.stderr

    def test_the_name_of_the_key_reaches_plugins(self, server, add_plugin):
        add_plugin("whoami", {"subcommands/show": '#!/bin/sh\necho "$NAME $SSH_NAME $FINGERPRINT"\n'})
        mark = fingerprint((server.base / "ssh/id.pub").read_text())
        assert server.ssh("whoami:show").stdout == f"admin admin {mark}\n"

    def test_it_forwards_no_port(self, server):
        target = f"127.0.0.1:{server.http_port}"
        done = run(*server.ssh_argv(options=("-W", target)), check=False, input="GET / HTTP/1.0\r\n\r\n")
        assert done.returncode != 0 and "HTTP/" not in done.stdout

    def test_it_forwards_no_agent(self, server, add_plugin):
        add_plugin("agent", {"subcommands/show": '#!/bin/sh\necho "agent=$SSH_AUTH_SOCK"\n'})
        argv = server.ssh_argv("agent:show", options=("-A",))
        done = run("ssh-agent", "sh", "-c", '"$@"', "sh", *argv)
        assert "agent=\n" in done.stdout

    def test_other_programs_cannot_be_run(self, server):
        for words in (
            ["id"],
            ["sh", "-c", "id"],
            ["/bin/sh"],
            ["version;id"],
            ["version", "&&", "id"],
            ["$(id)"],
            ["`id`"],
        ):
            done = server.ssh(*words, check=False)
            assert "uid=" not in done.stdout + done.stderr, words
        assert run("sftp", *server.ssh_options(), "-P", server.ssh_port, f"{server.user}@127.0.0.1", check=False,
                   input="ls\n").returncode != 0  # fmt: skip

    def test_the_environment_is_not_taken_from_the_far_end(self, server, add_plugin):
        add_plugin("envs", {"subcommands/show": '#!/bin/sh\necho "root=$DOKKU_ROOT name=$NAME"\n'})
        argv = server.ssh_argv("envs:show", options=("-o", "SetEnv=DOKKU_ROOT=/tmp NAME=root PATH=/tmp"))
        assert run(*argv).stdout == f"root={server.root} name=admin\n"
