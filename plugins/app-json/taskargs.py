"""What a deployment task runs as: pure functions from docker arguments and a command to an argv (commands-b.md 8)."""

DROPPED = ("--cpus", "--gpus", "--memory", "--memory-reservation", "--memory-swap", "--publish", "--restart",
           "-m", "-p")  # fmt: skip
DROPPED_SWITCHES = ("--publish-all", "-P")
TINI = ("/tini", "/bin/tini", "/usr/bin/tini", "/usr/local/bin/tini")
LAUNCHER = ("/cnb/lifecycle/launcher", "--")  # the dashes: it shall pass on the words as they are

# which of the two shells an image has, only the image knows; a task may well be written for bash
EITHER_SHELL = ("/bin/sh", "-c", 'if [ -x /bin/bash ]; then exec /bin/bash -c "$1"; fi; exec /bin/sh -c "$1"', "task")
# `set` is a special builtin: where there is no pipefail it would end the shell, so ask in a subshell first
STRICT = "set -e; if (set -o pipefail) 2>/dev/null; then set -o pipefail; fi;"
SLUG = (
    "export HOME=/app; cd /app; set +e;"
    ' for file in /etc/profile.d/*.sh /app/.profile.d/*.sh /app/.profile; do [ ! -r "$file" ] || . "$file"; done;'
    " set -e;"
)


def without(words: list[str], dropped: tuple[str, ...] = DROPPED, switches: tuple[str, ...] = DROPPED_SWITCHES):  # type: ignore[no-untyped-def]
    """Docker arguments less those that a task must not have: limits, published ports, a restart policy."""
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        name, equals, _ = word.partition("=")
        if name in dropped:
            if not equals:
                next(rest, None)
        elif name not in switches and not (word[:2] == "-p" and word[2:3].isdigit()):
            kept.append(word)
    return kept


def environment(words: list[str]) -> tuple[list[str], list[str]]:
    """Docker arguments parted into those that set variables, and all others."""
    names, others = [], []
    rest = iter(words)
    for word in rest:
        name, equals, _ = word.partition("=")
        if name not in ("--env", "--env-file", "-e"):
            others.append(word)
        else:
            names += [word] if equals else [word, next(rest, "")]
    return names, others


def safe_env(words: list[str], values: dict[str, str]) -> tuple[list[str], dict[str, str]]:
    """(words, environment of the docker client) for `--env=KEY` words whose values are in values.

    Values travel in the client's environment, so that no process list shows them; but a variable that the client itself
    would obey is given to the container alone.
    """
    shown, told = [], {}
    for word in words:
        key = word.removeprefix("--env=")
        if key == word or key not in values:
            shown.append(word)
        elif key.startswith(("DOCKER_", "LD_", "BUILDX_", "BUILDKIT_")) or key in ("HOME", "PATH", "TMPDIR"):
            shown.append(f"--env={key}={values[key]}")
        else:
            shown.append(word)
            told[key] = values[key]
    return shown, told


def argv(command: str, entrypoint: list[str], shell: str, slug: bool, cnb: bool) -> list[str]:
    """The command as argv inside the container, with nothing of the image's entrypoint left to add.

    An image that is one program gets the command's words; every other image gets the command through a shell.
    """
    from dokku_min import words

    if entrypoint and not cnb and not slug and not is_tini(entrypoint):
        return [*entrypoint, *words.split(command)]
    script = f"{STRICT} {SLUG if slug else ''}\n{command}"
    run_by = (shell, "-c") if shell else EITHER_SHELL
    return [*(LAUNCHER if cnb else ()), *run_by, script]


def is_tini(entrypoint: list[str]) -> bool:
    return entrypoint[0] in TINI and entrypoint[1:] in ([], ["--"])


def masked(command: str, values: dict[str, str]) -> str:
    """The command as it may be shown: what came out of a variable goes back behind its name."""
    for key, value in sorted(values.items(), key=lambda item: -len(item[1])):
        if len(value) >= 8:
            command = command.replace(value, f"${key}")
    return command
