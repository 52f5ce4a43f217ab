#!/usr/bin/python3
"""run: one-off commands in containers of an app's current release (commands-b.md 10). The app's scheduler runs them."""

import os

from dokku_min.args import Usage, check_app
from dokku_min.sdk import Failure, Plugin, ask, dispatch, fire, names

DAY = "86400"
SHORT = {"-e": "--env"}
LOG_SHORT = {"-n": "--num", "-t": "--tail", "-q": "--quiet"}

plugin = Plugin("run")
main = plugin.main


@plugin.command("run", options_first=True, short=SHORT)
def run(app, *command, env=(), no_tty=False, force_tty=False, ttl_seconds=DAY, cron_id="", concurrency_policy=""):
    return _run(app, command, env, no_tty, force_tty, ttl_seconds, cron_id, concurrency_policy)


@plugin.command("run:detached", options_first=True, short=SHORT)
def detached(app, *command, env=(), no_tty=False, force_tty=False, ttl_seconds=DAY, cron_id="", concurrency_policy=""):
    os.environ["DOKKU_DETACH_CONTAINER"] = "1"
    return _run(app, command, env, no_tty, force_tty, ttl_seconds, cron_id, concurrency_policy)


def _run(app, command, env, no_tty, force_tty, ttl_seconds, cron_id, concurrency_policy):
    """How it is to run reaches the scheduler in the environment, as plugins.md 2 has it for scheduler-run."""
    if no_tty and force_tty:
        raise Usage("--no-tty and --force-tty exclude each other")
    if not (ttl_seconds.isascii() and ttl_seconds.isdigit() and int(ttl_seconds) > 0):
        raise Failure("--ttl-seconds must be a positive integer")
    if concurrency_policy not in ("", "allow", "forbid", "replace"):
        raise Failure(f"Invalid concurrency policy: {concurrency_policy}", "use allow, forbid or replace")
    for pair in env:
        _check_pair(pair)
    told = {"DOKKU_FORCE_TTY": "true" if force_tty else "", "DOKKU_DISABLE_TTY": "true" if no_tty else "",
            "DOKKU_RUN_TTL_SECONDS": ttl_seconds, "DOKKU_CRON_ID": cron_id,
            "DOKKU_CONCURRENCY_POLICY": concurrency_policy}  # fmt: skip
    os.environ.update({name: value for name, value in told.items() if value})
    words = command[1:] if command[:1] == ("--",) else command
    return dispatch.trigger("scheduler-run", _scheduler(app), app, str(len(env)), *env, "--", *words)


def _check_pair(pair):
    key, equals, value = pair.partition("=")
    if not equals or not names.is_env_key(key) or "\0" in value:
        raise Failure(f"Invalid environment variable: {key}", "write KEY=VALUE")


def _scheduler(app):
    return ask("scheduler-detect", app)


@plugin.command("run:list")
def list_(app, *, format="stdout"):  # noqa: A002 - the flag's name
    if format not in ("stdout", "json"):
        raise Failure('Format must be "stdout" or "json"')
    fire("scheduler-run-list", _scheduler(app), app, format)


@plugin.command("run:logs", short=LOG_SHORT)
def logs(app="", *, container="", num=100, tail=False, quiet=False):
    app = _app_of(app, container)
    if num < 0:
        raise Usage("--num takes a number from 0 on")
    shown = ["true" if tail else "false", "true" if quiet else "false", str(num)]
    return dispatch.trigger("scheduler-run-logs", _scheduler(app), app, container, *shown)


@plugin.command("run:stop")
def stop(app="", *, container=""):
    app = _app_of(app, container)
    fire("scheduler-run-stop", _scheduler(app), app, container)


@plugin.command("run:retire")
def retire(app=""):
    fire("scheduler-run-retire", *([_scheduler(app), app] if app else []))


def _app_of(app, container):
    """The app that is named, or the one whose APP.run.N the container is."""
    if not app and not container:
        raise Failure("No container or app specified")
    if not container:
        return app
    owner, _, rest = container.rpartition(".run.")
    if container.count(".") < 2:
        raise Failure(f"Invalid container name specified: {container}", "run containers are called APP.run.N")
    if not owner or not rest.isdigit():
        raise Failure("Specified container must be a run container", f"as APP.run.N is, not {container}")
    check_app(owner)
    if app and app != owner:
        raise Failure(f"Container {container} is not of app {app}")
    return owner


if __name__ == "__main__":
    plugin.run()
