"""Where every start begins: which of our names were we called by, who calls, and what do they want?"""

import os
import sys

from dokku_min import warm


def main() -> None:
    """Run and leave; never returns."""
    name = os.path.basename(sys.argv[0])
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
    programs = {"plugn": _plugn, "sshcommand": _sshcommand}
    warm.leave(warm.guarded(programs.get(name, _dokku), name))


def _plugn() -> int:
    from dokku_min import plugn

    return plugn.main(sys.argv[1:])


def _sshcommand() -> int:
    from dokku_min import sshcommand

    return sshcommand.main(sys.argv[1:])


def _dokku() -> int:
    from dokku_min import builtins, commands, environment

    environment.prepare()
    argv = _words_from_ssh() if "SSH_ORIGINAL_COMMAND" in os.environ else sys.argv[1:]
    os.environ["SSH_NAME"] = os.environ.get("NAME") or os.environ.get("SSH_NAME") or "default"
    line = commands.CommandLine(argv)
    if line.name in ("version", "-v", "--version"):  # works before setup and for everybody
        return builtins.version([])
    return commands.run(line)


def _words_from_ssh() -> list[str]:
    """What the far end typed (commands-a.md 1.2). git's own commands keep their quotes: `git-receive-pack 'app'`."""
    from dokku_min import words

    line = os.environ.pop("SSH_ORIGINAL_COMMAND")
    sys.argv[1:] = line.split() if line.startswith(("git-", "git:")) else words.split(line)
    return sys.argv[1:]


if __name__ == "__main__":
    main()
