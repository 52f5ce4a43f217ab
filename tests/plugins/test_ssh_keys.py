"""ssh-keys: who may come in (commands-b.md 16)."""

import json

import pytest

from tests.server import run


@pytest.fixture
def key(tmp_path):
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "me@home", "-f", tmp_path / "id")
    return tmp_path / "id"


@pytest.fixture
def name(server):
    yield "tester"
    server.dokku("ssh-keys:remove", "tester")


def test_a_key_lets_in_until_it_is_removed(server, key, name):
    assert server.ssh("version", key=key, check=False).returncode == 255
    mark = server.dokku("ssh-keys:add", name, f"{key}.pub").stdout.strip()
    assert mark.startswith("SHA256:")
    assert server.ssh("version", key=key).stdout.startswith("dokku version ")
    assert f'{mark} NAME="tester" ' in server.dokku("ssh-keys:list").stdout
    (entry,) = json.loads(server.dokku("ssh-keys:list", "--format", "json", name).stdout)
    assert entry["public-key"].startswith("ssh-ed25519 ")

    server.dokku("ssh-keys:remove", "--fingerprint", mark)
    assert server.ssh("version", key=key, check=False).returncode == 255
    assert server.dokku("ssh-keys:list", name, check=False).returncode == 1
    assert server.dokku("ssh-keys:list", "--format", "json", name).stdout == "[]\n"


def test_a_key_comes_from_stdin_too(server, key, name):
    server.dokku("ssh-keys:add", name, input=key.with_suffix(".pub").read_text())
    again = server.dokku("ssh-keys:add", name, f"{key}.pub", check=False)
    assert "Duplicate ssh key name" in again.stderr
    again = server.dokku("ssh-keys:add", "other", f"{key}.pub", check=False)
    assert "Duplicate ssh public key" in again.stderr


@pytest.mark.parametrize("text", ["", "hello\n", "ssh-ed25519 AAAA\n", "ssh-rsa A\nssh-rsa B\n"])
def test_what_is_no_key_is_refused(server, name, text):
    before = (server.root / ".ssh/authorized_keys").read_text()
    assert server.dokku("ssh-keys:add", name, input=text, check=False).returncode == 1
    assert (server.root / ".ssh/authorized_keys").read_text() == before


def test_keys_are_for_root_to_change(server, key):
    refused = server.ssh("ssh-keys:add", "intruder", check=False, input=key.with_suffix(".pub").read_text())
    assert "must be run as root" in refused.stderr
    assert server.ssh("ssh-keys:list").returncode == 0


def test_remove_needs_to_know_which(server):
    assert server.dokku("ssh-keys:remove", check=False).returncode == 1
    assert server.dokku("ssh-keys:remove", "nobody").returncode == 0
