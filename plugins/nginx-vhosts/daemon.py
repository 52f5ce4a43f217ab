"""The running nginx: test its configuration, start, stop and reload it, and know when a reload is through.

Root's part goes through sudo, with the very words that install.py puts into sudoers.
"""

import os
import time

import places

from dokku_min.sdk import Failure, files, properties, words

PATIENCE = 10.0  # seconds for a reload; nginx itself gives up on a port that is taken after 2.5
_WORKER = "nginx: worker process"  # the whole title: a worker on its way out adds " is shutting down"


def as_root(argv: list[str]) -> list[str]:
    return argv if os.geteuid() == 0 else ["sudo", "-n", *argv]


def test_argv(conf: str) -> list[str]:
    return [places.binary(), "-t", "-c", conf]


def reload_argv() -> list[str]:
    return [places.binary(), "-s", "reload", "-c", places.main_conf()]


def start_argv() -> list[str]:
    return ["/usr/bin/systemctl", "start", "nginx"] if under_systemd() else [places.binary(), "-c", places.main_conf()]


def stop_argv() -> list[str]:
    if under_systemd():
        return ["/usr/bin/systemctl", "stop", "nginx"]
    return [places.binary(), "-s", "quit", "-c", places.main_conf()]


def boot_argv(verb: str) -> list[str]:
    """verb: enable or disable, at boot. Nothing to do where no systemd runs."""
    return ["/usr/bin/systemctl", "--quiet", verb, "nginx"] if under_systemd() else []


def under_systemd() -> bool:
    """systemd looks after the machine's own nginx only, not after a second one with its conf elsewhere."""
    return os.path.isdir("/run/systemd/system") and places.main_conf() == "/etc/nginx/nginx.conf"


def test(conf: str) -> tuple[bool, str]:
    """Does nginx take the configuration? And what it said."""
    status, said = merged(as_root(test_argv(conf)))
    return status == 0, said


def merged(argv: list[str]) -> tuple[int, str]:
    """(status, stdout and stderr) of a short program."""
    from dokku_min import run

    output, said = run.lines(*argv), []
    while True:
        try:
            said.append(next(output))
        except StopIteration as end:
            return end.value, "\n".join(said)


def stopped_on_purpose() -> bool:
    return properties.get("nginx", "--global", "proxy-status") == "stopped"


def reload(custom: str = "") -> None:
    """Let nginx take its configuration and return when new workers serve. custom: the nginx-service-command.

    The configuration has been tested. Raises Failure when nginx does not take it, and then still serves the old one.
    """
    pid = master()
    if not pid:
        return start(custom)
    before, complaints = _workers(pid), ErrorLog()
    obey("reload nginx", [*words.split(custom), "reload"] if custom else as_root(reload_argv()))
    _wait_for_new_workers(pid, before, complaints)
    return None


def start(custom: str = "") -> None:
    if not master():
        obey("start nginx", [*words.split(custom), "start"] if custom else as_root(start_argv()))
        _wait(lambda: bool(master() and _workers(master())), "nginx has started, but no worker of it came up")


def stop(custom: str = "") -> None:
    if master():
        obey("stop nginx", [*words.split(custom), "stop"] if custom else as_root(stop_argv()))
        _wait(lambda: not master(), "nginx was told to stop and still runs")


def obey(purpose: str, argv: list[str]) -> None:
    """Run argv; its words become the error message when it fails."""
    status, said = merged(argv)
    if status:
        raise Failure(f"cannot {purpose}: it exited {status}", said)


def _wait_for_new_workers(pid: int, before: set[int], complaints: "ErrorLog") -> None:
    """A reload is asynchronous: the master starts new workers, and 100 ms later tells the old ones to accept no more.

    An old worker changes its title just before it closes its listening sockets, in one go. So once none of them bears
    the plain title, every connection from now on reaches a new worker.
    """

    def through() -> bool:
        complaints.check()
        now = _workers(pid)
        return bool(now) and not now & before

    _wait(through, "nginx passed the new configuration and yet does not use it")


def _wait(done, complaint: str) -> None:  # type: ignore[no-untyped-def]
    end = time.monotonic() + PATIENCE
    while not done():
        if time.monotonic() > end:
            raise Failure(complaint, "its error log tells why; most often another program has the port")
        time.sleep(0.005)


class ErrorLog:
    """What nginx writes to its error log from now on, if we may read it: why it gave a reload up."""

    def __init__(self) -> None:
        self.path = (_named("error_log") or [f"{places.log_root()}/error.log"])[0]
        self.start = os.path.getsize(self.path) if os.access(self.path, os.R_OK) else -1

    def check(self) -> None:
        """Raise Failure when a reload has failed. (A port in use is tried five times before that.)"""
        if self.start < 0 or not os.access(self.path, os.R_OK):
            return
        with open(self.path, errors="replace") as log:
            log.seek(self.start)
            said = log.read().splitlines()
        reasons = [line.partition("[emerg] ")[2].partition(": ")[2] for line in said if "[emerg]" in line]
        final = [reason for reason in reasons if not reason.startswith("bind()")]
        if final:
            raise Failure("nginx could not take up its new configuration, it goes on with the old one",
                          "\n".join(dict.fromkeys(reasons)))  # fmt: skip


def master() -> int:
    """Process id of the running master, 0 if there is none."""
    for path in _pid_files():
        pid = _proc(path).strip()
        if pid.isdigit() and _title(int(pid)).startswith("nginx: master process"):
            return int(pid)
    return 0


def _pid_files() -> list[str]:
    return _named("pid") or ["/run/nginx.pid", "/var/run/nginx.pid"]


def _named(directive: str) -> list[str]:
    """Paths that the main configuration file gives to the directive."""
    found = [line.split()[1].rstrip(";") for line in files.read(places.main_conf()).splitlines()
             if line.split()[:1] == [directive] and len(line.split()) > 1]  # fmt: skip
    return [os.path.join(places.conf_dir(), path) for path in found]


def _workers(pid: int) -> set[int]:
    """Workers that accept connections."""
    children = _proc(f"/proc/{pid}/task/{pid}/children").split() or _children_by_search(pid)
    return {int(child) for child in children if _title(int(child)) == _WORKER}


def _children_by_search(pid: int) -> list[str]:
    """For kernels without the `children` file."""
    pids = [name for name in os.listdir("/proc") if name.isdigit()]
    return [child for child in pids if _proc(f"/proc/{child}/stat").rpartition(")")[2].split()[1:2] == [str(pid)]]


def _title(pid: int) -> str:
    return _proc(f"/proc/{pid}/cmdline").replace("\0", " ").strip()


def _proc(path: str) -> str:
    """files.read() for what may vanish between open and read."""
    try:
        return files.read(path)
    except (ProcessLookupError, PermissionError):
        return ""
