"""`dokku report`: the facts about this server that somebody who helps from afar asks for first."""

import os

from dokku_min import builtins, environment, log, plugn, run


def show() -> None:
    """Every line stands on its own: what cannot be found out is said to be unknown."""
    for name, value in _facts():
        lines = value.strip().split("\n")
        if len(lines) == 1:
            log.info1(f"{name}: {lines[0] or 'unknown'}")
            continue
        log.info1(f"{name}:")
        for line in lines:
            log.verbose(line)


def _facts():  # type: ignore[no-untyped-def]
    yield "uname", " ".join(os.uname())
    yield "memory", _memory()
    yield "disk utilization", _said("df", "-h", "-x", "tmpfs", "-x", "devtmpfs", "-x", "overlay")
    yield "docker version", _said("docker", "version")
    yield "docker daemon info", _said("docker", "info")
    yield "git version", _said("git", "--version").removeprefix("git version ")
    yield "nginx version", _version_of_nginx()
    yield "herokuish version", _said("docker", "image", "ls", "--format={{.Repository}}:{{.Tag}}", "gliderlabs/herokuish")
    yield "dokku version", builtins.own_version()
    yield "plugn version", plugn.VERSION
    yield "distribution", os.environ.get("DOKKU_DISTRO", "")
    yield "dokku user", environment.system_user()
    yield "dokku plugins", _plugins()


def _memory() -> str:
    with open("/proc/meminfo") as file:
        wanted = ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree")
        rows = [line.split() for line in file if line.split(":")[0] in wanted]
    return "\n".join(f"{name} {int(kib) // 1024} MiB" for name, kib, *_ in rows)


def _version_of_nginx() -> str:
    if not run.installed("nginx"):
        return "not installed"
    return "".join(run.lines("nginx", "-v")).rpartition("/")[2]  # it speaks on stderr


def _plugins() -> str:
    from dokku_min import dispatch

    return "\n".join(f"{p.name}{'' if p.core else ' (community)'}" for p in dispatch.index().plugins.values())


def _said(*argv: str) -> str:
    return run.answer(*argv, quiet=True)[1] if run.installed(argv[0]) else "not installed"
