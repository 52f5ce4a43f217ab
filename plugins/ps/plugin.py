#!/usr/bin/python3
"""ps: process types, how many run, and starting and stopping them (commands-b.md 6 and 7)."""

import os
import sys

import extract
import procfile
import scale

from dokku_min import dispatch, run
from dokku_min.sdk import Failure, Plugin, app_lock, apps, ask, each_app, fire, holds, log, names, properties, words

DEFAULTS = {"restart-policy": "on-failure:10", "stop-timeout-seconds": "30", "skip-deploy": "false", "restore": "true",
            "procfile-path": "Procfile"}  # fmt: skip
SCOPED = ("procfile-path", "restart-policy", "skip-deploy", "stop-timeout-seconds")

LAUNCHER = "/cnb/lifecycle/launcher"  # starts what images of Cloud Native Buildpacks run

plugin = Plugin("ps", properties=True)
main = plugin.main


def is_deployed(app):
    """The scheduler is asked once; the first deploy says so for good (commands-b.md 7)."""
    known = properties.get("common", app, "deployed")
    if not known:
        known = "true" if holds("scheduler-is-deployed", scheduler(app), app) else "false"
        properties.put("common", app, "deployed", known)
    return known == "true"


def scheduler(app):
    return ask("scheduler-detect", app)


def selected(app, everything):
    """The apps a command is for: one, or all of them that the caller may see."""
    if not app and not everything:
        raise Failure("Please specify an app to run the command on", "or --all for every app")
    if app and everything:
        raise Failure("Give an app or --all, not both")
    return apps.visible() if everything else [app]


def for_each(app, everything, parallel, label, act):
    if not everything:
        return act(app)
    return each_app(selected(app, everything), label, parallel, act)


def unless_undeployed(act):
    """Run act(app); an app that was never deployed has nothing to act on, which is a notice and no error."""

    def checked(app):
        if is_deployed(app):
            return act(app)
        return log.warn(f"App {app} has not been deployed")

    return checked


@plugin.command("ps:restart")
def restart(app="", process_type="", *, all=False, parallel=0):  # noqa: A002 - the flag's name
    selected(app, all)
    run.preload()
    for_each(app, all, parallel, "ps:restart", unless_undeployed(lambda each: _restart(each, process_type)))


def _restart(app, process_type=""):
    with app_lock(app):
        fire("deploy", app, "", process_type, "ps:restart")


@plugin.command("ps:rebuild")
def rebuild(app="", *, all=False, parallel=0):  # noqa: A002
    selected(app, all)
    run.preload()
    for_each(app, all, parallel, "ps:rebuild", lambda each: fire("receive-app", each))


@plugin.command("ps:start")
def start(app="", *, all=False, parallel=0):  # noqa: A002
    selected(app, all)
    run.preload()
    for_each(app, all, parallel, "ps:start", unless_undeployed(_start))


def _start(app):
    with app_lock(app):
        fire("pre-start", app)
        if status_of(app) == "true":
            log.warn(f"App {app} already running")
        else:
            fire("release-and-deploy", app, "", "ps:start")
        fire("proxy-build-config", app)


def status_of(app):
    """`true`, `false` or `mixed`."""
    return ask("scheduler-app-status", scheduler(app), app).partition(" ")[2]


@plugin.command("ps:stop")
def stop(app="", *, all=False, parallel=0):  # noqa: A002
    selected(app, all)
    for_each(app, all, parallel, "ps:stop", unless_undeployed(_stop))


def _stop(app):
    with app_lock(app):
        log.info1(f"Stopping {app}")
        fire("scheduler-stop", scheduler(app), app)
        fire("post-stop", app)
        fire("proxy-build-config", app)  # the addresses are free for other apps' containers now


@plugin.trigger("post-stop")
def post_stop(app):
    properties.put("ps", app, "restore", "false")


@plugin.command("ps:restore")
def restore(app="", *, parallel=0):
    """Bring apps to their current release again, as after a boot (commands-b.md 7.1)."""
    run.preload()
    fire("pre-restore")
    each_app([app] if app else apps.visible(), "ps:restore", parallel, _restore)


