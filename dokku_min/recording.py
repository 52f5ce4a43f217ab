"""Keep what a long command prints: everything still reaches the user as it comes, and a log file as well."""

import os
import select
import sys

from dokku_min import dispatch, files


class copied_to:  # noqa: N801 - used like a function, in a with statement
    """While it lasts, whatever this process and its children print is also appended to the file at path."""

    def __init__(self, path: str):
        self.path = path

    def __enter__(self) -> None:
        files.make_dir(os.path.dirname(self.path))
        sys.stdout.flush()
        sys.stderr.flush()
        self.real = [os.dup(1), os.dup(2)]
        pipes = [os.pipe(), os.pipe()]
        self.pid = os.fork()
        if self.pid == 0:
            try:
                self._copy(pipes)
            finally:
                os._exit(0)
        for number, (read, write) in enumerate(pipes, 1):
            os.dup2(write, number)
            os.close(write)
            os.close(read)

    def __exit__(self, *_: object) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        for number, real in enumerate(self.real, 1):
            os.dup2(real, number)
            os.close(real)
        os.waitpid(self.pid, 0)  # it ends when the last writer is gone

    def _copy(self, pipes: list[tuple[int, int]]) -> None:
        """In the child: signals are for the command, whose last words are wanted too."""
        signal = dispatch.signal
        for number in (*dispatch.FORWARDED, signal.SIGPIPE):
            signal.signal(number, signal.SIG_IGN)
        log = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        for _, write in pipes:
            os.close(write)
        targets = {read: real for (read, _), real in zip(pipes, self.real, strict=True)}
        while targets:
            for source in select.select(list(targets), [], [])[0]:
                data = os.read(source, 65536)
                if not data:
                    del targets[source]
                for target in (log, targets.get(source, log)) if data else ():
                    _write(target, data)


def _write(target: int, data: bytes) -> None:
    try:
        while data:
            data = data[os.write(target, data) :]
    except OSError:
        pass  # the far end has hung up; the log still gets its copy


class build_record:  # noqa: N801
    """A build or deploy as the builds plugin records it, if there is one; one inside another is part of it.

    source names what began it (commands-b.md 3), e.g. `git-hook`. Fires builds-generate-id, builds-record-start APP ID
    PID SOURCE, and at the end builds-record-finalize APP ID STATUS.
    """

    def __init__(self, app: str, source: str):
        self.app, self.source, self.id = app, source, ""

    def __enter__(self) -> None:
        if os.environ.get("DOKKU_BUILD_ID") or not dispatch.index().handlers("builds-generate-id"):
            return
        self.id = dispatch.capture("builds-generate-id")[1].strip()
        log = dispatch.capture("builds-log-file", self.app, self.id)[1].strip()
        os.environ.update(DOKKU_BUILD_ID=self.id, DOKKU_BUILD_SOURCE=self.source, DOKKU_BUILD_LOG_FILE=log)
        dispatch.trigger("builds-record-start", self.app, self.id, str(os.getpid()), self.source)
        self.copy = copied_to(log)
        self.copy.__enter__()

    def __exit__(self, kind: object, error: object, _: object) -> None:
        if not self.id:
            return
        if error is not None:
            self._last_words(error)
        self.copy.__exit__()
        status = 0 if error is None else getattr(error, "status", 1)
        dispatch.trigger("builds-record-finalize", self.app, self.id, str(status))
        for name in ("DOKKU_BUILD_ID", "DOKKU_BUILD_SOURCE", "DOKKU_BUILD_LOG_FILE"):
            os.environ.pop(name, None)

    def _last_words(self, error: object) -> None:
        """The message that ends the command is printed after us; the log shall have it too."""
        text = "".join(f" !     {line}\n" for line in str(error).splitlines() if line)
        with open(os.environ["DOKKU_BUILD_LOG_FILE"], "a") as log:
            log.write(text)
