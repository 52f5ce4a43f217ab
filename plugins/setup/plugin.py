#!/usr/bin/python3
"""`dokku setup`: turn a bare Debian or Ubuntu host into a server; again and again, from any state it may be left in.

What only one feature needs (nginx's include, the boot-time restore) is done by that plugin's `install` hook, told by
[requires] and `groups` in its manifest. Every step here looks first and acts only on a difference.
"""

import fcntl
import os
import shutil
import sys
import time

import completion

from dokku_min import __version__, builtins, commands, dispatch, environment, host, plugins
from dokku_min.sdk import Failure, Plugin, files, log, paths

plugin = Plugin("setup")
main = plugin.main

CORE_REQUIRES = {"git": "git", "ssh-keygen": "openssh-client", "sshd": "openssh-server", "sudo": "sudo", "ps": "procps"}
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


@plugin.command("setup")
def setup(*, domain="", ssh_key="", name="admin", install_packages=False, dry_run=False) -> int:
    archive = os.path.abspath(sys.argv[0])
    if not os.path.isfile(archive) or archive.endswith(".py"):
        raise Failure("setup runs from the one-file dokku", "build it with: make build")
    if ssh_key and not os.path.isfile(ssh_key):
        raise Failure(f"there is no key file {ssh_key}", "make a key pair with: ssh-keygen -t ed25519")
    os.umask(0o022)
    os.environ["PATH"] = f"{os.environ['PATH']}:{SYSTEM_PATH}"
    if dry_run:
        os.environ["DOKKU_DRY_RUN"] = "1"
    lock = os.open("/run/dokku-setup.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    _requirements(install_packages)
    _accounts()
    _directories()
    _program(archive)
    _core_plugins()
    _remove_old_builds(_program_path())
    _hooks(dry_run)
    if domain and not dry_run:
        commands.run_child(["domains:set-global", domain])
    if ssh_key and not dry_run:
        _admin_key(name, ssh_key)
    _closing_words(dry_run, bool(domain), bool(ssh_key))
    return 0


def _requirements(install: bool) -> None:
    """Find the programs that the core and the bundled plugins need, or say which Debian packages have them."""
    log.info1("Looking for the programs dokku needs")
    wanted = dict(CORE_REQUIRES)
    for name in _bundled():
        wanted.update(plugins.manifest_of(f"{paths.bundled_plugins()}/{name}")["requires"])
    missing = {p: package for p, package in sorted(wanted.items()) if not shutil.which(p)}
    log.verbose(f"found {', '.join(sorted(set(wanted) - set(missing)))}")
    if not missing:
        return
    packages = sorted(set(missing.values()))
    log.verbose(f"missing {', '.join(f'{p} (package {missing[p]})' for p in missing)}")
    if host.dry():
        host.changes.append("packages")
        log.verbose(f"would need: apt-get install {' '.join(packages)}")
    elif install:
        from dokku_min import run

        environment_ = {"DEBIAN_FRONTEND": "noninteractive"}
        run.indented("apt-get", "update", "-qq")
        argv = ("apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages)
        if run.indented(*argv, env=environment_):
            raise Failure("cannot install the missing packages", f"try by hand: apt-get install {' '.join(packages)}")
    else:
        raise Failure(
            f"missing packages: {' '.join(packages)}",
            f"run: apt-get install {' '.join(packages)}\nor:  dokku setup --install-packages",
        )


def _bundled() -> list[str]:
    return sorted(os.listdir(paths.bundled_plugins()))


def _accounts() -> None:
    log.info1("User and groups")
    user = environment.system_user()
    host.user(user, paths.dokku_root())
    for name in _bundled():
        for group in plugins.manifest_of(f"{paths.bundled_plugins()}/{name}")["plugin"].get("groups", []):
            host.member(user, group)


def _directories() -> None:
    log.info1("Directories")
    user, root, lib = environment.system_user(), paths.dokku_root(), paths.lib_root()
    host.directory(root, user)
    host.directory(f"{root}/.ssh", user, 0o700)
    host.directory(f"{root}/.dokkurc", user)
    host.directory(lib, user)
    for name in ("config", "data", "data/storage", "plugins", "plugins/available", "plugins/enabled"):
        host.directory(f"{lib}/{name}", user)
    for name in ("", "/enabled"):
        host.directory(f"{paths.core_path()}{name}")
    host.directory(os.environ["DOKKU_LOGS_DIR"], user, 0o775)
    for place, owner in ((paths.plugin_path(), user), (paths.core_path(), "root")):
        if not os.path.exists(f"{place}/config.toml"):
            host.file(f"{place}/config.toml", "", owner=owner)


def _program(archive: str) -> None:
    """The file itself, its other names, and the command that sshd runs for every key."""
    log.info1("Program")
    program = _program_path()
    with open(archive, "rb") as source:
        host.file(program, source.read(), mode=0o755)
    for name in ("plugn", "sshcommand"):
        host.link(f"{os.path.dirname(program)}/{name}", program)
    user = environment.system_user()
    host.file(f"{paths.dokku_root()}/.sshcommand", _ssh_command(program) + "\n", owner=user)
    if not os.path.exists(f"{paths.dokku_root()}/.ssh/authorized_keys"):
        host.file(f"{paths.dokku_root()}/.ssh/authorized_keys", "", mode=0o600, owner=user)
    if os.path.isdir("/etc/bash_completion.d"):
        host.file(f"/etc/bash_completion.d/{user}", completion.script(_bundled()))
    host.file(f"{paths.lib_root()}/VERSION", builtins.own_version() + "\n", owner=user)


def _program_path() -> str:
    return f"{os.environ.get('DOKKU_BIN_DIR', '/usr/bin')}/dokku"


def _ssh_command(program: str) -> str:
    """A second installation, elsewhere on the machine, needs its places told on every call."""
    told = {n: os.environ.get(n, "") for n in ("DOKKU_ROOT", "DOKKU_LIB_PATH", "DOKKU_SYSTEM_USER")}
    usual = {"DOKKU_ROOT": "/home/dokku", "DOKKU_LIB_PATH": "", "DOKKU_SYSTEM_USER": "dokku"}
    words = [f"{name}={value}" for name, value in told.items() if value != usual[name]]
    if not words:
        return program
    return " ".join(["env", *words, f"PATH={os.path.dirname(program)}:{SYSTEM_PATH}", program])


def _core_plugins() -> None:
    """Copy the bundled plugins, switch one link to them, and enable each in the three places Dokku has them in."""
    log.info1("Core plugins")
    build = os.path.basename(paths.UNPACKED)
    core, copy = paths.core_path(), f"{paths.core_path()}/{build}"
    if not os.path.isdir(copy) and host.changing(f"copy the core plugins of {__version__} to {copy}"):
        shutil.rmtree(f"{copy}.new", ignore_errors=True)
        shutil.copytree(paths.bundled_plugins(), f"{copy}.new")
        os.rename(f"{copy}.new", copy)
    host.link(f"{core}/available", build)
    for name in _bundled():
        host.link(f"{core}/enabled/{name}", f"{core}/available/{name}")
        host.link(f"{paths.available_path()}/{name}", f"{core}/available/{name}")
        if not plugins.manifest_of(f"{paths.bundled_plugins()}/{name}")["plugin"].get("optional"):
            host.link(f"{paths.enabled_path()}/{name}", f"{paths.available_path()}/{name}")
    _remove_stale_links(core, build)
    if not host.dry():
        for name in _bundled():
            for path in (f"{paths.available_path()}/{name}", f"{paths.enabled_path()}/{name}"):
                if os.path.lexists(path):
                    os.lchown(path, *files.owner_ids())
        dispatch.forget_index()


def _remove_stale_links(core: str, build: str) -> None:
    """Links to core plugins that this build lacks, and copies of older builds."""
    for base in (f"{core}/enabled", paths.available_path(), paths.enabled_path()):
        for name in os.listdir(base) if os.path.isdir(base) else ():
            path = f"{base}/{name}"
            if os.path.islink(path) and not os.path.exists(path) and not host.dry():
                host.absent(path)
    for name in os.listdir(core) if os.path.isdir(core) else ():
        if name not in (build, "available", "enabled", "config.toml") and not name.startswith("."):
            host.absent(f"{core}/{name}")


def _remove_old_builds(program: str) -> None:
    """Unpacked trees that no installation of this machine uses any more; a command of the last one may still run."""
    home, build = os.path.split(paths.UNPACKED)
    users = f"{home}/.installed"
    host.directory(users)
    host.file(f"{users}/{program.strip('/').replace('/', '-')}", build)
    used = {files.read(f"{users}/{name}") for name in os.listdir(users)} if os.path.isdir(users) else set()
    for name in os.listdir(home):
        idle = not name.startswith(".") and name not in {*used, build}
        if idle and not host.dry() and os.stat(f"{home}/{name}").st_mtime < time.time() - 3600:
            files.remove_tree(f"{home}/{name}")  # housekeeping: no change to this installation


def _hooks(dry_run: bool) -> None:
    if dry_run:
        owners = [n for n in _bundled() if "install" in _triggers(n)]
        log.info1(f"Would run the install hooks of {', '.join(owners)}")
        return
    log.info1("Install hooks of the plugins")
    if dispatch.trigger("install"):
        raise Failure("an install hook failed", "mend what it says above and run setup again")


def _triggers(name: str) -> list[str]:
    base = f"{paths.bundled_plugins()}/{name}"
    return [*plugins.manifest_of(base)["plugin"].get("triggers", []), *os.listdir(base)]


def _admin_key(name: str, path: str) -> None:
    from dokku_min import sshcommand

    with open(path) as file:
        text = file.read()
    user = environment.system_user()
    fingerprint = sshcommand.fingerprint(sshcommand.one_key(text))
    if any(key["fingerprint"] == fingerprint and key["name"] == name for key in sshcommand.entries(user)):
        return
    sshcommand.acl_add(user, name, text)
    host.changes.append("key")
    log.verbose(f"let the key {name} in ({fingerprint})")


def _closing_words(dry_run: bool, has_domain: bool, has_key: bool) -> None:
    if dry_run:
        log.info2("This was a dry run: nothing has been changed")
        return
    log.info2("dokku is set up" if host.changes else "dokku is set up, nothing had to be changed")
    if not has_key and not files.read(f"{paths.dokku_root()}/.ssh/authorized_keys"):
        log.verbose("next, let your key in:     dokku ssh-keys:add admin ~/.ssh/id_ed25519.pub")
    if not has_domain and not os.path.exists(f"{paths.dokku_root()}/VHOST"):
        log.verbose("next, name your domain:    dokku domains:set-global example.com")
    log.verbose("then, on your own machine: git remote add dokku dokku@<this host>:<app> && git push dokku main")


if __name__ == "__main__":
    plugin.run()
