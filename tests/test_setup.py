"""`dokku setup`: from a bare machine, from every state that an interrupted one leaves, and again and again."""

import json
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest

from tests.conftest import NAME, remove_leftovers
from tests.server import Server, run
from tests.test_start import build_of, checkout_copy


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory):
    """A newer file: another build, with a plugin more."""
    source = checkout_copy(tmp_path_factory.mktemp("newer"), f"a newer one, of process {os.getpid()}")
    extra = source / "plugins/extra"
    extra.mkdir()
    (extra / "plugin.toml").write_text('[plugin]\ndescription = "Extra"\nversion = "1"\n[plugin.config]\n')
    run(source / "scripts/build", source / "dokku")
    yield source / "dokku"
    shutil.rmtree(f"/usr/lib/dokku/{build_of(source / 'dokku')}", ignore_errors=True)


@pytest.fixture
def bare():
    """A second server of ours that is not there yet; gone after the test."""
    found = Server(f"bare-{NAME}")
    found.remove()
    found.lay_out()
    yield found
    found.remove()
    remove_leftovers(found)


def setup(server, archive, *words, check=True):
    return run(archive, "setup", "--ssh-key", f"{server.key}.pub", "--name", "me", *words, env=server.env, check=check)


def state(server):
    """Everything on disk that belongs to the installation: name -> kind, mode, owner and text."""
    found = {}
    places = [server.root, server.lib, server.bin, server.base / "log", server.base / "nginx/conf.d"]
    for place in (p for start in places if start.exists() for p in (start, *sorted(start.rglob("*")))):
        info = place.lstat()
        text = os.readlink(place) if place.is_symlink() else place.read_bytes() if place.is_file() else ""
        if place.name not in (".index", "__pycache__") and place.suffix != ".pyc":
            found[str(place)] = (stat.S_IFMT(info.st_mode), stat.S_IMODE(info.st_mode), info.st_uid, info.st_gid, text)
    for extra in sorted(Path("/etc/sudoers.d").glob(f"{server.user}*")):
        found[str(extra)] = extra.read_bytes()
    return found


def host_state(server):
    """What a dry run must leave alone."""
    user = [entry.pw_name for entry in pwd.getpwall() if entry.pw_name == server.user]
    installed = sorted(os.listdir("/usr/lib/dokku/.installed"))
    return user, installed, state(server), sorted(os.listdir("/etc/sudoers.d")), sorted(os.listdir(server.base))


def test_a_dry_run_says_what_it_would_do_and_changes_nothing(bare, archive):
    before = host_state(bare)
    done = setup(bare, archive, "--dry-run", "--domain", "x.example")
    assert host_state(bare) == before
    for words in (
        f"would create user {bare.user}",
        f"would create {bare.root}",
        f"would write {bare.bin}/dokku",
        "Would run",
    ):
        assert words in done.stdout
    assert "This was a dry run: nothing has been changed" in done.stdout
    assert "would" not in setup(bare, archive).stdout  # and then the real one does all of it
    assert "would" not in setup(bare, archive, "--dry-run").stdout.replace("Would run", "")


def test_the_file_may_lie_in_a_checkout_of_this_name(bare, archive, tmp_path):
    place = tmp_path / "dokku_min/dist"
    place.mkdir(parents=True)
    shutil.copy(archive, place / "dokku")
    assert "=====> dokku is set up" in setup(bare, place / "dokku").stdout


