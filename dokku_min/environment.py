"""The environment every plugin starts with, and who runs it (plugins.md 1.7, commands-a.md 1.2)."""

import os
import pwd
import sys

from dokku_min import files
from dokku_min.errors import NOT_IMPLEMENTED, Failure

_LABELS = "--label=org.label-schema.schema-version=1.0 --label=org.label-schema.vendor=dokku --label=dokku"
_LOST_WITH_THE_USER = ("DOKKU_PID", "TMP", "TMPDIR", "TEMP", "TEMPDIR")


def system_user() -> str:
    return os.environ.get("DOKKU_SYSTEM_USER", "dokku")


def prepare() -> None:
    """Read the operator's settings and export what plugins may rely on. Called once, by the outermost process too."""
    env = os.environ
    for name in [n for n in env if n.startswith("SHIV_")]:
        del env[name]
    env.setdefault("DOKKU_ROOT", _home())
    env.update(_operator_settings())
    lib = env["DOKKU_LIB_ROOT"] = env.get("DOKKU_LIB_PATH") or "/var/lib/dokku"
    plugins, core = f"{lib}/plugins", f"{lib}/core-plugins"
    env.update(
        PLUGIN_PATH=plugins,
        PLUGIN_AVAILABLE_PATH=f"{plugins}/available",
        PLUGIN_ENABLED_PATH=f"{plugins}/enabled",
        PLUGIN_CORE_PATH=core,
        PLUGIN_CORE_AVAILABLE_PATH=f"{core}/available",
        PLUGIN_CORE_ENABLED_PATH=f"{core}/enabled",
        DOKKU_API_VERSION="1",
        DOKKU_NOT_IMPLEMENTED_EXIT=str(NOT_IMPLEMENTED),
        DOKKU_VALID_EXIT="0",
    )
    for name, value in {
        "DOKKU_SYSTEM_USER": "dokku",
        "DOKKU_SYSTEM_GROUP": "dokku",
        "DOKKU_HOST_ROOT": env["DOKKU_ROOT"],
        "DOCKER_BIN": "docker",
        "DOKKU_CONTAINER_LABEL": "dokku",
        "DOKKU_GLOBAL_BUILD_ARGS": _LABELS,
        "DOKKU_GLOBAL_RUN_ARGS": _LABELS,
        "DOKKU_IMAGE": "gliderlabs/herokuish:latest-24",
        "DOKKU_CNB_BUILDER": "heroku/builder:24",
        "DOKKU_LOGS_DIR": "/var/log/dokku",
        "DOKKU_PID": str(os.getpid()),
    }.items():
        env.setdefault(name, value)
    env.setdefault("DOKKU_LOGS_HOST_DIR", env["DOKKU_LOGS_DIR"])
    env.setdefault("DOKKU_EVENTS_LOGFILE", f"{env['DOKKU_LOGS_DIR']}/events.log")
    env.setdefault("DOKKU_DISTRO", _distro())
    env.setdefault("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")


def _home() -> str:
    try:
        return pwd.getpwnam(system_user()).pw_dir
    except KeyError:
        return "/home/dokku"


def _distro() -> str:
    for line in files.read("/etc/os-release").splitlines():
        if line.startswith("ID="):
            return line[3:].strip('"')
    return ""


def _operator_settings() -> dict[str, str]:
    """Exported variables of /etc/default/dokku, dokkurc and .dokkurc/*, which are shell and run as the dokku user."""
    root = os.environ["DOKKU_ROOT"]
    wanted = ["/etc/default/dokku", f"{root}/dokkurc"]
    if os.path.isdir(f"{root}/.dokkurc"):
        wanted += [f"{root}/.dokkurc/{name}" for name in sorted(os.listdir(f"{root}/.dokkurc"))]
    found = [path for path in wanted if os.path.isfile(path)]
    if not found:
        return {}
    # Status 1 is that of a last `[[ -n $X ]] && export ...` which did not hold; a syntax error is 2.
    script = """for file; do [[ -r $file ]] && { . "$file"; (($? < 2)); } || { echo " !     cannot read $file" >&2; exit 1; }
    done; exec env -0"""
    answer = os.memfd_create("settings")
    pid = os.fork()
    if pid == 0:
        try:
            if os.geteuid() == 0 and _known(system_user()):
                become(system_user())
            os.dup2(answer, 1)
            os.execv("/bin/bash", ["bash", "-c", script, "dokkurc", *found])
        finally:
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    size = os.fstat(answer).st_size
    if status or not size:  # none at all: a file that says `exit`
        raise Failure("cannot read the server's settings", f"check {', '.join(found)}")
    pairs = os.fsdecode(os.pread(answer, size, 0)).split("\0")
    os.close(answer)
    settings = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    return {k: v for k, v in settings.items() if os.environ.get(k) != v and k not in _OF_THE_SHELL}


_OF_THE_SHELL = {"_", "SHLVL", "PWD", "OLDPWD", "HOME", "USER", "LOGNAME", "SHELL"}


def _known(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True


def become(user: str) -> None:
    """Turn root into user for good, in this process (architecture.md 3), as `sudo -u user -E -H` would."""
    entry = pwd.getpwnam(user)
    os.setgroups(os.getgrouplist(user, entry.pw_gid))
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)
    os.environ.update(HOME=entry.pw_dir, USER=user, LOGNAME=user)
    if not os.access(".", os.X_OK):  # the caller's directory may be closed to us, and programs trip over that
        os.chdir(entry.pw_dir if os.access(entry.pw_dir, os.X_OK) else "/")


def drop_privileges() -> None:
    """Make sure that a command runs as the dokku user, whoever called it."""
    user = system_user()
    if not _known(user):
        raise Failure("dokku is not set up on this machine", f"set it up with: sudo {sys.argv[0]} setup")
    caller = pwd.getpwuid(os.geteuid()).pw_name
    os.environ.setdefault("SSH_USER", caller)
    if caller == user:
        return
    for name in _LOST_WITH_THE_USER:
        os.environ.pop(name, None)
    os.environ["SSH_USER"] = caller
    if os.geteuid() != 0:
        try:
            os.execvp("sudo", ["sudo", "-u", user, "-E", "-H", sys.argv[0], *sys.argv[1:]])
        except OSError:
            raise Failure(f"dokku commands run as root or {user}, and sudo is not installed") from None
    become(user)
    os.environ["DOKKU_PID"] = str(os.getpid())


def require_local() -> None:
    if "FINGERPRINT" in os.environ:  # sshd's forced command says which key came in
        raise Failure("This command must be run on the server itself")


def require_root() -> None:
    if os.geteuid() != 0:
        raise Failure("This command must be run as root")
    os.environ["SSH_USER"] = "root"
