"""Run hooks: every enabled plugin's answer to a trigger, one after the other (plugins.md 1.3).

A Python program whose manifest says `warm` runs in a fork of this process, so it pays for no start-up; everything else
is started as the program it is. Either way: own process, argv in, stdin/stdout/stderr shared, exit status out.
"""

import _signal as signal  # the C part: `import signal` drags in enum, 5 ms a command
import errno
import os
import sys

from dokku_min import log, paths, plugins, trace
from dokku_min.errors import Failure

FORWARDED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_IGNORED_BY_PYTHON = (signal.SIGPIPE, signal.SIGXFSZ)  # programs expect neither ignored
_index: plugins.Index | None = None
_running = 0  # pid of the hook we wait for
_caught = 0  # the signal we forwarded to it


def index() -> plugins.Index:
    global _index
    if _index is None:
        _index = plugins.load()
    return _index


def forget_index() -> None:
    """After plugins were enabled, disabled or changed by this process."""
    global _index
    _index = None


def trigger(name: str, *args: str, stdin: int | None = None, stdout: int | None = None) -> int:
    """Fire a trigger; stdin and stdout are descriptors, None means our own.

    Returns 0, also when nobody has it, or the status of the first hook that failed, after which none is run.
    """
    journal = os.environ.get(trace.VARIABLE)
    handlers = index().handlers(name)
    if journal and not handlers:
        trace.note(trace.now(), name, args)
    for nth, (plugin, by_program) in enumerate(handlers):
        log.debug(f"{name} {' '.join(args)} ({plugin.name})")
        begin = trace.now()
        path = f"{plugin.path}/{name}"
        if by_program:
            status = run_program(plugin, [name, *args], stdin, stdout)
        elif not os.access(path, os.X_OK):
            sys.stdout.flush()
            print(f"Trigger '{name}' is not executable, skipping plugin ({plugin.name})", file=sys.stderr)
            continue
        else:
            status = spawn([path, *args], stdin, stdout)
        if journal:
            trace.note(begin, name, args, plugin.name, status, nth)
        if status:
            return status if status > 0 else 1  # death by signal counts as 1 (plugins.md 1.3)
    return 0


def capture(name: str, *args: str, data: bytes = b"") -> tuple[int, str]:
    """Fire a trigger that answers on stdout: (status, the whole text). Its stdin holds data and then ends.

    The answer goes through memory, not a pipe: no size blocks it, and no hook that stays in the background.
    """
    answer = os.memfd_create(name, os.MFD_CLOEXEC)
    source = os.memfd_create("stdin", os.MFD_CLOEXEC) if data else no_input()
    try:
        if data:
            os.write(source, data)
            os.lseek(source, 0, os.SEEK_SET)
        status = trigger(name, *args, stdin=source, stdout=answer)
        with open(answer, "rb", closefd=False) as file:
            file.seek(0)
            return status, os.fsdecode(file.read())
    finally:
        os.close(answer)
        os.close(source)


def no_input() -> int:
    """A descriptor to read the end of file from."""
    return os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)


def run_program(plugin: plugins.Plugin, argv: list[str], stdin: int | None = None, stdout: int | None = None) -> int:
    if plugin.warm and not os.environ.get("DOKKU_COLD"):
        from dokku_min import warm

        return warm.run(plugin, argv, stdin, stdout)
    return spawn([f"{plugin.path}/{plugin.program}", *argv], stdin, stdout, _cold_env(plugin))


def _cold_env(plugin: plugins.Plugin) -> dict[str, str] | None:
    """A program that could run warm may use our SDK, so it finds it when started cold; nobody else gets our path."""
    return {**os.environ, "PYTHONPATH": paths.UNPACKED} if plugin.warm else None


def spawn(argv: list[str], stdin: int | None = None, stdout: int | None = None, env: dict | None = None) -> int:
    """Run a plugin's executable and return its status; negative when a signal ended it. No `#!` line means bash."""
    sys.stdout.flush()
    moves = [(os.POSIX_SPAWN_DUP2, fd, n) for fd, n in ((stdin, 0), (stdout, 1)) if fd is not None]
    start: dict = {"file_actions": moves, "setsigdef": _IGNORED_BY_PYTHON}
    environment = os.environ if env is None else env
    try:
        try:
            return wait(os.posix_spawn(argv[0], argv, environment, **start))
        except OSError as error:
            if error.errno != errno.ENOEXEC:
                raise
            return wait(os.posix_spawn("/bin/bash", ["bash", *argv], environment, **start))
    except OSError as error:
        raise Failure(f"cannot run {argv[0]}: {error.strerror}", "check its first line and its mode", 126) from None


def wait(pid: int) -> int:
    """The exit status of a child, negative for a signal. INT, TERM and HUP sent to us reach it, then end us too."""
    global _running
    before, _running = _running, pid
    handlers = [(s, signal.signal(s, _forward)) for s in FORWARDED if signal.getsignal(s) is not signal.SIG_IGN]
    try:
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    finally:
        _running = before
        for number, handler in handlers:
            signal.signal(number, handler)
    if _caught:
        raise SystemExit(128 + _caught)
    return status


def _forward(number: int, _frame: object) -> None:
    global _caught
    _caught = number
    try:
        if _running:  # 0 would mean our whole process group
            os.kill(_running, number)
    except ProcessLookupError:
        pass


def reset_signals() -> None:
    """In a fresh child: default actions, as any program expects to find them."""
    global _running, _caught
    _running = _caught = 0
    for number in FORWARDED:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    for number in _IGNORED_BY_PYTHON:
        signal.signal(number, signal.SIG_DFL)
