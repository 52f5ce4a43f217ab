#!/usr/bin/python3
"""checks: decide whether a new container is healthy before it gets traffic (commands-a.md 9)."""

import os
import time

import definitions
import probes

from dokku_min import names, paths, run
from dokku_min.sdk import Failure, Plugin, ask, fire, forked, log, properties

plugin = Plugin("checks", properties=True)
main = plugin.main


class Target:
    """The container under test."""

    def __init__(self, app, identity, address):
        self.app, self.identity, self.address = app, identity, address
        self.builder = self._inspect(probes.BUILDER)

    def _inspect(self, form):
        return run.answer("docker", "container", "inspect", "--format", form, self.identity, quiet=True)[1].strip()

    def state(self):
        """(running, times restarted, exit status); a container that is gone does not run."""
        words = self._inspect("{{.State.Running}} {{.RestartCount}} {{.State.ExitCode}}").split() or ["false", "0", "-1"]
        return words[0] == "true", int(words[1]), words[2]


@plugin.trigger("check-deploy")
def check_deploy(app, identity, process_type, port="5000", address="", index=""):
    """Run all checks of the process at the same time; the status is the number of those that failed."""
    dyno = f"{process_type}.{index}" if index else process_type
    found = definitions.of_process(app, process_type, port or "5000")
    target = Target(app, identity, address)
    pids = [forked(lambda check=check: attempt(check, target, dyno)) for check in found]
    failed = sum(1 for pid in pids if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
    if failed:
        log.warn(f"Could not start due to {failed} failed checks ({dyno})")
    return failed


def attempt(check, target, dyno):
    """Try a check as often as it says; 1 when it fails for good and matters."""
    time.sleep(check.delay)
    tries = 1 if check.kind == "uptime" else max(1, check.attempts)
    problem = ""
    for number in range(tries):
        problem = probes.PROBES[check.kind](check, target)
        if not problem:
            return 0
        if not target.state()[0]:
            problem = f"the container ended with status {target.state()[2]}"
            break
        if number + 1 < tries:
            log.verbose(f"{check.name} ({dyno}), attempt {number + 1} of {tries}: {problem}")
            time.sleep(check.wait)
    log.warn(f"{check.name} ({dyno}) failed: {problem}")
    _tell(check)
    return 0 if check.warn else 1


def _tell(check):
    """What app.json wants done when the check fails: a command on this host, or a POST to a URL (commands-a.md 9.2)."""
    if check.on_failure.get("command"):
        run.stream(*map(str, check.on_failure["command"]))
    if check.on_failure.get("url"):
        from dokku_min.report import to_json

        data = to_json({"check_name": check.name})
        kind = ("-H", "Content-Type: application/json", "--data-binary", "@-")
        run.answer("curl", "-fsS", "-m", "10", *kind, "--", check.on_failure["url"], data=data)


def _items(app, key):
    return [item for item in properties.get("checks", app, key).split(",") if item]


def _store(app, key, items):
    if items:
        properties.put("checks", app, key, ",".join(items))
    else:
        properties.delete("checks", app, key)


def _types(argument):
    types = [name for name in argument.split(",") if name]
    for name in types:
        if not names.is_process_type(name):
            raise Failure(f"Invalid process type specified ({name})")
    return types


def _move(app, argument, into, out_of, verb):
    """Put process types (or _all_) on one list and take them off the other."""
    types = _types(argument)
    with properties.editing("checks", app):
        if not types:
            log.info1(f"{verb} zero downtime for app ({app})")
            _store(app, into, ["_all_"])
            return _store(app, out_of, [])
        log.info1(f"{verb} zero downtime for app's ({app}) proctypes ({','.join(types)})")
        kept = [item for item in _items(app, into) if item != "_all_"]
        _store(app, into, [*kept, *(name for name in types if name not in kept)])
        return _store(app, out_of, [item for item in _items(app, out_of) if item not in types])


@plugin.command("checks:disable")
def disable(app, process_types=""):
    _move(app, process_types, "disabled", "skipped", "Disabling")


@plugin.command("checks:skip")
def skip(app, process_types=""):
    _move(app, process_types, "skipped", "disabled", "Skipping")


@plugin.command("checks:enable")
def enable(app, process_types=""):
    types = _types(process_types)
    told = f"app's ({app}) proctypes ({','.join(types)})" if types else f"app ({app})"
    log.info1(f"Enabling zero downtime for {told}")
    with properties.editing("checks", app):
        for key in ("disabled", "skipped"):
            _store(app, key, [item for item in _items(app, key) if types and item not in types])


@plugin.command("checks:run")
def run_checks(app, process_types=""):
    """Check the live containers now, all of them or those of TYPE or TYPE.N."""
    import json

    chosen = [word for word in process_types.split(",") if word]
    files = os.listdir(paths.app_dir(app))
    live = sorted(name.removeprefix("CONTAINER.") for name in files if name.startswith("CONTAINER."))
    _validate(app, chosen, live)
    log.info1("Running pre-flight checks")
    record = json.loads(ask("release-current", app) or "{}")
    maps = [each.split(":") for each in record.get("ports", [])]
    port = next((each[2] for each in maps if each[0] != "udp"), "5000")
    for dyno in live:
        kind, _, index = dyno.rpartition(".")
        if chosen and dyno not in chosen and kind not in chosen:
            continue
        if kind in _items(app, "disabled") or "_all_" in _items(app, "disabled"):
            log.verbose(f"zero downtime is disabled for {kind}, not checked")
            continue
        log.info1(f"Running checks for app ({app}.{dyno})")
        with open(f"{paths.app_dir(app)}/CONTAINER.{dyno}") as file:
            identity = file.read().strip()
        fire("check-deploy", app, identity, kind, port, ask("network-get-ipaddr", app, kind, identity), index)


def _validate(app, chosen, live):
    types = {dyno.rpartition(".")[0] for dyno in live}
    for word in chosen:
        if word.rpartition(".")[0] in types and word not in live:
            raise Failure(f"Invalid container index specified ({app}.{word})")
        if word not in types and word not in live:
            raise Failure(f"Invalid process type specified ({app}.{word})")


def check_value(_scope, key, value):
    if not value.isdigit():
        raise Failure(f"Invalid {key} specified: {value}", "use a number of seconds")
    return value


plugin.settable({"wait-to-retire": "both"}, check=check_value, word="key")


@plugin.report()
def rows(scope):
    found = {"checks-global-wait-to-retire": properties.get("checks", "--global", "wait-to-retire")}
    found["checks-computed-wait-to-retire"] = get_property(scope, "wait-to-retire")
    if scope != "--global":
        found["checks-wait-to-retire"] = properties.get("checks", scope, "wait-to-retire")
        for key in ("disabled", "skipped"):
            found[f"checks-{key}-list"] = properties.get("checks", scope, key, "none")
    return found


@plugin.trigger("checks-get-property")
def get_property(app, key):
    return properties.effective("checks", app, key, "60" if key == "wait-to-retire" else "")


if __name__ == "__main__":
    plugin.run()