def _restore(app):
    if not is_deployed(app):
        return
    if get_property(app, "restore") == "false":
        log.warn(f"Skipping ps:restore for {app} as it was stopped on purpose")
        return
    with app_lock(app):
        fire("scheduler-pre-restore", scheduler(app), app)


@plugin.command("ps:retire")
def retire(app=""):
    fire("scheduler-retire", *([scheduler(app), app] if app else []))


@plugin.command("ps:inspect")
def inspect(app):
    fire("scheduler-inspect", scheduler(app), app)


@plugin.command("ps:scale")
def scale_command(app, *pairs, skip_deploy=False, format=""):  # noqa: A002
    if not pairs:
        return scale.show(app, format)
    if properties.get("ps", app, "can-scale", "true") == "false":
        raise Failure(
            f"App {app} contains an app.json file with a formations key and cannot be manually scaled",
            "change the formation in app.json and push",
        )
    with app_lock(app):
        set_scale(app, scale.pairs_of(pairs), skip_deploy)
    return None


def set_scale(app, wanted, skip_deploy, clear=False):
    told = " ".join(f"{name}={count}" for name, count in wanted.items())
    log.info1(f"Scaling {app} processes: {told}")
    before = scale.current(app)
    changed = scale.change(app, wanted, clear)
    if not changed or skip_deploy or not is_deployed(app):
        return
    run.preload()
    status = dispatch.trigger("deploy", app, "", ",".join(changed), "ps:scale")
    if status:
        scale.put(app, before)
        raise Failure(f"{app} could not be scaled, its processes are as before", status=status)


def check_value(scope, key, value):
    if key == "restart-policy" and not _is_policy(value):
        raise Failure(
            "Invalid restart-policy specified", "use no, always, unless-stopped, on-failure or on-failure:NUMBER"
        )
    if key == "stop-timeout-seconds" and not value.isdigit():
        raise Failure(f"Invalid stop-timeout-seconds specified: {value}", "use a number of seconds")
    if key in ("restore", "skip-deploy") and value not in ("true", "false"):
        raise Failure(f"Invalid {key} specified: {value}", "use true or false")
    if key in ("start-cmd", "dockerfile-start-cmd"):
        words.split(value)
    return value.strip("/") if key == "procfile-path" else value


def _is_policy(value):
    name, colon, count = value.partition(":")
    return value in ("no", "always", "unless-stopped", "on-failure") or (
        name == "on-failure" and bool(colon) and count.isascii() and count.isdigit()
    )


plugin.settable(
    {"restart-policy": "both", "restore": "app", "skip-deploy": "both", "stop-timeout-seconds": "both",
     "procfile-path": "both", "start-cmd": "app", "dockerfile-start-cmd": "app"},
    check=check_value,
)  # fmt: skip


@plugin.report(legacy=True)
def rows(scope):
    found = {}
    for key in SCOPED:
        computed = lambda key=key: get_property(scope, key)  # noqa: E731
        found[f"ps-global-{key}"] = properties.get("ps", names.GLOBAL, key)
        found[f"ps-computed-{key}"] = computed
        if scope != names.GLOBAL:
            found[f"ps-{key}"] = properties.get("ps", scope, key)
    if scope == names.GLOBAL:
        return found
    for key in ("start-cmd", "dockerfile-start-cmd"):
        found[f"ps-{key}"] = found[f"ps-computed-{key}"] = properties.get("ps", scope, key)
    deployed = found["deployed"] = is_deployed(scope)
    found["ps-can-scale"] = properties.get("ps", scope, "can-scale", "true")
    found["restore"] = get_property(scope, "restore")
    return {**found, **(_state_rows(scope) if deployed else {"processes": "0", "running": "false"})}


def _state_rows(app):
    """What runs, as the scheduler has it."""
    lines = ask("scheduler-app-status", scheduler(app), app, "--each").splitlines()
    count, _, state = (lines[0] if lines else "-1 false").partition(" ")
    each = dict(line.split(" ", 1) for line in lines[1:])
    return {"processes": count, "running": state, **{f"status-{dyno}": text for dyno, text in each.items()}}


