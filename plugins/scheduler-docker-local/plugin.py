#!/usr/bin/python3
"""scheduler-docker-local: run apps as containers of this host's docker (commands-b.md 1.6, 1.7 and 17).

Every scheduler-* trigger names a scheduler first; those that are not for us are none of our business.
"""

import time

import containers
import deploy
import observe
import oneoff
import retire

from dokku_min import run
from dokku_min.sdk import Failure, Plugin, properties

OWN = "docker-local"

plugin = Plugin("scheduler-docker-local", properties=True)
main = plugin.main
observe.register(plugin)
oneoff.register(plugin)


def check_value(_scope, key, value):
    if key == "init-process" and value not in ("true", "false"):
        raise Failure(f"Invalid init-process specified: {value}", "use true or false")
    if key == "parallel-schedule-count" and not (value.isdigit() and int(value)):
        raise Failure(f"Invalid parallel-schedule-count specified: {value}", "use a number from 1 on")
    return value


plugin.settable({"init-process": "both", "parallel-schedule-count": "both"}, check=check_value, word="key")


@plugin.report()
def rows(scope):
    found = {}
    for key, default in (("init-process", "true"), ("parallel-schedule-count", "")):
        if scope != "--global":
            found[f"scheduler-docker-local-{key}"] = properties.get("scheduler-docker-local", scope, key)
        found[f"scheduler-docker-local-global-{key}"] = properties.get("scheduler-docker-local", "--global", key)
        found[f"scheduler-docker-local-computed-{key}"] = properties.effective(
            "scheduler-docker-local", scope, key, default
        )
    return found


@plugin.trigger("scheduler-deploy")
def scheduler_deploy(scheduler, app, tag):
    if scheduler == OWN:
        retire.forget_failed(app)
        deploy.deploy(app, tag or "latest")


@plugin.trigger("scheduler-pre-restore")
def scheduler_pre_restore(scheduler, app):
    if scheduler == OWN:
        deploy.restore(app)


@plugin.trigger("scheduler-stop")
def scheduler_stop(scheduler, app, remove=""):
    """Stop everything that runs for the app, one-off and cron containers too; remove=true takes them away as well."""
    if scheduler != OWN:
        return
    present = containers.of_app(app, kind="")
    running = [c.id for c in present if c.state in ("running", "restarting", "paused")]
    if running:
        run.works("docker", "container", "update", "--restart=no", *running)
        run.works("docker", "container", "stop", f"--time={retire.stop_timeout(app)}", *running)
    if remove == "true":
        containers.remove([c.id for c in present])


@plugin.trigger("scheduler-app-status")
def scheduler_app_status(scheduler, app, each=""):
    """`COUNT true|false|mixed`; with --each, a line `dyno state (CID: id)` for every live container follows."""
    if scheduler != OWN:
        return None
    live = containers.live_ids(app)
    if not live:
        return "0 false"
    states = {c.id: c.state for c in containers.of_app(app)}
    up = [dyno for dyno, identity in live.items() if states.get(identity) == "running"]
    word = "true" if len(up) == len(live) else "mixed" if up else "false"
    lines = [f"{len(live)} {word}"]
    if each:
        lines += [f"{dyno} {states.get(i, 'missing')} (CID: {i[:11]})" for dyno, i in sorted(live.items())]
    return "\n".join(lines)


@plugin.trigger("scheduler-is-deployed")
def scheduler_is_deployed(scheduler, app):
    return scheduler != OWN or bool(containers.live_ids(app))


@plugin.trigger("scheduler-register-retired")
def scheduler_register_retired(app, identity, wait="60"):
    retire.register(app, [identity], int(time.time()) + int(wait or 60))


@plugin.trigger("scheduler-retire")
def scheduler_retire(scheduler="", app=""):
    if scheduler in ("", OWN):
        retire.due(app)


@plugin.command("scheduler-docker-local:retire-later")
def retire_later(owner, seconds, *workers):
    """What a deploy leaves behind: begin its grace period, sleep through it, then end it. The app may be gone by then."""
    retire.begin(owner, workers)
    time.sleep(int(seconds) + 0.5)
    retire.due(owner)


@plugin.trigger("scheduler-post-delete")
def scheduler_post_delete(scheduler, app):
    """Nothing of the app stays in docker: containers, images of all its releases."""
    if scheduler != OWN:
        return
    containers.remove([c.id for c in containers.of_app(app, kind="")])
    label, name = f"label=com.dokku.app-name={app}", f"reference=dokku/{app}"
    ids = []
    for kept in (label, name):
        form = "{{.Repository}}:{{.Tag}} {{.ID}}"
        listing = run.answer("docker", "image", "ls", "--all", "--filter", kept, "--format", form, quiet=True)[1]
        ids += [n if "<none>" not in n else i for n, _, i in (line.partition(" ") for line in listing.splitlines())]
    if ids:
        run.works("docker", "image", "rm", "--force", *dict.fromkeys(ids))
    retire.forget_app(app)


@plugin.trigger("scheduler-uses-host-cron")
def scheduler_uses_host_cron(scheduler):
    return "true" if scheduler == OWN else None


for _verb in ("report", "set"):  # the short name that Dokku knows them by, too
    plugin.commands[f"docker-local:{_verb}"] = plugin.commands[f"scheduler-docker-local:{_verb}"]

if __name__ == "__main__":
    plugin.run()
