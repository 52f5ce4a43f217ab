#!/usr/bin/python3
"""builds: what every build and deploy printed, and how it ended (commands-b.md 3)."""

import os
import time

import records

from dokku_min import locks, run
from dokku_min.report import to_json
from dokku_min.sdk import Failure, Plugin, apps, files, log, paths, properties

plugin = Plugin("builds", properties=True)
main = plugin.main


@plugin.trigger("builds-generate-id")
def generate_id():
    return records.new_id()


@plugin.trigger("builds-log-file")
def log_file(app, identity):
    """Where the output of a build goes."""
    return records.log_file(app, identity)


@plugin.trigger("builds-record-start")
def record_start(app, identity, pid, source):
    records.start(app, identity, pid, source)


@plugin.trigger("builds-record-finalize")
def record_finalize(app, identity, status):
    records.finish(app, identity, int(status or 0))
    records.prune(app)


def _stamp(seconds):
    return time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(seconds))


def _row(record, *fields):
    shown = {**record, "status": records.shown_status(record), "started": _stamp(record["started_at"]),
             "duration": records.duration(record)}  # fmt: skip
    return [str(shown[field]) for field in fields]


def _full(app, record):
    return {**record, "display_status": records.shown_status(record), "duration": records.duration(record),
            "log_path": records.log_file(app, record["id"])}  # fmt: skip


@plugin.command("builds:list")
def list_(app="", *, format="", kind="", status=""):  # noqa: A002
    if kind not in ("", "build", "deploy"):
        raise Failure(f"Invalid --kind value: {kind}", "use build or deploy")
    if status not in ("", "running", "succeeded", "failed", "canceled", "abandoned"):
        raise Failure(f"Invalid --status value: {status}", "use running, succeeded, failed, canceled or abandoned")
    found = _found(app, kind, status)
    if format == "json":
        return print(to_json([_full(record["app"], record) for record in found]))
    if not found:
        return log.warn("No builds recorded for this app" if app else "No builds currently running")
    if app:
        titles = ["Build ID", "Kind", "Status", "PID", "Source", "Started", "Duration"]
        fields = ("id", "kind", "status", "pid", "source", "started", "duration")
    else:
        titles = ["App", "Build ID", "Kind", "PID", "Source", "Started"]
        fields = ("app", "id", "kind", "pid", "source", "started")
    print(log.columns([titles, *(_row(record, *fields) for record in found)]))
    return None


def _found(app, kind, status):
    if not app:
        found = [record for each in apps.visible() for record in records.all_of(each) if records.alive(record)]
    else:
        found = sorted(records.all_of(app), key=lambda record: not records.alive(record))
    wanted = [r for r in found if kind in ("", r["kind"]) and status in ("", records.shown_status(r))]
    if app and not kind and not status:
        wanted = wanted[: records.retention(app) + sum(map(records.alive, wanted))]
    return wanted


@plugin.command("builds:info")
def info(app, build_id, *, format=""):  # noqa: A002
    record = records.load(app, build_id)
    if format == "json":
        return print(to_json(_full(app, record)))
    rows = [("Build ID", "id"), ("App", "app"), ("Kind", "kind"), ("Status", "status"), ("PID", "pid"),
            ("Source", "source"), ("Started", "started")]  # fmt: skip
    shown = [[f"{title}:", _row(record, field)[0]] for title, field in rows]
    if "finished_at" in record:
        shown.append(["Finished:", _stamp(record["finished_at"])])
    shown.append(["Duration:", records.duration(record)])
    if "exit_code" in record:
        shown.append(["Exit Code:", str(record["exit_code"])])
    shown.append(["Log:", records.log_file(app, build_id)])
    print(log.columns(shown))
    return None


def _running(app):
    """The record of the deploy that holds the app's lock, or None."""
    identity = files.read(paths.lock_file(app)).strip()
    live = [record for record in records.all_of(app) if records.alive(record)]
    return next((r for r in live if r["id"] == identity), live[0] if live else None)


@plugin.command("builds:output")
def output(app, build_id="current"):
    """The log of a build; of one that runs, as it grows."""
    record = _running(app) if build_id == "current" else records.load(app, build_id)
    if record is None:
        return log.warn("App not currently deploying")
    path = records.log_file(app, record["id"])
    if not os.path.exists(path):
        raise Failure(f"the log of {record['id']} is gone")
    if records.alive(record):
        return run.stream("tail", "-n", "1000", "-f", f"--pid={record['pid']}", "--", path)
    return run.stream("cat", "--", path)


@plugin.command("builds:cancel")
def cancel(app):
    """End the running build with every process it has started; the version before keeps serving."""
    if not locks.is_held(app):
        return log.warn("App not currently deploying")
    record = _running(app)
    if record is None:
        return log.warn("The build is no longer running")
    log.info1(f"Canceling build {record['id']} of {app}")
    records.finish(app, record["id"], -1, "canceled")
    for pid in _tree(record["pid"]):
        try:
            os.kill(pid, 9)
        except ProcessLookupError:
            pass
    return None


def _tree(root):
    """pids of a process and all that descend from it, the parents first so that none is left to go on."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            stat = files.read(f"/proc/{name}/stat")
            parent = stat.rpartition(")")[2].split()[1:2]
            children.setdefault(int(parent[0]) if parent else 0, []).append(int(name))
    found, todo = [], [root]
    while todo:
        pid = todo.pop(0)
        found.append(pid)
        todo += children.get(pid, [])
    return found


@plugin.command("builds:prune")
def prune(app="", *, all_apps=False):
    if not app and not all_apps:
        raise Failure("Please specify an app to run the command on", "or --all-apps")
    for each in apps.visible() if all_apps else [app]:
        records.prune(each)


def check_value(_scope, _key, value):
    if not value.isdigit() or int(value) < 1:
        raise Failure(f"Invalid retention specified: {value}", "use a number from 1 on")
    return value


plugin.settable({"retention": "both"}, check=check_value)


@plugin.report(legacy=True)
def rows(scope):
    found = {"builds-global-retention": properties.get("builds", "--global", "retention")}
    if scope == "--global":
        return found
    latest = next(iter(records.all_of(scope)), {})
    for key, field in (("id", "id"), ("kind", "kind"), ("pid", "pid"), ("source", "source"), ("started-at", "started_at"),
                       ("finished-at", "finished_at"), ("exit-code", "exit_code")):  # fmt: skip
        found[f"build-{key}"] = str(latest.get(field, ""))
    found["build-status"] = records.shown_status(latest) if latest else ""
    found["builds-retention"] = properties.get("builds", scope, "retention")
    found["builds-computed-retention"] = str(records.retention(scope))
    return found


@plugin.trigger("post-delete")
def post_delete(app):
    files.remove_tree(records.base(app))


if __name__ == "__main__":
    plugin.run()
