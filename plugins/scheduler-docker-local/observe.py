"""Look at an app's containers: their logs, their inside, what docker knows of them (commands-b.md 12 and 17)."""

import os
import sys

import containers
import retire
import streams

from dokku_min import run
from dokku_min.sdk import Failure, ask, files, log

OWN = "docker-local"
COLOURS = (36, 33, 32, 35, 31)
_KEPT_ENV = ("CACHE_PATH=", "DOCKER_", "DOKKU_", "DYNO=", "PATH=", "PORT=", "USER=")
# where no shell is set: bash if the image has it, else the shell that every image with a shell has
_SHELL = ("/bin/sh", "-c", "if command -v bash >/dev/null 2>&1; then exec bash; fi; exec sh")
# what built an image, as docker's template: Cloud Native Buildpacks are started their way whoever labelled their image
BUILDER = (
    '{{with .Config.Labels}}{{if index . "io.buildpacks.lifecycle.metadata"}}pack'
    '{{else}}{{with index . "com.dokku.builder-type"}}{{.}}{{end}}{{end}}{{end}}'
)
STARTERS = {"herokuish": ("/exec",), "pack": ("/cnb/lifecycle/launcher", "--")}

# docker lets what it was told to exec run on when its client goes; it is found by a mark in its environment
_HANG_UP = 'for p in /proc/[0-9]*; do grep -q "$1" "$p/environ" 2>/dev/null && kill -HUP "${p#/proc/}"; done'


def register(plugin):
    plugin.trigger("scheduler-logs")(logs)
    plugin.trigger("scheduler-logs-failed")(logs_failed)
    plugin.trigger("scheduler-enter")(enter)
    plugin.trigger("scheduler-inspect")(inspect)


def logs(scheduler, app, process="", tail="", quiet="", num="100"):
    if scheduler != OWN:
        return
    live = live_dynos(app)
    if not live:
        raise Failure(f"App {app} has not been deployed")
    chosen = [(dyno, cid) for dyno, cid in live if process in ("", dyno, dyno.rpartition(".")[0])]
    show(chosen, tail == "true", quiet == "true", num, app)


def live_dynos(app):
    """(dyno, container id) of what is on record, by type, then by number."""
    found = containers.live_ids(app)
    parts = ((dyno.rpartition("."), cid) for dyno, cid in found.items() if cid)
    return [(f"{name}.{number}", cid) for (name, _, number), cid in sorted(parts, key=_by_type)]


def _by_type(item):
    (name, _, number), _cid = item
    return name, int(number) if number.isdigit() else 0


def show(chosen, follow, quiet, num, app):
    """Print the logs of the (name, container id) pairs: merged by time, or line by line as they come."""
    if not num.isdigit():
        raise Failure(f"Invalid number of lines: {num}")
    if not chosen:
        return
    streams.end_on_signals()
    heads = {name: (COLOURS[place % len(COLOURS)], f"{app}[{name}]:") for place, (name, _) in enumerate(chosen)}
    processes = [(name, _docker_logs(cid, follow, num)) for name, cid in chosen]
    try:
        found = streams.lines(processes)
        for name, line in found if follow else _by_time(found):
            _print(None if quiet else heads[name], line)
            if follow:
                sys.stdout.flush()
        sys.stdout.flush()
    finally:
        streams.kill(process for _, process in processes)


def _docker_logs(cid, follow, num):
    from subprocess import DEVNULL, PIPE, STDOUT

    flags = ("--follow",) if follow else ()
    argv = ("docker", "container", "logs", "--timestamps", f"--tail={num}", *flags, "--", cid)
    return run.start(*argv, stdin=DEVNULL, stdout=PIPE, stderr=STDOUT)


def _by_time(found):
    """docker's time stamps all have one length, so text order is the order of time; equal ones stay as they are."""
    return sorted(found, key=lambda pair: pair[1].partition(b" ")[0] if pair[1][:4].isdigit() else b"")


def _print(head, line):
    """The line as its container wrote it, behind time and name in colour where a head is wanted."""
    stamp, _, text = line.partition(b" ")
    if not stamp[:4].isdigit():  # docker's own words, which have no time
        stamp, text = b"", line
    if head:
        colour, name = head
        text = f"\x1b[{colour}m{f'{stamp.decode()} {name}'.lstrip()}\x1b[0m ".encode() + text
    sys.stdout.buffer.write(text + b"\n")


