"""One-off containers that are there: list, logs, stop, and an end for those past their time (commands-b.md 10)."""

import time

import containers
import observe
import retire

from dokku_min import run
from dokku_min.sdk import Failure, log, report

OWN = "docker-local"


def register(plugin):
    plugin.trigger("scheduler-run-list")(run_list)
    plugin.trigger("scheduler-run-logs")(run_logs)
    plugin.trigger("scheduler-run-stop")(run_stop)
    plugin.trigger("scheduler-run-retire", "scheduler-retire")(run_retire)


def listed(app, kind, label=""):
    """Ids of the one-off containers of a kind, of an app or of all."""
    wanted = [
        f"com.dokku.container-type={kind}",
        *([f"com.dokku.app-name={app}"] if app else []),
        *filter(None, [label]),
    ]
    filters = [f"--filter=label={each}" for each in wanted]
    argv = ("docker", "container", "ls", "--all", "--quiet", "--no-trunc", *filters)
    return run.capture("list the containers", *argv).split()


def _inspected(ids):
    import json

    if not ids:
        return []
    text = run.answer("docker", "container", "inspect", "--", *ids, quiet=True)[1]
    return json.loads(text or "[]")


def run_list(scheduler, app, form="stdout"):
    import json

    if scheduler != OWN:
        return
    rows = [
        {"name": c["Name"].lstrip("/"), "state": c["State"]["Status"], "command": " ".join([c["Path"], *c["Args"]]),
         "created_at": c["Created"]}
        for c in _inspected(listed(app, "run"))
    ]  # fmt: skip
    if form == "json":
        print(report.to_json(rows))
        return
    head = [] if log.quiet() else [["NAMES", "COMMAND", "CREATED"]]
    table = [[row["name"], json.dumps(row["command"], ensure_ascii=False), row["created_at"]] for row in rows]
    if head + table:
        print(log.columns(head + table))


def run_logs(scheduler, app, name="", tail="", quiet="", num="100"):
    if scheduler != OWN:
        return
    chosen = [(each.rpartition(".")[2], identity) for each, identity in _named(app, name)]
    observe.show(chosen, tail == "true", quiet == "true", num or "100", app)


def run_stop(scheduler, app, name=""):
    if scheduler != OWN:
        return
    found = _named(app, name)
    if not found:
        raise Failure("No run containers exist", f"for {app}")
    for each, identity in found:
        log.info1(f"Stopping {each}")
        end(app, identity)


def _named(app, name=""):
    """(name, id) of the app's run containers, or of the one with that name."""
    found = [(c["Name"].lstrip("/"), c["Id"]) for c in _inspected(listed(app, "run"))]
    if name and name not in dict(found):
        raise Failure(f"Container {name} does not exist", f"see which there are: dokku run:list {app}")
    return [pair for pair in found if name in ("", pair[0])]


def run_retire(scheduler="", app=""):
    """End the run and cron containers that are past the deadline they were started with."""
    if scheduler not in ("", OWN):
        return
    for c in _inspected([*listed(app, "run"), *listed(app, "cron")]):
        labels = c["Config"]["Labels"]
        limit = labels.get("com.dokku.active-deadline-seconds", "")
        if limit.isdigit() and time.time() - _epoch(c["Created"]) > int(limit):
            log.info1(f"Retiring {c['Name'].lstrip('/')}, which was to end after {limit} seconds")
            end(labels.get("com.dokku.app-name", ""), c["Id"])


def _epoch(stamp):
    """Seconds since 1970 of docker's 2006-01-02T15:04:05.999999999Z."""
    import calendar

    return calendar.timegm(time.strptime(stamp[:19], "%Y-%m-%dT%H:%M:%S"))


def end(app, identity):
    """Stop the container within the app's time, and leave nothing of it."""
    run.works("docker", "container", "stop", f"--time={retire.stop_timeout(app)}", identity)
    for _ in range(20):  # docker may be removing it already, because of --rm, and then refuses to be asked twice
        containers.remove([identity])
        if not run.works("docker", "container", "inspect", identity):
            return
        time.sleep(0.2)