def test_owners_modes_and_files(bare, archive):
    done = setup(bare, archive)
    assert "=====> dokku is set up" in done.stdout and "git remote add dokku" in done.stdout
    entry = pwd.getpwnam(bare.user)
    assert entry.pw_dir == str(bare.root)
    assert bare.user in subprocess.check_output(["getent", "group", "docker"], text=True)
    found = state(bare)

    def owner_and_mode(path):
        _, mode, uid, _, _ = found[str(path)]
        return pwd.getpwuid(uid).pw_name, oct(mode)

    assert owner_and_mode(bare.root / ".ssh") == (bare.user, "0o700")
    assert owner_and_mode(bare.root / ".ssh/authorized_keys") == (bare.user, "0o600")
    assert owner_and_mode(bare.bin / "dokku") == ("root", "0o755")
    assert owner_and_mode(bare.lib / "core-plugins") == ("root", "0o755")
    for path, (kind, mode, uid, _, _) in ((p, v) for p, v in found.items() if isinstance(v, tuple)):
        if f"{bare.lib}/core-plugins" in path or str(bare.bin) in path:
            assert uid == 0 and (stat.S_ISLNK(kind) or not mode & 0o022), path
    assert os.readlink(bare.bin / "plugn") == os.readlink(bare.bin / "sshcommand") == str(bare.bin / "dokku")
    assert (bare.lib / "core-plugins/available").resolve().name == build_of(archive)
    for manifest in (bare.lib / "core-plugins/available").glob("*/plugin.toml"):
        plugin, optional = manifest.parent.name, "\noptional = true" in manifest.read_text()
        assert (bare.lib / "plugins/available" / plugin).is_dir(), plugin
        assert (bare.lib / "plugins/enabled" / plugin).is_dir() is not optional, plugin
    assert (bare.lib / "VERSION").read_text().startswith("0.")
    assert str(bare.bin / "dokku") in (bare.root / ".sshcommand").read_text()
    assert json.loads(bare.dokku("ssh-keys:list", "--format", "json").stdout)[0]["name"] == "me"


def test_again_changes_nothing(bare, archive):
    setup(bare, archive)
    first = state(bare)
    times = {path: os.lstat(path).st_mtime_ns for path in first}
    done = setup(bare, bare.bin / "dokku")
    assert "dokku is set up, nothing had to be changed" in done.stdout
    assert state(bare) == first
    assert {path: os.lstat(path).st_mtime_ns for path in first} == times


def test_drift_is_mended(bare, archive):
    setup(bare, archive)
    wanted = state(bare)
    (bare.root / ".ssh").chmod(0o755)
    (bare.bin / "plugn").unlink()
    (bare.lib / "plugins/enabled/config").unlink()
    (bare.root / ".sshcommand").write_text("/bin/sh\n")
    setup(bare, archive)
    assert state(bare) == wanted


def test_interrupted_anywhere_the_next_run_finishes(bare, archive):
    setup(bare, archive)
    wanted = state(bare)
    start = time.monotonic()
    setup(bare, archive)
    seconds = time.monotonic() - start
    for part in range(1, 7):
        bare.stop()
        for place in (bare.root, bare.lib, bare.bin, bare.base / "nginx/conf.d"):
            shutil.rmtree(place)
        bare.lay_out()
        argv = [archive, "setup", "--ssh-key", f"{bare.key}.pub", "--name", "me"]
        process = subprocess.Popen(
            argv, env=bare.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
        )
        time.sleep(seconds * part / 4)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        setup(bare, archive)
        assert state(bare) == wanted
    assert bare.dokku("apps:list").returncode == 0


def test_an_upgrade_and_the_way_back(bare, archive, upgraded):
    setup(bare, archive)
    bare.dokku("config:set", "--global", "KEPT=yes")
    before = state(bare)
    setup(bare, upgraded)
    assert (bare.lib / "core-plugins/available").resolve().name == build_of(upgraded)
    assert (bare.lib / "plugins/enabled/extra/plugin.toml").exists()
    assert not (bare.lib / "core-plugins" / build_of(archive)).exists()
    assert (bare.bin / "dokku").read_bytes() == upgraded.read_bytes()
    assert bare.dokku("config:get", "--global", "KEPT").stdout == "yes\n"
    setup(bare, archive)
    assert not os.path.lexists(bare.lib / "plugins/enabled/extra")  # the plugin that this build lacks
    assert state(bare) == before


def test_community_plugins_survive_an_upgrade(bare, archive, upgraded):
    setup(bare, archive)
    place = bare.lib / "plugins/available/mine"
    (place / "subcommands").mkdir(parents=True)
    (place / "plugin.toml").write_text('[plugin]\ndescription = "Mine"\nversion = "1"\n[plugin.config]\n')
    (place / "subcommands/hello").write_text("#!/bin/sh\necho hello\n")
    (place / "subcommands/hello").chmod(0o755)
    bare.dokku("plugin:enable", "mine")
    setup(bare, upgraded)
    assert bare.dokku("mine:hello").stdout == "hello\n"


