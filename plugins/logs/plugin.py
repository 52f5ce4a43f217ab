#!/usr/bin/python3
"""logs: what apps say, on demand and shipped elsewhere by vector (commands-a.md 10)."""

import settings
import vector

from dokku_min.args import Usage
from dokku_min.sdk import Failure, Plugin, apps, ask, dispatch, files, log, names, paths, report

plugin = Plugin("logs", properties=True)
main = plugin.main


@plugin.command("logs", short={"-t": "--tail", "-n": "--num", "-p": "--ps", "-q": "--quiet"})
def logs(app, *, tail=False, num=100, ps="", quiet=False):
    if num < 0:
        raise Usage("--num takes a number from 0 on")
    shown = ["true" if tail else "false", "true" if quiet else "false", str(num)]
    return dispatch.trigger("scheduler-logs", ask("scheduler-detect", app), app, ps, *shown)


@plugin.command("logs:failed")
def failed(app="", *, all=False):  # noqa: A002 - the flag's name
    if bool(app) == all:
        raise Failure("Please specify an app to run the command on", "or --all")
    status = 0
    for each in apps.visible() if all else [app]:
        log.info2_quiet(f"{each} failed deploy logs")
        status = dispatch.trigger("scheduler-logs-failed", ask("scheduler-detect", each), each) or status
    return status


def changed(_scope, key, _value):
    if key in settings.OF_VECTOR_CONFIG:
        log.verbose(f"Writing updated vector config to {vector.config_path()}")
        vector.write_config()


plugin.settable(settings.KEYS, check=lambda _scope, key, value: settings.checked(key, value), changed=changed)
_set = plugin.commands["logs:set"][0]


@plugin.command("logs:set")
def set_(scope, key="", *value):
    if key in settings.GLOBAL_ONLY and scope != names.GLOBAL:
        raise Failure(f"{key} may only be set globally with --global")
    _set(scope, key, *value)


@plugin.report(legacy=True)
def rows(scope):
    return settings.rows(scope, redacted=True)


def show_report(*argv):
    """Sinks hold passwords: they are shown in full only to who asks for that very value, or for JSON."""
    exact = "json" in argv or set(argv) & settings.EXACT_FLAGS
    report.show("logs", "logs", True, lambda scope: settings.rows(scope, redacted=not exact), list(argv))


plugin.commands["logs:report"] = (show_report, None, None)


@plugin.command("logs:vector-start")
def vector_start(*, vector_image=""):
    vector.start(vector_image or settings.effective(names.GLOBAL, "vector-image"))


@plugin.command("logs:vector-stop")
def vector_stop():
    vector.stop()


@plugin.command("logs:vector-logs")
def vector_logs(*, num=100, tail=False):
    return vector.show_logs(num, tail)


@plugin.trigger("logs-get-property")
def get_property(app, key):
    return settings.effective(app, key)


@plugin.trigger("docker-args-deploy")
def args_deploy(app):
    import driver

    size, alias = settings.effective(app, "max-size"), settings.effective(app, "app-label-alias")
    found = f" --log-opt=max-size={size}" if size != "unlimited" and driver.of(app) in ("json-file", "local") else ""
    return found + (f" --label={alias}={app}" if alias != settings.DEFAULTS["app-label-alias"] else "")


@plugin.trigger("post-create")
def post_create(app):
    files.make_dir(paths.data_dir("logs", app))


@plugin.trigger("post-app-clone-setup", "post-app-rename-setup")
def post_copy(_old, _new):
    vector.rewrite_config()


@plugin.trigger("post-delete")
def post_delete(app):
    files.remove_tree(paths.data_dir("logs", app))
    vector.rewrite_config(without=app)


@plugin.trigger("install")
def install():
    files.make_dir(paths.data_dir("logs"))


if __name__ == "__main__":
    plugin.run()
