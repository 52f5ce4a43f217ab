"""Run a Python plugin's program without starting Python: import it here once, then fork for every call."""

import gc
import os
import sys

from dokku_min import dispatch, log, plugins
from dokku_min.errors import Failure

_loaded: dict = {}  # plugin name -> its _Program


def run(plugin: plugins.Plugin, argv: list[str], stdin: int | None, stdout: int | None) -> int:
    """Call the plugin's main(argv) in a fork; its exit status, negative when a signal ended it."""
    try:
        load(plugin)
    except Exception:  # the fork meets it again, and says whose it is
        pass
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return dispatch.wait(pid)
    status = 1
    try:
        gc.freeze()  # a collection would touch, and so copy, all that the parent has
        dispatch.reset_signals()
        for fd, number in ((stdin, 0), (stdout, 1)):
            if fd is not None:
                os.dup2(fd, number)
        if stdin is not None:
            sys.stdin = open(0, closefd=False)  # ours may hold text we have read ahead
        status = call(plugin, argv)
    finally:
        leave(status)
    return status


def call(plugin: plugins.Plugin, argv: list[str]) -> int:
    """Call the plugin's main(argv) right here, as the last thing this process does but for the hooks it fires."""
    return guarded(lambda: _entered(plugin).main(argv), f"plugin {plugin.name}")  # type: ignore[attr-defined]


def _entered(plugin: plugins.Plugin) -> object:
    """The plugin's module, with the modules beside it where its imports find them."""
    found = load(plugin)
    _set_aside(found.own)
    sys.modules.update(found.siblings)
    sys.path.insert(0, found.directory)
    return found.module


class _Program:
    """A plugin's module, and the names and modules of the files beside it."""

    def __init__(self, plugin: plugins.Plugin):
        self.directory = os.path.realpath(plugin.path)
        self.own = [name[:-3] for name in os.listdir(self.directory) if name.endswith(".py")]
        self.siblings: dict = {}
        self.module = self._execute(plugin)

    def _execute(self, plugin: plugins.Plugin) -> object:
        from _frozen_importlib import ModuleSpec  # these are what importlib.machinery, 2 ms, hands on
        from _frozen_importlib_external import SourceFileLoader

        loader = SourceFileLoader(f"dokku_plugin.{plugin.name}", f"{self.directory}/{plugin.program}")
        module = type(sys)(loader.name)
        module.__spec__, module.__file__ = ModuleSpec(loader.name, loader, origin=loader.path), loader.path
        others = _set_aside(self.own)
        sys.path.insert(0, self.directory)
        try:
            loader.exec_module(module)
        finally:
            sys.path.remove(self.directory)
            self.siblings = _set_aside(self.own)
            sys.modules.update(others)
        return module


def load(plugin: plugins.Plugin) -> _Program:
    """Import the program. Modules beside it stay its own: two plugins may both have a report.py."""
    if plugin.name not in _loaded:
        _loaded[plugin.name] = _Program(plugin)
    return _loaded[plugin.name]


def _set_aside(names: list[str]) -> dict:
    """Take modules out of sys.modules by name. Not by looking at them: a fork copies every page that it touches."""
    return {name: sys.modules.pop(name) for name in names if name in sys.modules}


def guarded(action, who: str) -> int:  # type: ignore[no-untyped-def]
    """The status of action(), which may return None, a status, or raise. No traceback reaches a user unless --trace."""
    try:
        status = action()
        sys.stdout.flush()
        return status or 0
    except Failure as failure:
        _flush()
        for text in (failure.message, failure.hint):
            if text:
                log.warn(text)
        return failure.status
    except SystemExit as end:
        if isinstance(end.code, str):
            log.warn(end.code)
            return 1
        return int(end.code or 0)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return 141
    except Exception as error:
        _flush()
        if os.environ.get("DOKKU_TRACE"):
            import traceback

            traceback.print_exc()
        log.warn(f"{who} failed: {type(error).__name__}: {error}")
        log.warn("this is a bug: `dokku --trace ...` shows where, please report it")
        return 70


def _flush() -> None:
    try:
        sys.stdout.flush()
    except (OSError, ValueError):
        pass


def leave(status: int) -> None:
    """End this process now: no clean-up of the interpreter, which costs more than most commands."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except (OSError, ValueError):
        pass
    os._exit(status & 0xFF if status >= 0 else 128 - status)
