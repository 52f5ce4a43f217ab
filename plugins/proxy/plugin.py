#!/usr/bin/python3
"""proxy: which proxy serves an app, on which host ports, and whether any does (commands-a.md 6).

State: properties type, proxy-port, proxy-ssl-port (app and global) and disabled (app, `true` or unset).
"""

import listening

from dokku_min import dispatch
from dokku_min.sdk import GLOBAL, Failure, Plugin, app_lock, apps, each_app, fire, holds, log, names, properties

KEYS = {"disabled": "app", "proxy-port": "both", "proxy-ssl-port": "both", "type": "both"}
plugin = Plugin("proxy", properties=True)
main = plugin.main


def is_enabled(app):
    return properties.get("proxy", app, "disabled") != "true"


def type_of(scope):
    return properties.effective("proxy", scope, "type", "nginx")


def for_apps(app, everybody, parallel, label, act):
    if everybody and app:
        raise Failure(f"{label} takes an app or --all, not both")
    if everybody:
        return each_app(apps.visible(), label, parallel, act)
    if not app:
        raise Failure("Please specify an app to run the command on")
    return act(app)


@plugin.command("proxy:build-config")
def build_config(app="", *, all=False, parallel=0):
    for_apps(app, all, parallel, "proxy:build-config", lambda each: fire("proxy-build-config", each))


@plugin.command("proxy:clear-config")
def clear_config(app="", *, all=False):
    if all and app:
        raise Failure("proxy:clear-config takes an app or --all, not both")
    if not all and not app:
        raise Failure("Please specify an app to run the command on")
    fire("proxy-clear-config", app or "--all")


@plugin.command("proxy:enable")
def enable(app="", *, all=False, parallel=0):
    for_apps(app, all, parallel, "proxy:enable", switch_on)


@plugin.command("proxy:disable")
def disable(app="", *, all=False, parallel=0):
    for_apps(app, all, parallel, "proxy:disable", switch_off)


def switch_on(app):
    with app_lock(app):
        if is_enabled(app):
            return log.info1("Proxy is already enabled for app")
        log.info1("Enabling proxy for app")
        properties.delete("proxy", app, "disabled")
        return fire("proxy-enable", app)


def switch_off(app):
    with app_lock(app):
        if not is_enabled(app):
            return log.info1("Proxy is already disabled for app")
        log.info1("Disabling proxy for app")
        properties.put("proxy", app, "disabled", "true")
        return fire("proxy-disable", app)


def checked(_scope, key, value):
    if key == "disabled" and value not in ("true", "false"):
        raise Failure(f"disabled is true or false, not {value}")
    if key == "type":
        return known_type(value)
    if key.endswith("-port") and not (value.isascii() and value.isdigit() and 1 <= int(value) <= 65535):
        raise Failure(f"{value} is no port", "ports are 1 to 65535")
    return "" if (key, value) == ("disabled", "false") else value


def known_type(value):
    if not names.is_plugin_name(value):
        raise Failure(f"{value} is no proxy type", "as in: nginx")
    if not {value, f"{value}-vhosts"} & set(dispatch.index().plugins):
        log.warn(f"no enabled plugin proxies for the type {value}")
    return value


plugin.settable(KEYS, check=checked)
set_property = plugin.commands["proxy:set"][0]


@plugin.command("proxy:set")
def set_(scope, key="", *value):
    """As every :set, but `proxy:set APP nginx` sets the type: its older form."""
    if ":" in key:
        log.warn("Detected potential port mapping instead of proxy type")
        raise Failure(f"{key} is no proxy property", "port mappings are set with: dokku ports:set APP MAP")
    if key and key not in KEYS and not value:
        key, value = "type", (key,)
    set_property(scope, key, *value)


@plugin.report(legacy=True)
def rows(scope):
    found = {}
    for key in ("type", *listening.DEFAULTS):
        found[f"proxy-computed-{key}"] = type_of(scope) if key == "type" else listening.computed(scope, key)
        found[f"proxy-global-{key}"] = properties.get("proxy", GLOBAL, key)
        if scope != GLOBAL:
            found[f"proxy-{key}"] = properties.get("proxy", scope, key)
    if scope != GLOBAL:
        found["proxy-disabled"] = properties.get("proxy", scope, "disabled")
        found["proxy-computed-disabled"] = not is_enabled(scope)
        found["proxy-enabled"] = is_enabled(scope)
    return found


@plugin.trigger("proxy-type")
def proxy_type(app):
    return type_of(app)


@plugin.trigger("proxy-is-enabled")
def proxy_is_enabled(app):
    return "true" if is_enabled(app) else "false"


@plugin.trigger("ports-get-property")
def ports_get_property(app, key):
    """The port that holds for the app, or for `--global`; 0 if none is set."""
    return listening.computed(app, key) or "0" if key in listening.DEFAULTS else None


@plugin.trigger("ports-get-available")
def ports_get_available():
    return str(listening.available())


@plugin.trigger("ports-configure")
def ports_configure(app):
    listening.configure(app)


@plugin.trigger("post-certs-update", "pre-disable-vhost")
def post_certs_update(app):
    listening.forget_shared(app)


@plugin.trigger("pre-enable-vhost")
def pre_enable_vhost(app):
    listening.forget(app)


@plugin.trigger("post-certs-remove")
def post_certs_remove(app):
    properties.delete("proxy", app, "proxy-ssl-port")


@plugin.trigger("post-app-clone-setup")
def post_app_clone_setup(_old, new):
    """Two apps that share a port are told apart by host name; one that has none needs ports of its own."""
    if not holds("domains-vhost-enabled", new):
        listening.forget(new)


if __name__ == "__main__":
    plugin.run()