def logs_failed(scheduler, app):
    if scheduler != OWN:
        return
    rows = [line.split() for line in files.read(retire._failed_file(app)).splitlines()]
    chosen = [(row[1], row[0]) for row in rows if len(row) == 2]
    left = [each for each in chosen if run.works("docker", "container", "inspect", "--", each[1])]
    if not left:
        log.warn("No failed containers found" if not chosen else "The containers that failed are gone by now")
        log.warn(f"see what earlier deploys said: dokku builds:list {app}")
    show(left, False, False, "100", app)


def enter(scheduler, app, *words):
    """docker exec in a container of the app; the exit status is the command's."""
    if scheduler != OWN:
        return None
    at = words.index("--") if "--" in words else len(words)
    where, command = words[:at], words[at + 1 :]
    identity = by_id(app, where[1]) if where[:1] == ("--container-id",) else by_type(app, *where[:1])
    running, builder = _facts(identity)
    if running != "true":
        raise Failure("Container is not running", f"see what it said: dokku logs {app}")
    mark = f"DOKKU_ENTER={os.urandom(8).hex()}"
    flags = ["--interactive", f"--env={mark}", *(["--tty"] if has_tty() else [])]
    flags += ["--workdir=/workspace"] if builder == "pack" else []
    argv = ("docker", "container", "exec", *flags, "--", identity)
    streams.end_on_signals()
    process = run.start(*argv, *in_image(builder, command or shell(app, builder)))
    try:
        return streams.wait(process)
    except streams.Ended:
        streams.ignore_signals()
        run.works("docker", "container", "exec", identity, "sh", "-c", _HANG_UP, "sh", mark)
        raise
    finally:
        streams.kill([process])


def by_id(app, prefix):
    """The one container of the app whose id begins so."""
    found = [c.id for c in containers.of_app(app) if prefix and c.id.startswith(prefix)]
    if len(found) != 1:
        raise Failure(f"Invalid container id for app: {prefix}", f"see which there are: dokku ps:report {app}")
    return found[0]


def by_type(app, wanted=""):
    """The container of a dyno (`web.1`), the first of a type, or of the only type there is."""
    live = live_dynos(app)
    if not live:
        raise Failure(f"App {app} has not been deployed")
    types = sorted({dyno.rpartition(".")[0] for dyno, _ in live})
    if not wanted and len(types) > 1:
        log.warn("No container type specified.")
        raise Failure(f"Available types for app ({app}): {', '.join(types)}")
    found = [cid for dyno, cid in live if wanted in ("", dyno, dyno.rpartition(".")[0])]
    if not found:
        raise Failure(f"No containers found for type '{wanted}'", f"there are: {', '.join(types)}")
    return found[0]


def _facts(identity):
    """Whether the container runs, and what built its image."""
    form = f"{{{{.State.Running}}}} {BUILDER}"
    status, text = run.answer("docker", "container", "inspect", "--format", form, "--", identity, quiet=True)
    return tuple(text.rstrip("\n").split(" ")) if status == 0 else ("false", "")


def in_image(builder, command):
    """Images made of buildpacks give an app its environment by a program of their own: /exec, or CNB's launcher."""
    return [*STARTERS.get(builder, ()), *command]


def shell(app, builder):
    """Words of the shell for somebody who named no command."""
    chosen = os.environ.get("DOKKU_SHELL") or ask("scheduler-get-property", app, "shell")
    if chosen:
        return (chosen,)
    return ("/bin/bash",) if builder == "herokuish" else _SHELL


def has_tty():
    """commands-a.md 1.3."""
    if os.environ.get("DOKKU_FORCE_TTY") == "true":
        return True
    return os.environ.get("DOKKU_DISABLE_TTY") != "true" and sys.stdin.isatty()


def inspect(scheduler, app):
    """docker's JSON of the app's containers, without the values of its config (commands-b.md 7)."""
    if scheduler != OWN:
        return
    import json

    ids = [cid for _, cid in live_dynos(app)]
    text = run.answer("docker", "container", "inspect", "--", *ids, quiet=True)[1] if ids else "[]"
    found = json.loads(text or "[]")
    for each in found:
        each["Config"]["Env"] = [_veiled(pair) for pair in each["Config"]["Env"] or []]
    print(json.dumps(found, indent=4, sort_keys=True, ensure_ascii=False))


def _veiled(pair):
    return pair if pair.startswith(_KEPT_ENV) else f"{pair.partition('=')[0]}=XXXXXX"
