"""The one file: how it is built, unpacked and started."""

import os
import re
import shutil
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import pytest

from tests.server import CHECKOUT, run

SYSTEM = Path("/usr/lib/dokku")


def checkout_copy(target: Path, sign: str = "") -> Path:
    """This checkout elsewhere; a sign makes its build another one."""
    for name in subprocess.check_output(
        ["git", "ls-files", "dokku_min", "plugins", "scripts"], cwd=CHECKOUT, text=True
    ).split():
        if (CHECKOUT / name).exists():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(CHECKOUT / name, target / name)
    (target / "build").symlink_to(CHECKOUT / "build")
    if sign:
        with open(target / "dokku_min/__init__.py", "a") as file:
            file.write(f"# {sign}\n")
    return target


def build_of(archive: Path) -> str:
    return re.search(rb"^tree=/usr/lib/dokku/([0-9a-f]{16})$", archive.read_bytes(), re.M)[1].decode()


@pytest.fixture(scope="module")
def other(tmp_path_factory, archive):
    """A build that no installation uses, so that its tree may be broken; (file, tree)."""
    source = checkout_copy(tmp_path_factory.mktemp("other"), f"for the tests of process {os.getpid()}")
    path = source / "dokku"
    run(source / "scripts/build", path)
    tree = SYSTEM / build_of(path)
    yield path, tree
    shutil.rmtree(tree, ignore_errors=True)
    shutil.rmtree(f"{tree}.new", ignore_errors=True)


@pytest.fixture
def fresh(other):
    """The same, not unpacked."""
    path, tree = other
    shutil.rmtree(tree, ignore_errors=True)
    return path, tree


def version(path, **how):
    return subprocess.run([path, "version"], capture_output=True, text=True, stdin=subprocess.DEVNULL, **how)


def assert_works(path, **how):
    done = version(path, **how)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"dokku version \d+\.\d+\.\d+\S*\n", done.stdout)


def test_small_and_reproducible(archive, tmp_path):
    assert archive.stat().st_size < 1_000_000
    second = checkout_copy(tmp_path / "elsewhere with blanks")
    for path in second.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    old = os.umask(0o077)
    try:
        run(second / "scripts/build", tmp_path / "again", env={**os.environ, "LANG": "C", "TZ": "Asia/Tokyo"})
    finally:
        os.umask(old)
    assert (tmp_path / "again").read_bytes() == archive.read_bytes()


def test_it_holds_the_core_plumbum_and_every_plugin_with_its_modes(archive):
    with zipfile.ZipFile(archive) as packed:
        modes = {item.filename: item.external_attr >> 16 & 0o777 for item in packed.infolist()}
    for source in subprocess.check_output(["git", "ls-files", "dokku_min", "plugins"], cwd=CHECKOUT, text=True).split():
        if (CHECKOUT / source).exists():
            expected = 0o755 if os.access(CHECKOUT / source, os.X_OK) else 0o644
            assert modes.get(f"site-packages/{source}") == expected, source
    assert "site-packages/plumbum/__init__.py" in modes
    assert not [name for name in modes if "__pycache__" in name or name.endswith(".pyc")]


def test_first_start_unpacks_and_the_next_goes_straight_there(fresh):
    path, tree = fresh
    assert_works(path)
    assert (tree / ".complete").exists()
    assert not Path(f"{tree}.new").exists()
    before = tree.stat().st_mtime_ns
    bare = path.with_name("header-only")  # no zip archive behind the header: only the unpacked tree can serve it
    bare.write_bytes(path.read_bytes().partition(b"exit 1\n")[0] + b"exit 1\n")
    bare.chmod(0o755)
    assert_works(bare)
    assert_works(path, env={})
    assert tree.stat().st_mtime_ns == before


def test_the_tree_belongs_to_root_and_nobody_else_may_write(fresh):
    path, tree = fresh
    old = os.umask(0)
    try:
        assert_works(path)
    finally:
        os.umask(old)
    for place in (SYSTEM, tree, *tree.rglob("*")):
        info = place.lstat()
        assert info.st_uid == 0 and not info.st_mode & 0o022, place
    assert os.access(tree / "plugins/config/plugin.py", os.X_OK)
    assert not os.access(tree / "plugins/config/plugin.toml", os.X_OK)


