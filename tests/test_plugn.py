"""`plugn` as a program, as existing plugins and scripts call it (plugins.md 1)."""

import pytest

from tests.server import run


@pytest.fixture
def plugn(server):
    def call(*words, check=True, **how):
        return run(server.bin / "plugn", *words, env=server.env, check=check, **how)

    return call


def test_version_source_init(server, plugn):
    assert plugn("version").stdout == "0.17.0\n"
    assert plugn("source").stdout == f"export PLUGIN_PATH={server.lib}/plugins\n"
    assert plugn("init").returncode == 0


def test_trigger_shares_stdin_and_says_the_first_bad_status(plugn, add_plugin):
    add_plugin("p-one", {"my-trigger": '#!/bin/sh\nprintf "one:%s\\n" "$*"; head -c 2 >/dev/null; exit ${4:-0}\n'})
    add_plugin("p-two", {"my-trigger": '#!/bin/sh\nprintf "two:"; cat\n'})
    assert plugn("trigger", "my-trigger", "a b", "", "*", input="abcd").stdout == "one:a b  *\ntwo:cd"
    done = plugn("trigger", "my-trigger", "1", "2", "3", "7", check=False, input="")
    assert (done.returncode, done.stdout) == (7, "one:1 2 3 7\n")
    assert plugn("trigger", "nobody-has-this").returncode == 0


def test_list_enable_disable(server, plugn, add_plugin):
    add_plugin("p-one", {})
    assert "  p-one                1     enabled    p-one" in plugn("list").stdout
    plugn("disable", "p-one")
    assert "  p-one                1     disabled   p-one" in plugn("list").stdout
    plugn("enable", "p-one")
    assert (server.lib / "plugins/enabled/p-one").is_symlink()


def test_install_a_local_repository_and_uninstall(server, plugn, tmp_path):
    repo = tmp_path / "dokku-fetched"
    run("git", "init", "-q", "-b", "main", repo)
    (repo / "plugin.toml").write_text('[plugin]\ndescription = "f"\nversion = "1"\n[plugin.config]\n')
    (repo / "install").write_text("#!/bin/sh\necho the install hook ran\n")
    (repo / "install").chmod(0o755)
    run("git", "-C", repo, "add", "-A")
    run("git", "-C", repo, "-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "x")
    done = plugn("install", f"file://{repo}")
    assert "the install hook ran" not in done.stdout  # plugn only fetches
    assert (server.lib / "plugins/available/fetched/plugin.toml").exists()
    plugn("uninstall", "fetched")
    assert not (server.lib / "plugins/available/fetched").exists()


def test_config(server, plugn):
    path = server.lib / "plugins/config.toml"
    before = path.read_text()
    try:
        path.write_text('[mine]\nsome-key = "it\'s"\nnumber = 3\n')
        assert plugn("config", "get", "mine", "some-key").stdout == "it's\n"
        assert plugn("config", "get", "mine", "none").stdout == "\n"
        text = plugn("config", "export", "mine").stdout
        assert "export CONFIG_NUMBER=3\n" in text
        assert run("sh", "-c", f'{text}\nprintf %s "$CONFIG_SOME_KEY"').stdout == "it's"
    finally:
        path.write_text(before)


@pytest.mark.parametrize(
    "words", [["nope"], ["config"], ["config", "nope", "x"], ["enable", "no-such"], ["install", "x y"]]
)
def test_wrong_calls(plugn, words):
    done = plugn(*words, check=False)
    assert done.returncode != 0 and done.stderr.startswith(" !     ") and "Traceback" not in done.stderr
