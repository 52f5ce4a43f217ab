"""Run a Python plugin's program without starting Python: import it here once, then fork for every call."""

import os
import sys

from dokku_min import dispatch, log, paths, plugins
from dokku_min.errors import Failure

_loaded: dict[str, tuple[object, dict]] = {}  # plugin -> its module and the sibling modules it imported


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
    module, siblings = load(plugin)
    directory = os.path.realpath(plugin.path)
    _set_aside(directory)
    sys.modules.update(siblings)
    sys.path.insert(0, directory)
    return module


def load(plugin: plugins.Plugin) -> tuple[object, dict]:
    """Import the program. Modules beside it stay its own: two plugins may both have a report.py."""
    if plugin.name not in _loaded:
        from importlib.machinery import ModuleSpec, SourceFileLoader

        directory = os.path.realpath(plugin.path)
        loader = SourceFileLoader(f"dokku_plugin.{plugin.name}", f"{directory}/{plugin.program}")
        module = type(sys)(loader.name)
        module.__spec__, module.__file__ = ModuleSpec(loader.name, loader, origin=loader.path), loader.path
        others = _set_aside(directory)
        sys.path.insert(0, directory)
        try:
            loader.exec_module(module)
        finally:
            sys.path.remove(directory)
            siblings = _set_aside("")
            sys.modules.update(others)
        _loaded[plugin.name] = module, siblings
    return _loaded[plugin.name]


def _set_aside(directory: str) -> dict:
    """Take modules of plugins out of sys.modules, but for those in directory, and return them."""
    trees = (f"{paths.lib_root()}/", f"{paths.bundled_plugins()}/")
    found: dict = {}
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        if file.startswith(trees) and not (directory and file.startswith(f"{directory}/")):
            found[name] = sys.modules.pop(name)
    return found


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