def test_ten_at_once_when_nothing_is_unpacked(fresh):
    path, tree = fresh
    running = [subprocess.Popen([path, "version"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT) for _ in range(10)]
    answers = {process.communicate()[0] for process in running}
    assert [process.returncode for process in running] == [0] * 10
    assert len(answers) == 1
    assert (tree / ".complete").exists()
    assert sorted(p.name for p in SYSTEM.iterdir() if p.name.startswith(tree.name)) == [tree.name]


def test_a_partial_tree_is_unpacked_anew(fresh):
    path, tree = fresh
    (tree / "dokku_min").mkdir(parents=True)
    (tree / "dokku_min/start.py").write_text("print('half of it')")
    (tree / "left-over").write_text("")
    Path(f"{tree}.new").mkdir()
    assert_works(path)
    assert not (tree / "left-over").exists()
    assert not Path(f"{tree}.new").exists()


def test_a_killed_first_start_is_finished_by_the_next(fresh):
    path, tree = fresh
    for moment in (0.03, 0.08, 0.15, 0.3):
        shutil.rmtree(tree, ignore_errors=True)
        process = subprocess.Popen([path, "version"], stdout=subprocess.DEVNULL, start_new_session=True)
        time.sleep(moment)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert_works(path)


def test_the_tree_of_another_build_is_not_taken(fresh, archive):
    path, tree = fresh
    assert_works(archive)  # its tree is there now, beside ours
    assert build_of(archive) != build_of(path)
    assert not tree.exists()
    assert_works(path)
    assert (tree / "dokku_min/__init__.py").read_text() != (
        SYSTEM / build_of(archive) / "dokku_min/__init__.py"
    ).read_text()


@pytest.mark.parametrize("place", [".", "dokku_min"])
def test_a_tree_that_others_can_change_is_refused(fresh, place):
    path, tree = fresh
    assert_works(path)
    (tree / place).chmod(0o777)
    done = version(path)
    assert done.returncode != 0 and done.stdout == ""
    assert f"{tree} can be changed by others" in done.stderr and "Traceback" not in done.stderr


def test_the_callers_environment_and_directory_choose_no_code(fresh, tmp_path):
    path, _ = fresh
    for name in ("os", "fcntl", "zipfile", "pwd", "sitecustomize", "usercustomize", "plumbum", "dokku_min"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken from the caller')")
    hostile = {"PYTHONPATH": str(tmp_path), "PYTHONHOME": "/nonexistent", "PYTHONSTARTUP": str(tmp_path / "os.py"),
               "SHIV_ROOT": str(tmp_path), "SHIV_ENTRY_POINT": "os:getcwd", "SHIV_MODULE": "this", "SHIV_INTERPRETER": "1",
               "SHIV_FORCE_EXTRACT": "1", "SHIV_CONSOLE_SCRIPT": "x", "PATH": "/usr/bin:/bin"}  # fmt: skip
    before = sorted(os.listdir(tmp_path))
    for _ in ("unpacking", "unpacked"):
        assert_works(path, env=hostile, cwd=tmp_path)
    assert sorted(os.listdir(tmp_path)) == before


def test_only_debians_python_is_needed(fresh):
    """The header starts /usr/bin/python3 without site-packages; whoever hides it gets a hint."""
    path, _ = fresh
    hidden = [
        "unshare",
        "-m",
        "sh",
        "-c",
        'mount --bind /dev/null "$(readlink -f /usr/bin/python3)"; exec "$0" version',
        path,
    ]
    done = subprocess.run(hidden, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == " !     dokku needs python3: apt-get install python3\n"
    assert_works(path, env={"PATH": "/nonexistent"})


def test_an_old_python_is_told(archive):
    script = "import runpy, sys; sys.argv = sys.argv[1:]; sys.version_info = (3, 9); runpy.run_path(sys.argv[0])"
    done = subprocess.run(["/usr/bin/python3", "-c", script, archive, "version"], capture_output=True, text=True)
    assert done.returncode == 1 and "needs python3 3.11 or newer" in done.stderr


def as_user(server, path):
    return ["setpriv", f"--reuid={server.user}", f"--regid={server.user}", "--clear-groups", path]


def test_another_user_before_setup_unpacks_for_himself(fresh, server, tmp_path_factory):
    path, tree = fresh
    shared = server.base / "other-build"
    shutil.copy(path, shared)
    mine = server.root / ".cache/dokku" / tree.name
    try:
        assert_works_as(server, shared)
        assert (mine / ".complete").exists() and not tree.exists()
        mine.chmod(0o777)  # not trusted any more: done again
        assert_works_as(server, shared)
        assert not mine.stat().st_mode & 0o022
        done = subprocess.run(
            ["setpriv", "--reuid=65534", "--clear-groups", shared, "version"], capture_output=True, text=True
        )
        assert done.returncode == 1 and "run it once as root: sudo" in done.stderr  # nobody has no home
    finally:
        shutil.rmtree(server.root / ".cache", ignore_errors=True)
        shared.unlink()


def assert_works_as(server, path):
    done = subprocess.run([*as_user(server, path), "version"], capture_output=True, text=True, env={"HOME": "/root"})
    assert (done.returncode, done.stderr) == (0, "")
