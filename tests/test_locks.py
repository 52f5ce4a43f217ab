"""Locks die with their holders, let nested calls pass, and respect the operator's own."""

import os
import signal
import subprocess
import sys
import time

import pytest

from dokku_min import files, locks, paths

HOLDER = """
import sys, time
from dokku_min.locks import app_lock
with app_lock("web", content=sys.argv[1] if len(sys.argv) > 1 else ""):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture(autouse=True)
def places(tmp_path, monkeypatch):
    monkeypatch.setenv("DOKKU_ROOT", str(tmp_path / "home"))
    monkeypatch.setenv("DOKKU_LIB_ROOT", str(tmp_path / "lib"))
    monkeypatch.delenv("DOKKU_LOCKED_APPS", raising=False)


@pytest.fixture
def holder():
    started = []

    def start(*arguments):
        argv = [sys.executable, "-c", HOLDER, *arguments]
        process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "held\n"
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()


def lock_text():
    return files.read(paths.lock_file("web"))


def test_held_and_released():
    assert not locks.is_held("web")
    with locks.app_lock("web"):
        assert lock_text() == str(os.getpid())
        assert locks.is_held("web")
    assert not os.path.exists(paths.lock_file("web"))
    assert not locks.is_held("web")


def test_released_when_the_work_fails():
    with pytest.raises(RuntimeError), locks.app_lock("web"):
        raise RuntimeError
    assert not locks.is_held("web")
    with locks.app_lock("web", wait=False):
        pass


def test_a_build_id_names_the_holder():
    with locks.app_lock("web", content="build-7"):
        assert lock_text() == "build-7"


def test_the_second_is_refused_or_waits(holder, capsys):
    first = holder()
    with pytest.raises(locks.Busy, match="web currently has a deploy lock in place. Exiting"):
        locks.app_lock("web", wait=False).__enter__()
    second = subprocess.Popen([sys.executable, "-c", HOLDER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert "Waiting..." in second.stdout.readline()
    assert second.poll() is None
    first.stdin.close()
    assert second.stdout.readline() == "held\n"
    second.communicate()
    assert not locks.is_held("web")


def test_a_killed_holder_leaves_no_stale_lock(holder):
    process = holder("build-1")
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert lock_text() == "build-1"  # the file is there still, and bars nobody
    assert not locks.is_held("web")
    with locks.app_lock("web", wait=False, content="build-2"):
        assert lock_text() == "build-2"
    assert not os.path.exists(paths.lock_file("web"))


def test_a_nested_call_of_the_same_tree_passes():
    with locks.app_lock("web"):
        script = "from dokku_min.locks import app_lock\nwith app_lock('web', wait=False): print('in')"
        nested = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=os.environ)
        assert nested.stdout == "in\n", nested.stderr
        with locks.app_lock("web", wait=False):
            pass
        assert locks.is_held("web")  # the inner one released nothing


def test_another_app_is_free():
    with locks.app_lock("web"), locks.app_lock("api", wait=False):
        assert locks.is_held("api")
    assert not locks.is_held("api")


def test_a_left_over_environment_opens_nothing(holder, monkeypatch):
    holder("build-3")
    monkeypatch.setenv("DOKKU_LOCKED_APPS", "web=build-1")  # of a deploy that is over
    with pytest.raises(locks.Busy):
        locks.app_lock("web", wait=False).__enter__()


def test_the_operators_lock_is_an_empty_file():
    files.make_dir(os.path.dirname(paths.lock_file("web")))
    open(paths.lock_file("web"), "w").close()
    assert locks.is_held("web")
    for wait in (False, True):
        with pytest.raises(locks.Busy, match="web is locked") as error:
            locks.app_lock("web", wait=wait).__enter__()
        assert "apps:unlock web" in error.value.hint
    assert lock_text() == ""
    os.unlink(paths.lock_file("web"))
    with locks.app_lock("web", wait=False):
        pass


def test_many_at_once_take_turns(tmp_path):
    log = tmp_path / "log"
    script = f"""
import time
from dokku_min.locks import app_lock
for _ in range(5):
    with app_lock("web"), open({str(log)!r}, "a") as log:
        print("in", file=log, flush=True)
        time.sleep(0.002)
        print("out", file=log, flush=True)
"""
    running = [subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.DEVNULL) for _ in range(6)]
    assert [process.wait() for process in running] == [0] * 6
    assert log.read_text() == "in\nout\n" * 30


def test_directory_lock_excludes(tmp_path):
    script = f"""
from dokku_min.locks import directory_lock
from dokku_min import files
for _ in range(50):
    with directory_lock({str(tmp_path)!r}):
        files.write({str(tmp_path / "n")!r}, str(int(files.read({str(tmp_path / "n")!r}, "0")) + 1))
"""
    running = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(4)]
    assert [process.wait() for process in running] == [0] * 4
    assert (tmp_path / "n").read_text() == "200"


def test_directory_lock_dies_with_its_holder(tmp_path):
    script = f"""
import time
from dokku_min.locks import directory_lock
with directory_lock({str(tmp_path)!r}):
    print("held", flush=True)
    time.sleep(60)
"""
    process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE)
    process.stdout.readline()
    process.kill()
    process.wait()
    start = time.monotonic()
    with locks.directory_lock(str(tmp_path)):
        assert time.monotonic() - start < 1
