"""Files that are whole or absent, whoever writes and whatever kills the writer."""

import os
import signal
import subprocess
import sys
import time

import pytest

from dokku_min import files


def test_write_then_read_byte_for_byte(tmp_path):
    path = f"{tmp_path}/f"
    for text in ("a", "", "no newline at end", "two\nlines\n", "\r\n", "é\udcff", "x" * 300_000):
        files.write(path, text)
        assert files.read(path) == text
    assert os.listdir(tmp_path) == ["f"]


def test_mode_and_default(tmp_path):
    files.write(f"{tmp_path}/f", "x")
    assert os.stat(f"{tmp_path}/f").st_mode & 0o777 == 0o600
    files.write(f"{tmp_path}/f", "x", mode=0o644)
    assert os.stat(f"{tmp_path}/f").st_mode & 0o777 == 0o644
    assert files.read(f"{tmp_path}/none") == ""
    assert files.read(f"{tmp_path}/none", "d") == "d"
    assert files.read(f"{tmp_path}/f/below") == ""


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = f"{tmp_path}/f"
    files.write(path, "old")

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        files.write(path, "new")
    monkeypatch.undo()
    assert files.read(path) == "old"
    files.write(path, "after")  # the half temp file is in nobody's way
    assert files.read(path) == "after"
    assert os.listdir(tmp_path) == ["f"]


def test_a_link_is_replaced_and_never_written_through(tmp_path):
    (tmp_path / "victim").write_text("untouched")
    os.symlink(tmp_path / "victim", tmp_path / "f")
    files.write(f"{tmp_path}/f", "new")
    assert (tmp_path / "victim").read_text() == "untouched"
    assert not os.path.islink(tmp_path / "f")
    os.symlink(tmp_path / "victim", tmp_path / ".g.new")
    with pytest.raises(OSError):
        files.write(f"{tmp_path}/g", "new")
    assert (tmp_path / "victim").read_text() == "untouched"


WRITER = """
import sys
from dokku_min import files
path, letter = sys.argv[1:]
while True:
    files.write(path, letter * 200_000)
"""


def writers(path, letters):
    return [subprocess.Popen([sys.executable, "-c", WRITER, path, letter]) for letter in letters]


def test_readers_never_see_a_part_and_kill_9_leaves_a_whole_file(tmp_path):
    path = f"{tmp_path}/f"
    files.write(path, "0" * 200_000)
    for _ in range(3):
        running = writers(path, "ab")
        end = time.monotonic() + 0.4
        while time.monotonic() < end:
            text = files.read(path)
            assert len(text) == 200_000 and text == text[0] * len(text)
        for process in running:
            process.send_signal(signal.SIGKILL)
            process.wait()
        text = files.read(path)
        assert len(text) == 200_000 and len(set(text)) == 1
    files.write(path, "next")  # and what the killed ones left does not disturb the next writer
    assert files.read(path) == "next"
    assert os.listdir(tmp_path) == ["f"]


def test_make_dir_and_remove(tmp_path):
    files.make_dir(f"{tmp_path}/a/b/c", 0o700)
    files.make_dir(f"{tmp_path}/a/b/c")
    assert os.stat(tmp_path / "a/b/c").st_mode & 0o777 == 0o700
    assert os.stat(tmp_path / "a").st_mode & 0o777 == 0o755
    files.write(f"{tmp_path}/a/f", "x")
    assert files.remove(f"{tmp_path}/a/f") is True
    assert files.remove(f"{tmp_path}/a/f") is False


def test_remove_tree_stops_at_links(tmp_path):
    (tmp_path / "keep").mkdir()
    (tmp_path / "keep/f").write_text("x")
    (tmp_path / "tree").mkdir()
    os.symlink(tmp_path / "keep", tmp_path / "tree/link")
    os.symlink(tmp_path / "keep", tmp_path / "link")
    for name in ("tree", "link", "absent"):
        files.remove_tree(f"{tmp_path}/{name}")
    assert sorted(os.listdir(tmp_path)) == ["keep"]
    assert (tmp_path / "keep/f").exists()


def test_what_root_writes_belongs_to_the_dokku_user(tmp_path, monkeypatch):
    monkeypatch.setenv("DOKKU_SYSTEM_USER", "daemon")
    if os.geteuid() != 0:
        expected = os.geteuid()
    else:
        expected = 1  # daemon, on every Debian
    files.make_dir(f"{tmp_path}/d")
    files.write(f"{tmp_path}/d/f", "x")
    assert os.stat(f"{tmp_path}/d").st_uid == os.stat(f"{tmp_path}/d/f").st_uid == expected
