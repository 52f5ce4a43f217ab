"""`dokku --trace-plugins[=FILE] COMMAND`: every hook that the command ran, when, for how long, with what status.

Whoever fires a trigger appends a line to one journal, nested dokku processes too; who was given the flag shows it. A
line is JSON: begin and end in seconds, trigger, args, plugin (empty when nobody has the trigger), status, and the hook's
place (nth) among those of one firing.
"""

import os
import sys
from time import monotonic as now

from dokku_min.errors import Failure

VARIABLE = "DOKKU_TRACE_PLUGINS"


def note(begin: float, trigger: str, args: tuple[str, ...], plugin: str = "", status: int = 0, nth: int = 0) -> None:
    """Add a hook that has ended to the journal of this command; one write, so that writers do not mix."""
    import json

    record = {"begin": begin, "end": now(), "trigger": trigger, "args": args, "plugin": plugin, "status": status, "nth": nth}
    try:
        fd = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    except OSError:  # the command that asked for it has ended
        return
    os.write(fd, (json.dumps(record) + "\n").encode())
    os.close(fd)


class shown:  # noqa: N801 - used like a function
    """`with shown(file):` what runs inside is journaled and shown on stderr at its end; file keeps the journal."""

    def __init__(self, file: str):
        self.file = file

    def __enter__(self) -> None:
        self.begin = now()
        how = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | (os.O_TRUNC if self.file else os.O_EXCL)
        path = os.path.abspath(self.file or f"/tmp/.dokku-trace-{os.getpid()}-{os.urandom(8).hex()}")
        try:
            self.fd = os.open(path, how, 0o600)
        except OSError as error:
            raise Failure(f"cannot write {path}: {error.strerror}", "dokku must be able to write it") from None
        os.environ[VARIABLE] = path

    def __exit__(self, *_: object) -> None:
        import json

        path = os.environ.pop(VARIABLE)
        if not self.file:
            os.unlink(path)
        lines = os.pread(self.fd, os.fstat(self.fd).st_size, 0).decode("utf-8", "surrogateescape").splitlines()
        os.close(self.fd)
        sys.stdout.flush()
        print(waterfall([json.loads(line) for line in lines], self.begin, now()), file=sys.stderr)


def waterfall(records: list[dict], begin: float, end: float) -> str:
    """A line a hook, in the order they began, indented below the hook that fired them."""
    rows: list[str] = []
    open_ends: list[float] = []
    hooks = sorted((r for r in records if r["plugin"]), key=lambda r: (r["begin"], -r["end"]))
    for hook in hooks:
        while open_ends and hook["end"] > open_ends[-1]:
            open_ends.pop()
        status = f"  exited {hook['status']}" if hook["status"] else ""
        times = f"{(hook['begin'] - begin) * 1000:9.1f} {(hook['end'] - hook['begin']) * 1000:9.1f}"
        rows.append(f"{times}  {'  ' * len(open_ends)}{hook['trigger']} {hook['plugin']}{status}")
        open_ends.append(hook["end"])
    total = f"{(end - begin) * 1000:.1f} ms in all, {len(hooks)} hooks"
    return "\n".join([f"{'at ms':>9} {'took ms':>9}  trigger and plugin", *rows, total])
