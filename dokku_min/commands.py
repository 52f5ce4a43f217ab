"""From a command line to the plugin that serves it (plugins.md 1.4 and 1.5)."""

import os
import sys

from dokku_min import dispatch, environment, log, plugins, trace
from dokku_min.errors import NOT_IMPLEMENTED, Failure

_SWITCHES = {"--quiet": "DOKKU_QUIET_OUTPUT", "--trace": "DOKKU_TRACE", "--force": "DOKKU_APPS_FORCE_DELETE"}


class CommandLine:
    """A command line taken apart: the command, its arguments, and the app that `--app` named for this very call."""

    def __init__(self, argv: list[str]):
        seen = _global_flags(argv)
        for flag, variable in _SWITCHES.items():
            if flag in seen:
                os.environ[variable] = "1"
        os.environ.setdefault("DOKKU_GLOBAL_FLAGS", " ".join(seen))
        for flag in seen:  # from any position; only in front of the command it is also an argument
            if flag.startswith("--app="):
                os.environ["DOKKU_APP_NAME"] = flag[6:]
        self.app, self.trace, rest = "", None, list(argv)
        while rest and rest[0].startswith("--") and rest[0] not in ("--version", "--help"):
            word = rest.pop(0)
            if word == "--app":
                self.app = rest.pop(0) if rest else ""
            elif word.startswith("--app="):
                self.app = word[6:]
            elif word.partition("=")[0] == "--trace-plugins":
                self.trace = word.partition("=")[2]
            elif word not in _SWITCHES and not word.startswith("--label="):
                raise Failure(f"unknown flag: {word}", "flags of a command go after it", 2)
        self.name, self.arguments = (rest[0], rest[1:]) if rest else ("help", [])


def _global_flags(argv: list[str]) -> list[str]:
    flags, words = [], list(argv)
    while words:
        word = words.pop(0)
        if word == "--app" and words:
            flags.append(f"--app={words.pop(0)}")
        elif word.startswith("--") and len(word) > 2:
            flags.append(word)
    return flags


def run(line: CommandLine) -> int:
    """Authorise and run one command in this process; its exit status."""
    from dokku_min import builtins

    os.environ["DOKKU_COMMAND"] = line.name
    index = dispatch.index()
    declared = index.command(line.name)
    runs_as = "root" if line.name in builtins.NEED_ROOT else declared.runs_as if declared else "dokku"
    if runs_as == "caller" or line.trace:
        environment.require_local()  # it reads and writes files that the caller names
    if runs_as == "root":
        environment.require_root()
    elif runs_as == "dokku":
        environment.drop_privileges()
    _authorise([line.name, *line.arguments])
    if line.trace is None:
        return _run_here(index, declared, line)
    with trace.shown(line.trace):
        return _run_here(index, declared, line)


def _run_here(index: plugins.Index, declared: plugins.Command | None, line: CommandLine) -> int:
    from dokku_min import builtins

    if line.name in builtins.COMMANDS:
        return builtins.COMMANDS[line.name](line.arguments)
    if declared:
        return _run_program(index.plugins[declared.plugin], line)
    for plugin, path in _subcommand_files(line.name):
        if os.access(path, os.X_OK) and os.path.isfile(path):
            return _status(dispatch.spawn([path, line.name, *_with_app(plugin, line)]))
    status = builtins.plugin_help(line.name, line.arguments)
    return status if status is not None else _ask_everyone(line)


def run_child(argv: list[str]) -> int:
    """Run a command in a fork of this process, with its own authorisation; its exit status, as a shell gives it."""
    from dokku_min import warm

    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return _status(dispatch.wait(pid))
    dispatch.reset_signals()
    os.environ.pop("DOKKU_APP_NAME", None)
    warm.leave(warm.guarded(lambda: run(CommandLine(argv)), f"dokku {argv[0]}"))
    return 1


def _status(status: int) -> int:
    return status if status >= 0 else 128 - status


def _authorise(argv: list[str]) -> None:
    if dispatch.index().implemented("user-auth"):
        caller = (os.environ.get("SSH_USER", ""), os.environ["SSH_NAME"])
        if dispatch.trigger("user-auth", *caller, *argv, stdin=dispatch.no_input()):  # ours is the command's
            raise Failure("Access denied", "ask the operator of this server for access")


def _run_program(plugin: plugins.Plugin, line: CommandLine) -> int:
    """A command reaches its program with its colon, so that no trigger name can be mistaken for it."""
    name = line.name if ":" in line.name else f"{line.name}:"
    argv = [name, *_with_app(plugin, line)]
    if plugin.warm and not os.environ.get("DOKKU_COLD"):
        from dokku_min import warm

        return warm.call(plugin, argv)
    return _status(dispatch.run_program(plugin, argv))


def _with_app(plugin: plugins.Plugin | None, line: CommandLine) -> list[str]:
    """`--app X` becomes the first argument of core commands; other plugins read DOKKU_APP_NAME (plugins.md 1.5)."""
    return [line.app, *line.arguments] if line.app and plugin and plugin.core else line.arguments


def _subcommand_files(name: str) -> list[tuple[plugins.Plugin | None, str]]:
    prefix, _, rest = name.partition(":")
    if "/" in name or name.endswith(":"):
        return []
    known = dispatch.index().plugins
    places = [(name, "default"), (name, name), (prefix, rest or name)]
    return [(known[p], f"{known[p].path}/subcommands/{file}") for p, file in places if p in known]


def _ask_everyone(line: CommandLine) -> int:
    """Every `commands` executable gets the command; 10 means "not mine", 0 "done, but go on" (plugins.md 1.4)."""
    handled = False
    for plugin, _ in dispatch.index().handlers("commands"):
        status = dispatch.spawn([f"{plugin.path}/commands", line.name, *_with_app(plugin, line)])
        if status not in (0, NOT_IMPLEMENTED):
            return _status(status)
        handled = handled or status == 0
    if handled:
        return 0
    log.warn(f"`{' '.join([line.name, *line.arguments])}` is not a dokku command.")
    log.warn("See `dokku help` for a list of available commands.")
    _suggest(line.name)
    return 1


def _suggest(name: str) -> None:
    import difflib

    near = difflib.get_close_matches(name, [c.name for c in dispatch.index().commands() if c.help], 1, 0.75)
    if near:
        log.warn(f"Did you mean `dokku {near[0]}`?")
