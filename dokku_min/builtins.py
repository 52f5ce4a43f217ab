"""The commands of the core itself: help, version, setup; and `PLUGIN:help` for every plugin with a manifest."""

import os
import sys

from dokku_min import COMPATIBLE, __version__, dispatch, files, log, paths
from dokku_min.errors import Failure
from dokku_min.plugins import Command

_USAGE = "dokku [--quiet|--trace|--force] COMMAND <app> [command-specific-options]"


def version(_arguments: list[str]) -> int:
    """commands-a.md 1.1: what LIB says is installed; before setup, what this file is."""
    found = files.read(f"{paths.lib_root()}/STABLE_VERSION") or files.read(f"{paths.lib_root()}/VERSION")
    print(f"dokku version {found.strip() or own_version()}")
    return 0


def own_version() -> str:
    """The Dokku release we are compatible with, and our own version as build metadata (semver.org, rule 10)."""
    return f"{COMPATIBLE}+min.{__version__}"


def setup(arguments: list[str]) -> int:
    """The setup plugin of this very file, not the one that an older file installed."""
    from dokku_min import plugins, warm

    own = plugins.Plugin("setup", True, "plugin.py", True)
    own.path = f"{paths.bundled_plugins()}/setup"
    return warm.call(own, ["setup:", *arguments])


def help_(arguments: list[str]) -> int:
    """commands-a.md 1.7: core commands come from manifests; only plugins of the old form are asked to speak."""
    if arguments and not arguments[0].startswith("-"):
        status = plugin_help(f"{arguments[0].partition(':')[0]}:help", [arguments[0]])
        if status is None:
            raise Failure(f"there is no plugin {arguments[0]}", "see `dokku help` for a list of commands")
        return status
    everything = "--all" in arguments
    if not log.quiet() and _on_terminal():
        print(f"Usage: {_USAGE}\n\nPrimary help options, type \"dokku COMMAND:help\" for more details, or dokku help --all to see all commands.\n\nCommands:\n")  # noqa: E501  # fmt: skip
    elif not log.quiet():
        print(f"Usage: {_USAGE}\n")
    core, community = _lines(everything)
    print(log.columns(sorted(core), "    "))
    if community or everything:
        if not log.quiet():
            print("\nCommunity plugin commands:\n")
        print(log.columns(sorted(community), "    "))
    return 0


def _on_terminal() -> bool:
    if os.environ.get("DOKKU_FORCE_TTY") == "true":
        return True
    return os.environ.get("DOKKU_DISABLE_TTY") != "true" and sys.stdin.isatty()


def _lines(everything: bool) -> tuple[list[list[str]], list[list[str]]]:
    index = dispatch.index()
    about = index.descriptions()
    core: list[list[str]] = []
    community: list[list[str]] = []
    for command in index.commands():
        if not command.help:
            continue
        target = core if index.plugins[command.plugin].core else community
        if everything or target is community:
            target.append([f"{command.name} {command.usage}".strip(), command.help])
            continue
        top, colon, _ = command.name.partition(":")
        line = [top, about[command.plugin] if colon else command.help]
        if not any(known[0] == top for known in core):
            core.append(line)
    core += [["help", "Print the list of commands"], ["version", "Print dokku's version"]]
    for is_core, text in _old_form_help():
        usage, _, description = text.strip().partition(",")
        (core if is_core else community).append([usage.strip(), description.strip()])
    return core, community


def _old_form_help() -> list[tuple[bool, str]]:
    """Lines of every `commands help`; it looks for `--all` in the argv of its parent, which is us (plugins.md 1.6)."""
    found = []
    for plugin, _ in dispatch.index().handlers("commands"):
        answer = os.memfd_create("help", os.MFD_CLOEXEC)
        try:
            dispatch.spawn([f"{plugin.path}/commands", "help"], dispatch.no_input(), answer)
        except Failure as failure:
            log.warn(failure.message)
        text = os.fsdecode(os.pread(answer, os.fstat(answer).st_size, 0))
        os.close(answer)
        found += [(plugin.core, line) for line in text.splitlines() if line.startswith("    ")]
    return found


def plugin_help(name: str, arguments: list[str]) -> int | None:
    """`PLUGIN`, `PLUGIN:help [SUB]`: what its manifest says. None when no manifest declares commands of that name."""
    prefix, _, rest = name.partition(":")
    if rest not in ("", "help") or name.endswith(":"):
        return None
    index = dispatch.index()
    found = [c for c in index.commands() if c.name.partition(":")[0] == prefix and c.help]
    if not found:
        return None
    wanted = arguments[0].removeprefix(f"{prefix}:") if arguments and not arguments[0].startswith("-") else ""
    one = [c for c in found if wanted and c.name in (f"{prefix}:{wanted}", wanted)]
    if wanted and wanted != prefix and not one:
        raise Failure(f"{prefix} has no command {wanted}", f"see `dokku {prefix}:help`")
    if one and wanted != prefix:
        print(f"Usage: dokku {_usage(one[0])}\n\n{one[0].help}")
        return 0
    print(f"Usage: dokku {prefix}[:COMMAND]\n\n{index.descriptions()[found[0].plugin]}\n\nAdditional commands:\n")
    print(log.columns([[_usage(c), c.help] for c in found], "    "))
    return 0


def command_help(name: str) -> int:
    """`COMMAND --help`: its usage and help on stderr; the bare name of a plugin is the same as its help."""
    command = dispatch.index().command(name)
    if command and (":" in name or not command.help):
        print(f"Usage: dokku {_usage(command)}\n\n{command.help}".rstrip(), file=sys.stderr)
        return 0
    return plugin_help(f"{name}:help", []) or 0


def usage_of(name: str) -> str:
    command = dispatch.index().command(name)
    return f"usage: dokku {_usage(command)}" if command else ""


def _usage(command: Command) -> str:
    return f"{command.name} {command.usage}".strip()


NEED_ROOT = ("setup",)
COMMANDS = {
    "help": help_, "--help": help_, "-h": help_, "version": version, "-v": version, "--version": version,
    "setup": setup,
}  # fmt: skip
