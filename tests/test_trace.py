"""dokku --trace-plugins: the hooks of a command, nested calls included, with their times."""

import json
import re

import pytest

from tests.tree import Tree


@pytest.fixture
def tree(tmp_path):
    made = Tree(tmp_path)
    made.bundled("plugin")
    made.hook("a", "ping", "sleep 0.1; plugn trigger inner x; echo out")
    made.hook("b", "inner", "exit 3")
    made.hook("c", "ping", "")
    return made


def test_the_waterfall(tree):
    done = tree.dokku("--trace-plugins", "plugin:trigger", "ping", "y z")
    assert (done.stdout, done.returncode) == ("out\n", 0)
    lines = done.stderr.splitlines()
    assert [re.sub(r"[0-9.]+", "#", line).split() for line in lines[1:-1]] == [
        ["#", "#", "ping", "a"], ["#", "#", "inner", "b", "exited", "#"], ["#", "#", "ping", "c"],
    ]  # fmt: skip
    assert float(lines[1].split()[1]) >= 100
    assert lines[2].index("inner") == lines[1].index("ping") + 2
    assert re.fullmatch(r"[0-9.]+ ms in all, 3 hooks", lines[-1])


def test_trace_mode_names_every_hook_when_it_starts(tree):
    done = tree.dokku("--trace", "plugin:trigger", "ping", "y z")
    assert (done.stdout, done.returncode) == ("out\n", 0)
    assert done.stderr == " ?     ping y z (a)\n ?     inner x (b)\n ?     ping y z (c)\n"
    assert tree.dokku("plugin:trigger", "ping", "y z").stderr == ""


def test_the_journal(tree, tmp_path):
    tree.dokku(f"--trace-plugins={tmp_path}/journal", "plugin:trigger", "ping", "y z")
    found = [json.loads(line) for line in (tmp_path / "journal").read_text().splitlines()]
    assert [(r["trigger"], r["args"], r["plugin"], r["status"]) for r in found] == [
        ("inner", ["x"], "b", 3), ("ping", ["y z"], "a", 0), ("ping", ["y z"], "c", 0),
    ]  # fmt: skip
    tree.dokku(f"--trace-plugins={tmp_path}/journal", "plugin:trigger", "nobody")
    found = json.loads((tmp_path / "journal").read_text())
    assert (found["trigger"], found["plugin"]) == ("nobody", "")


def test_a_failing_command_is_shown_too(tree):
    tree.hook("a", "fail", "exit 7")
    done = tree.dokku("--trace-plugins", "plugin:trigger", "fail")
    assert done.returncode == 7
    assert "fail a  exited 7\n" in done.stderr


def test_no_far_caller_writes_files(tree, tmp_path):
    far = {"FINGERPRINT": "x", "NAME": "bob"}
    done = tree.dokku(f"--trace-plugins={tmp_path}/journal", "plugin:trigger", "ping", env=far)
    assert (done.returncode, done.stderr) == (1, " !     This command must be run on the server itself\n")
    assert not (tmp_path / "journal").exists()
    assert tree.dokku("--trace-plugins", "plugin:trigger", "ping", env=far).returncode == 0


def test_a_file_that_cannot_be_written(tree):
    done = tree.dokku("--trace-plugins=/proc/none/x", "plugin:trigger", "ping")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(" !     cannot write /proc/none/x")
