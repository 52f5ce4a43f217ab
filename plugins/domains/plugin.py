#!/usr/bin/python3
"""domains: the host names of apps (commands-a.md 4). State: VHOST files, and NO_VHOST=1 in the app's config."""

import os

import hosts
import urls
import vhosts
from naming import change, disable, enable, enabled, set_enabled, set_up, warn_of_others

from dokku_min.sdk import GLOBAL, Failure, Plugin, apps, ask, each_app, log

plugin = Plugin("domains")
main = plugin.main


@plugin.command("domains:add")
def add(app, *domains):
    names = hosts.checked(domains)
    warn_of_others(app, names)

    def act():
        if not enabled(app):
            enable(app)
        known = vhosts.edit(app, lambda old: [*old, *[name for name in names if name not in old]])
        return [f"Skipping: {n} already added to {app}" if n in known else f"Added {n} to {app}" for n in names]

    change(app, act, ("add", *names))


@plugin.command("domains:remove")
def remove(app, *domains):
    names = given(domains)

    def act():
        vhosts.edit(app, lambda old: [name for name in old if name.lower() not in names])
        return [f"Removed {name} from {app}" for name in names]

    change(app, act, ("remove", *names))


def given(domains):
    """Names to remove: whatever a line of the file may hold."""
    if not domains:
        raise Failure("Please specify a domain name", "as in: example.com")
    return list(dict.fromkeys(name.lower() for name in domains))


@plugin.command("domains:set")
def set_(app, *domains):
    names = hosts.checked(domains)
    warn_of_others(app, names)

    def act():
        if not enabled(app):
            enable(app)
        vhosts.edit(app, lambda _: names)
        return [f"Set {' '.join(names)} for {app}"]

    change(app, act, ("set", *names))


@plugin.command("domains:clear")
def clear(app="", *, all=False):
    def act(each):
        vhosts.edit(each, lambda _: None)
        return [f"Cleared domains in {each}"]

    for_apps(app, all, "domains:clear", lambda each: change(each, lambda: act(each), ("clear",)))


@plugin.command("domains:enable")
def enable_(app="", *, all=False):
    for_apps(app, all, "domains:enable", switch_on)


@plugin.command("domains:disable")
def disable_(app="", *, all=False):
    for_apps(app, all, "domains:disable", switch_off)


def for_apps(app, everybody, label, act):
    if everybody and app:
        raise Failure(f"{label} takes an app or --all, not both")
    if everybody:
        return each_app(apps.visible(), label, 1, act)
    if not app:
        raise Failure("Please specify an app to run the command on")
    return act(app)


def switch_on(app, restart=False):
    if enabled(app):
        return log.info1("App virtual host support is already enabled")

    def act():
        enable(app, restart)
        return ["App virtual host support enabled"]

    return change(app, act, ("enable",))


def switch_off(app, restart=False):
    if not enabled(app):
        return log.info1("App virtual host support is already disabled")

    def act():
        disable(app, restart)
        return ["App virtual host support disabled"]

    return change(app, act, ("disable",))


@plugin.command("domains:reset")
def reset(app):
    """Both notices come when the new names are there: the proxy never serves the app without any."""

    def act():
        vhosts.edit(app, lambda _: None)
        set_up(app)
        log.info1_quiet(f"Reset domains for {app}")
        return []

    change(app, act, ("clear",), ("reset",))


@plugin.command("domains:setup")
def setup(app):
    def act():
        if not vhosts.exists(app):
            set_up(app)
        log.info1_quiet(f"Setup domains for {app}")
        return []

    change(app, act, ("reset",))


@plugin.command("domains:add-global")
def add_global(*domains):
    names = hosts.checked(domains)
    known = vhosts.lines(GLOBAL)
    vhosts.edit(GLOBAL, lambda old: [*old, *[name for name in names if name not in old]])
    for name in names:
        log.info1(f"Skipping: {name} already added" if name in known else f"Added {name}")


@plugin.command("domains:remove-global")
def remove_global(*domains):
    names = given(domains)
    vhosts.edit(GLOBAL, lambda old: [name for name in old if name.lower() not in names])
    for name in names:
        log.info1(f"Removed {name}")


@plugin.command("domains:set-global")
def set_global(*domains):
    names = hosts.checked(domains)
    vhosts.edit(GLOBAL, lambda _: names)
    log.info1(f"Set {' '.join(names)}")


@plugin.command("domains:clear-global")
def clear_global():
    vhosts.edit(GLOBAL, lambda _: [])
    log.info1_quiet("Clearing global domains")


@plugin.report()
def rows(scope):
    found = {
        "domains-global-enabled": lambda: bool(vhosts.read(GLOBAL)),
        "domains-global-vhosts": lambda: " ".join(vhosts.read(GLOBAL)),
    }
    if scope != GLOBAL:
        found["domains-app-enabled"] = lambda: enabled(scope)
        found["domains-app-vhosts"] = lambda: " ".join(vhosts.read(scope))
    return found


@plugin.trigger("domains-list")
def domains_list(app):
    names = vhosts.read(app)
    return "\n".join(names) if names and enabled(app) else None


@plugin.trigger("domains-vhost-enabled")
def domains_vhost_enabled(app):
    return enabled(app)


@plugin.trigger("domains-urls")
def domains_urls(app, kind):
    names = vhosts.read(app)
    return "\n".join(urls.of(app, kind == "url", names if names and enabled(app) else []))


@plugin.trigger("domains-add")
def domains_add(app, *domains):
    apps.verify(app)
    add(app, *domains)


@plugin.trigger("domains-enable")
def domains_enable(app, restart):
    switch_on(app, restart == "true")


@plugin.trigger("domains-disable")
def domains_disable(app, restart):
    switch_off(app, restart == "true")


@plugin.trigger("post-create")
def post_create(app):
    if not vhosts.exists(app):
        set_up(app)


@plugin.trigger("post-app-clone-setup")
def post_app_clone_setup(_old, new):
    """The config of the old app, NO_VHOST included, has been copied before; its names stay its own."""
    if not enabled(new):
        vhosts.edit(new, lambda _: None)
    elif not vhosts.exists(new):
        set_up(new)


@plugin.trigger("post-app-rename-setup")
def post_app_rename_setup(old, new):
    """Names that were made from the app's name follow it, the others are kept; so is whether it has names at all."""
    if enabled(old) != enabled(new):
        set_enabled(new, enabled(old))
    own = {hosts.default(old, vhost): hosts.default(new, vhost) for vhost in vhosts.read(GLOBAL)}
    names = [own.get(name) or name for name in vhosts.lines(old)]
    vhosts.edit(new, lambda _: names if vhosts.exists(old) else None)


@plugin.trigger("core-post-deploy")
def core_post_deploy(app):
    """Nginx's stock site answers for bare addresses before any app does."""
    stock = f"{os.path.dirname(os.environ.get('DOKKU_NGINX_CONF', '/etc/nginx/nginx.conf'))}/sites-enabled/default"
    if not os.path.exists(stock):
        return
    found = [name for name in vhosts.read(app) if hosts.is_address(name)]
    if found and ask("proxy-type", app) == "nginx":
        log.warn(f"Detected {'IPv6' if ':' in found[0] else 'IPv4'} domain name with nginx proxy enabled.")
        log.warn(f"Ensure the default nginx site configuration has been removed: {stock}")


if __name__ == "__main__":
    plugin.run()
