#!/usr/bin/python3
"""nginx-vhosts: the proxy in front of the apps (commands-a.md 7). State: ROOT/APP/nginx.conf and nginx.conf.d/."""

import os

import places
import settings

from dokku_min.sdk import GLOBAL, Failure, Plugin, apps, files, fire, log, names, properties, words

plugin = Plugin("nginx", properties=True)
main = plugin.main
plugin.report("nginx:report", "nginx")(settings.report)
plugin.settable(dict.fromkeys(settings.CHECKS, "both"), "nginx:set", "key",
                check=lambda scope, key, value: settings.checked(key, value))  # fmt: skip


@plugin.command("nginx:show-config", "nginx:show-conf")
def show_config(app):
    import vhosts

    if not vhosts.is_ours(app):
        raise Failure("This command is only available for apps with the nginx proxy type")
    text = files.read(places.vhost(app))
    if not text:
        raise Failure(f"No nginx.conf exists for {app}", f"make it with: dokku proxy:build-config {app}")
    print(text, end="")


@plugin.command("nginx:access-logs", short={"-t": "--tail"})
def access_logs(app, *, tail=False):
    return _show_log(app, "access", tail)


@plugin.command("nginx:error-logs", short={"-t": "--tail"})
def error_logs(app, *, tail=False):
    return _show_log(app, "error", tail)


def _show_log(app, kind, tail):
    from dokku_min import run

    path = settings.effective(app, f"{kind}-log-path")
    if path in ("off", "/dev/null") or path.startswith("syslog:"):
        raise Failure(f"{kind} logs are disabled for this app")
    if not os.path.exists(path):
        raise Failure(f"there is no {kind} log of {app} yet", f"nginx will write it to {path}")
    return run.stream("tail", "-n", "20", *(["-F"] if tail else []), "--", path)


@plugin.command("nginx:validate-config", "nginx:validate")
def validate_config(app="", *, clean=False):
    import validate

    return validate.validate([app] if app else apps.visible(), clean)


@plugin.command("nginx:reload")
def reload():
    import daemon
    import vhosts

    with vhosts.locked():
        good, said = daemon.test(places.main_conf())
        if not good:
            raise Failure("nginx refuses its configuration, it goes on with the old one", said)
        daemon.reload(settings.effective(GLOBAL, "nginx-service-command"))


@plugin.command("nginx:start")
def start():
    _switch("started", "enable")


@plugin.command("nginx:stop")
def stop():
    _switch("stopped", "disable")


def _switch(status, verb):
    """Now and at boot."""
    import daemon

    custom = settings.effective(GLOBAL, "nginx-service-command")
    properties.put("nginx", GLOBAL, "proxy-status", status)
    if custom or daemon.boot_argv(verb):
        daemon.obey(f"{verb} nginx", [*words.split(custom), verb] if custom else daemon.as_root(daemon.boot_argv(verb)))
    (daemon.start if status == "started" else daemon.stop)(custom)


@plugin.trigger("post-domains-update", "post-proxy-ports-update", "proxy-build-config")
def rebuild(app):
    import vhosts

    vhosts.build(app)


@plugin.trigger("core-post-deploy")
def core_post_deploy(app, port, ip):
    import source
    import vhosts

    source.promote(app)
    vhosts.build(app, port, ip)


@plugin.trigger("core-post-extract")
def core_post_extract(app, directory):
    import source

    source.extract(app, directory)


@plugin.trigger("post-app-clone", "post-app-rename")
def post_app_copied(_old, new):
    """All plugins have copied what is theirs: the new app answers at once, with 502 until it is deployed."""
    post_create(new)


@plugin.trigger("post-create")
def post_create(app):
    """Until the first deploy the app's name answers 502, with a page that says why."""
    import daemon
    import vhosts

    if not daemon.stopped_on_purpose():
        _without_fail(lambda: vhosts.build(app, new=True))


def _without_fail(action):
    """Say what went wrong, and go on: another app's broken vhost must not bar apps from coming and going."""
    try:
        action()
    except Failure as failure:
        for text in filter(None, (failure.message, failure.hint)):
            log.warn(text)


@plugin.trigger("proxy-clear-config")
def clear_config(app):
    import vhosts

    for each in names.all_apps() if app == "--all" else [app]:
        if vhosts.is_ours(each):
            fire("network-clear-config", each)
            vhosts.clear(each)


@plugin.trigger("pre-restore")
def pre_restore():
    """docker has started anew: before any app is looked after, no name may lead to another app's container."""
    import vhosts

    vhosts.clear_strangers()


@plugin.trigger("proxy-enable")
def proxy_enable(app):
    _toggled(app, "domains-enable")


@plugin.trigger("proxy-disable")
def proxy_disable(app):
    _toggled(app, "domains-disable")


def _toggled(app, trigger):
    """Without a proxy the containers' own ports are the app's address, so a running app has to be started anew."""
    import vhosts

    if not vhosts.is_ours(app):
        return
    fire(trigger, app, "false")
    if properties.get("common", app, "deployed") == "true":
        fire("app-restart", app)
    else:
        vhosts.build(app)


@plugin.trigger("post-app-clone-setup", "post-app-rename-setup")
def post_app_copy(old, new):
    """The copied vhost is the old app's, names and upstreams included; the new app gets its own once all is copied."""
    import source
    import vhosts

    source.copy(old, new)
    vhosts.clear(new)


@plugin.trigger("post-delete")
def post_delete(app):
    import vhosts

    _without_fail(lambda: vhosts.clear(app))
    files.remove_tree(places.data(app))
    files.remove_tree(f"{places.candidate()}/{app}")


@plugin.trigger("install")
def install():
    import install as steps
    from tell import told

    steps.install(told("proxy:report", GLOBAL, "--proxy-global-proxy-port"))


if __name__ == "__main__":
    plugin.run()