@plugin.trigger("ps-get-property")
def get_property(app, key):
    if key == "restore":
        return properties.get("ps", app, key, "true")
    return properties.effective("ps", app, key, DEFAULTS.get(key, ""))


@plugin.trigger("ps-current-scale")
def current_scale(app):
    return "\n".join(f"{name}={count}" for name, count in scale.current(app).items())


@plugin.trigger("ps-can-scale")
def can_scale(app, value):
    properties.put("ps", app, "can-scale", "false" if value == "false" else "true")


@plugin.trigger("ps-set-scale")
def set_scale_trigger(app, skip_deploy, clear, *pairs):
    set_scale(app, scale.pairs_of(pairs), skip_deploy == "true", clear == "true")


@plugin.trigger("procfile-exists")
def procfile_exists(app):
    return bool(extract.text(app))


@plugin.trigger("procfile-get-command")
def procfile_get_command(app, process_type, port=""):
    """The command line of a process type with the app's config filled in; status 1 when the Procfile lacks the type."""
    text = extract.text(app)
    if not text:
        return 0
    command = procfile.parse(text).get(process_type)
    if command is None:
        return 1
    return expanded(app, process_type, command, port)


@plugin.trigger("procfile-get")
def procfile_get(app):
    """The Procfile in force, as it is."""
    sys.stdout.write(extract.text(app))


@plugin.trigger("procfile-put")
def procfile_put(app):
    """The Procfile of the release that the app goes back to, on stdin; none: it had none."""
    extract.put(app, sys.stdin.read())


def expanded(app, process_type, command, port):
    if "$" not in command:
        return command
    import json

    config = json.loads(ask("config-export", app, "false", "true", "json") or "{}")
    return procfile.expand(command, {"PORT": port, "PS": process_type, **config})


@plugin.trigger("ps-process-command")
def process_command(app, process_type, builder, port):
    """What a container of the type runs, as one shell-quoted line; nothing: the image's own command (commands-b.md 1.6)."""
    if builder == "herokuish":
        return properties.get("ps", app, "start-cmd") or f"/start {process_type}"
    command = properties.get("ps", app, "dockerfile-start-cmd") or ask("procfile-get-command", app, process_type, port)
    return f"{LAUNCHER} -- {command}" if command and builder == "pack" else command


@plugin.trigger("app-restart")
def app_restart(app):
    if is_deployed(app):
        _restart(app)


@plugin.trigger("docker-args-process-deploy")
def docker_args(app, builder="", _tag="", process_type="", *_):
    """The entrypoint of an image of Cloud Native Buildpacks would take a command for arguments of its web process."""
    bare = builder == "pack" and process_type and process_command(app, process_type, builder, "")
    print(f" --restart={get_property(app, 'restart-policy')}{' --entrypoint=' if bare else ''}", end="")


@plugin.trigger("core-post-extract")
def core_post_extract(app, source, _revision):
    extract.extract(app, source)


@plugin.trigger("post-release-builder")
def post_release_builder(_builder, app, _image):
    scale.refresh(app)


@plugin.trigger("core-post-deploy")
def core_post_deploy(app):
    extract.promote(app)
    properties.delete("ps", app, "restore")


@plugin.trigger("post-create")
def post_create(app):
    scale.put(app, {"web": 1})


@plugin.trigger("post-app-clone-setup", "post-app-rename-setup")
def post_app_copy(old, new):
    from dokku_min.sdk import files

    if os.path.exists(extract.path(old)):
        files.make_dir(os.path.dirname(extract.path(new)))
        files.write(extract.path(new), files.read(extract.path(old)))


@plugin.trigger("post-delete")
def post_delete(app):
    from dokku_min.sdk import files, paths

    files.remove_tree(paths.data_dir("ps", app))


@plugin.trigger("install")
def install():
    import boot

    boot.install()


if __name__ == "__main__":
    plugin.run()
