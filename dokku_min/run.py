"""The one door to other programs: git, docker, nginx. Nothing else imports plumbum (style.md).

Every call takes argv as words, names its purpose for the error message, and never shows argv itself: it can hold
secrets. Extra environment goes in as env={...}; unset={...} names variables the program must not see.
"""

import os
import sys

from dokku_min.errors import Failure

GIT_HOOK_ENV = ("GIT_DIR", "GIT_WORK_TREE", "GIT_QUARANTINE_PATH", "GIT_OBJECT_DIRECTORY", "GIT_INDEX_FILE",
                "GIT_ALTERNATE_OBJECT_DIRECTORIES", "GIT_PREFIX", "GIT_PUSH_OPTION_COUNT")  # fmt: skip


_detached: list = []


def preload() -> None:
    """Import plumbum now, once, so that the warm hooks of a deploy, forked from here, need not each pay 60 ms."""
    _plumbum()


def _plumbum():  # type: ignore[no-untyped-def]
    """The package, without the half of its weight that only its as_uri() uses: urllib.request, with ssl, http, email.

    plumbum lists that module in `__lazy_modules__`, for Pythons that can import it at its first use. In ours an empty
    one stands in while plumbum is imported: 45 ms less, and less memory for every fork to copy.
    """
    name = "urllib.request"
    if "plumbum" in sys.modules or name in sys.modules:
        import plumbum

        return plumbum
    sys.modules[name] = type(sys)(name)
    try:
        import plumbum
    finally:
        del sys.modules[name]
    return plumbum


def capture(purpose: str, *argv: str, ok: tuple[int, ...] = (0,), data: str | None = None, **how) -> str:
    """Return what argv writes to stdout, whole; its stderr goes straight to the user. Raises Failure(purpose)."""
    status, out = answer(*argv, data=data, **how)
    if status not in ok:
        raise Failure(f"cannot {purpose}: {argv[0]} exited {status}")
    return out


def answer(*argv: str, data: str | None = None, quiet: bool = False, **how) -> tuple[int, str]:
    """(exit status, stdout) of argv, whatever the status; quiet drops its stderr."""
    from subprocess import DEVNULL, PIPE

    process = _command(argv, how).popen(
        stdin=PIPE if data is not None else DEVNULL, stdout=PIPE, stderr=DEVNULL if quiet else None
    )
    out, _ = process.communicate(data.encode("utf-8", "surrogateescape") if data is not None else None)
    return _status(process.returncode), out.decode("utf-8", "surrogateescape")


def works(*argv: str, **how) -> bool:
    """Does argv exit 0? Its output is dropped."""
    return answer(*argv, quiet=True, **how)[0] == 0


def stream(*argv: str, stdin: int | None = None, **how) -> int:
    """Run argv on our own stdout and stderr and return its status. It reads our stdin only when given stdin=0."""
    from subprocess import DEVNULL

    sys.stdout.flush()
    command = _command(argv, how)
    process = command.popen(stdin=DEVNULL if stdin is None else stdin, stdout=None, stderr=None)
    try:
        return _status(process.wait())
    except KeyboardInterrupt:  # argv got the signal too; let it end as it sees fit
        return _status(process.wait())


def check(purpose: str, *argv: str, **how) -> None:
    """stream() that raises Failure(purpose) when argv fails."""
    status = stream(*argv, **how)
    if status:
        raise Failure(f"cannot {purpose}: {argv[0]} exited {status}")


def lines(*argv: str, merge: bool = True, **how):  # type: ignore[no-untyped-def]
    """Yield argv's output line by line as it comes (stderr merged in); its status is the generator's return value."""
    from subprocess import DEVNULL, PIPE, STDOUT

    process = _command(argv, how).popen(stdin=DEVNULL, stdout=PIPE, stderr=STDOUT if merge else None)
    for line in process.stdout:
        yield line.decode("utf-8", "surrogateescape").rstrip("\n")
    return _status(process.wait())


def indented(*argv: str, **how) -> int:
    """Run argv and show its output as it comes, each line indented like Dokku's own; return its status."""
    output = lines(*argv, **how)
    while True:
        try:
            print("       " + next(output), flush=True)
        except StopIteration as end:
            return end.value


def start(*argv: str, stdin: int | None = None, stdout: int | None = None, stderr: int | None = None, **how):  # type: ignore[no-untyped-def]
    """Start argv and return its process (a subprocess.Popen), to wait for and to end. None is our own stream."""
    sys.stdout.flush()
    return _command(argv, how).popen(stdin=stdin, stdout=stdout, stderr=stderr)


def become(*argv: str) -> None:
    """Turn this process into argv, on our own stdin, stdout and stderr: nothing of ours is left to do."""
    import signal

    sys.stdout.flush()
    sys.stderr.flush()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and what is ignored stays so across exec
    try:
        os.execvp(argv[0], argv)
    except OSError:
        raise Failure(f"{argv[0]} is not installed", "`sudo dokku setup` names the package that has it", 127) from None


def detach(*argv: str) -> None:
    """Start argv on its own, in its own session, with nothing of ours open; it outlives us."""
    from subprocess import DEVNULL

    process = _command(argv, {}).popen(stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, new_session=True, close_fds=True)
    _detached.append(process)  # plumbum's handle waits 0.2 s for its process when it is collected


def installed(program: str) -> bool:
    import shutil

    return shutil.which(program) is not None


def _status(code: int) -> int:
    return code if code >= 0 else 128 - code  # killed by signal N reads 128+N, as in a shell


def _command(argv: tuple[str, ...], how: dict):  # type: ignore[no-untyped-def]
    plumbum = _plumbum()  # 60 ms: paid only when a program runs
    local = plumbum.local
    env, unset, cwd = how.pop("env", {}), how.pop("unset", ()), how.pop("cwd", None)
    if how:
        raise TypeError(f"unknown options {sorted(how)}")
    local.env.clear()  # plumbum's copy dates from its import, before a warm fork
    local.env.update({k: v for k, v in os.environ.items() if k not in unset})
    try:
        command = local[argv[0]]
    except plumbum.CommandNotFound:
        raise Failure(f"{argv[0]} is not installed", "`sudo dokku setup` names the package that has it", 127) from None
    # bound_command, not [...]: indexing drops None and flattens lists, and argv is meant word by word
    bound = command.bound_command(*argv[1:]) if len(argv) > 1 else command
    placed = bound.with_env(**env) if env else bound
    return placed.with_cwd(cwd) if cwd else placed