def hidden(program, *argv, **how):
    """Run argv where the program is not installed: something that cannot be run lies over it."""
    script = 'mount --bind /dev/null "$(readlink -f "$1")"; shift; exec "$@"'
    return run("unshare", "-m", "sh", "-c", script, "sh", shutil.which(program), *argv, check=False, **how)


@pytest.mark.parametrize(("program", "package"), [("nginx", "nginx"), ("jq", "jq"), ("ssh-keygen", "openssh-client")])
def test_missing_programs_are_named_with_their_packages(bare, archive, program, package):
    before = host_state(bare)
    done = hidden(program, archive, "setup", env=bare.env)
    assert done.returncode == 1
    assert f"missing {program} (package {package})" in done.stdout
    assert f" !     missing packages: {package}\n !     run: apt-get install {package}\n" in done.stderr
    assert "dokku setup --install-packages" in done.stderr
    assert host_state(bare) == before
    dry = hidden(program, archive, "setup", "--dry-run", env=bare.env)
    assert dry.returncode == 0 and f"would need: apt-get install {package}" in dry.stdout


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--ssh-key", "/nonexistent.pub"], "there is no key file /nonexistent.pub"),
        (["--nope"], "unknown flag: --nope"),
        (["--domain"], "flag needs an argument: --domain"),
        (["surplus"], "Unexpected argument(s): surplus"),
    ],
)
def test_wrong_calls(bare, archive, words, message):
    before = host_state(bare)
    done = run(archive, "setup", *words, env=bare.env, check=False)
    assert done.returncode in (1, 2) and message in done.stderr and "Traceback" not in done.stderr
    assert host_state(bare) == before


def test_it_wants_root(server):
    argv = [
        "setpriv",
        f"--reuid={server.user}",
        f"--regid={server.user}",
        "--clear-groups",
        server.bin / "dokku",
        "setup",
    ]
    done = run(*argv, env=server.env, check=False)
    assert (done.returncode, done.stderr) == (1, " !     This command must be run as root\n")


def test_the_dokku_user_may_do_little_as_root(server):
    """Whole commands only, on files that root owns: nginx of this installation, and the storage helper."""
    for rules in Path("/etc/sudoers.d").glob(f"{server.user}-*"):
        run("visudo", "-c", "-f", rules)
        assert stat.S_IMODE(rules.stat().st_mode) == 0o440
    listing = run("sudo", "-l", "-U", server.user).stdout
    allowed = re.findall(r"NOPASSWD: (.*)", listing)
    nginx = f"/usr/sbin/nginx (-t |-s reload |-s quit )?-c {server.base}/nginx/(dokku-test/)?nginx.conf"
    storage = f"/usr/local/libexec/{server.user}-storage-directory"
    for command in (command for line in allowed for command in line.split(", ")):
        assert re.fullmatch(nginx, command) or command == storage, command
        for path in re.findall(r"/\S+", command):
            assert owned_by_root(path), path
    assert allowed
    for argv in (
        ["id"],
        ["nginx", "-c", "/tmp/evil.conf"],
        ["/usr/sbin/nginx", "-g", "user root;"],
        ["sh", "-c", "id"],
    ):
        done = run(
            "setpriv",
            f"--reuid={server.user}",
            f"--regid={server.user}",
            "--init-groups",
            "sudo",
            "-n",
            *argv,
            check=False,
        )
        assert done.returncode != 0 and "uid=" not in done.stdout, argv


def owned_by_root(path):
    """Nobody else can change the file or put another in its place."""
    return all(p.stat().st_uid == 0 and not p.stat().st_mode & 0o002 for p in (Path(path), *Path(path).parents))


def test_unknown_host_names_are_refused(server):
    done = server.curl("no-such-app.test.example")
    assert "Welcome" not in done.stdout
    assert done.stdout.splitlines()[-1] in ("000", "404", "444")
