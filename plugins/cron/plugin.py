#!/usr/bin/python3
"""cron: run an app's tasks by the clock (commands-b.md 11). Tasks come from app.json; the dokku user's crontab has them."""

import os

import tasks

from dokku_min.sdk import GLOBAL, Failure, Plugin, ask, fire, log, properties, report, words

DAY = 86400

plugin = Plugin("cron", properties=True)
main = plugin.main


@plugin.command("cron:list")
def list_(scope, *, format="stdout"):  # noqa: A002 - the flag's name
    found = tasks.of_plugins() if scope == GLOBAL else tasks.of_app(scope)
    if format == "json":
        print(report.to_json([_as_json(task) for task in found]))
    elif format == "stdout":
        head = [] if log.quiet() else [["ID", "Schedule", "Concurrency", "Maintenance", "Command"]]
        rows = [[t.id, t.schedule, t.policy, t.shown_maintenance(), " ".join(t.command.split("\n"))] for t in found]
        print(log.columns(head + rows), end="\n" if head + rows else "")
    else:
        raise Failure('Format must be "stdout" or "json"')


def _as_json(task):
    return {
        "id": task.id, "app": task.app, "command": task.command, "schedule": task.schedule,
        "concurrency_policy": task.policy, "app-in-maintenance": task.app_rests, "task-in-maintenance": task.task_rests,
        "maintenance": task.rests, **({} if task.app else {"global": True}),
    }  # fmt: skip


@plugin.command("cron:run")
def run(app, identity, *, detach=False, ttl_seconds=DAY):
    if ttl_seconds <= 0:
        raise Failure("--ttl-seconds must be a positive integer")
    task = tasks.find(app, identity)
    os.environ["DOKKU_CRON_ID"] = task.id
    os.environ["DOKKU_CONCURRENCY_POLICY"] = task.policy
    os.environ["DOKKU_RUN_TTL_SECONDS"] = str(ttl_seconds)
    if detach:
        os.environ["DOKKU_DETACH_CONTAINER"] = "1"
    fire("scheduler-run", ask("scheduler-detect", app), app, "0", "--", *words.split(task.command))


@plugin.command("cron:suspend")
def suspend(app, identity):
    task = tasks.find(app, identity)
    log.info2_quiet(f"Setting maintenance.{task.short_id} to true")
    properties.put("cron", app, f"maintenance.{task.short_id}", "true")
    _rewrite()


@plugin.command("cron:resume")
def resume(app, identity):
    task = tasks.find(app, identity)
    log.info2_quiet(f"Unsetting maintenance.{task.short_id}")
    properties.delete("cron", app, f"maintenance.{task.short_id}")
    _rewrite()


@plugin.command("cron:set")
def set_(scope, key="", *value):
    text = " ".join(value)
    _check_key(scope, key)
    _check_value(key, text)
    if key.startswith("maintenance."):
        key = f"maintenance.{tasks.find(scope, key.removeprefix('maintenance.')).short_id}"
    if text:
        log.info2_quiet(f"Setting {key} to {text}")
        properties.put("cron", scope, key, text)
    else:
        log.info2_quiet(f"Unsetting {key}")
        properties.delete("cron", scope, key)
    _rewrite()


def _check_key(scope, key):
    if not key:
        raise Failure("No property specified")
    if key.startswith("maintenance."):
        if scope == GLOBAL:
            raise Failure("Task maintenance properties cannot be set globally")
    elif key not in ("maintenance", "mailto", "mailfrom"):
        raise Failure(
            "Invalid property specified, valid properties include: mailfrom, mailto, maintenance, maintenance.ID"
        )
    elif key != "maintenance" and scope != GLOBAL:
        raise Failure("Property can only be specified globally")


def _check_value(key, text):
    import crontab

    if not text:
        return
    if key.startswith("maintenance") and text not in ("true", "false"):
        raise Failure(f"Invalid {key.partition('.')[0]} specified: {text}", "use true or false")
    crontab.env_line(key, text)


@plugin.report(heading="cron", legacy=True)
def rows(scope):
    found = {}
    for key in ("mailfrom", "mailto"):
        value = properties.get("cron", GLOBAL, key)
        found[f"cron-global-{key}"] = found[f"cron-computed-{key}"] = value
    found["cron-global-maintenance"] = properties.get("cron", GLOBAL, "maintenance", "false")
    found["cron-computed-maintenance"] = properties.effective("cron", scope, "maintenance", "false")
    if scope != GLOBAL:
        found["cron-maintenance"] = properties.get("cron", scope, "maintenance")
        found["cron-task-count"] = lambda: str(len(tasks.of_app(scope)))
        suspended = [key for key in properties.keys("cron", scope) if key.startswith("maintenance.")]
        found |= {f"cron-maintenance-{key.partition('.')[2]}": properties.get("cron", scope, key) for key in suspended}
    return found


@plugin.trigger("app-json-is-valid")
def app_json_is_valid(app, path):
    import json

    for number, entry in enumerate(json.loads(ask("app-json-get-content", app, path) or "{}").get("cron") or []):
        field, why = tasks.check(entry)
        if why:
            where = f"cron[{number}].{field}"
            raise Failure(f"app.json line {ask('app-json-line', app, path, where)}: {where} {why}")


@plugin.trigger("scheduler-cron-write", "cron-write", "scheduler-stop")
def write(*_):
    _rewrite()


@plugin.trigger("post-deploy")
def post_deploy(app):
    """Only this app can have changed: the others, a thousand maybe, are not asked."""
    _rewrite(changed=app)


@plugin.trigger("post-app-clone-setup", "post-app-rename-setup")
def post_app_copy(old, new):
    """An id holds the app's name, so a suspended task has another one in the new app."""
    kept = {(t.command, t.schedule): properties.get("cron", old, f"maintenance.{t.short_id}") for t in tasks.of_app(old)}
    for key in [key for key in properties.keys("cron", new) if key.startswith("maintenance.")]:
        properties.delete("cron", new, key)
    for task in tasks.of_app(new):
        value = kept.get((task.command, task.schedule))
        if value:
            properties.put("cron", new, f"maintenance.{task.short_id}", value)


@plugin.trigger("post-delete")
def post_delete(app):
    _rewrite(app, leaving=app)


def _rewrite(changed="", leaving=""):
    import crontab

    crontab.write(changed, leaving)


@plugin.trigger("cron-get-property")
def get_property(app, key):
    return properties.effective("cron", app, key, "false" if key == "maintenance" else "")


if __name__ == "__main__":
    plugin.run()
