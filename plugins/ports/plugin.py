#!/usr/bin/python3
"""ports: which host port reaches which port of an app (commands-a.md 5).

State: list properties map (the user's) and map-detected (the builder's). The host ports that both fall back to are
properties of the proxy plugin.
"""

import maps

from dokku_min.sdk import GLOBAL, Failure, Plugin, ask, fire, log, properties

plugin = Plugin("ports", properties=True)
main = plugin.main


def stored(app, key="map"):
    found = []
    for line in properties.get_list("ports", app, key):
        try:
            found.append(maps.parse(line))
        except Failure as failure:
            log.warn(f"{failure.message}, ignored: it stands in the {key} of {app}")
    return found


def store(app, found, key="map"):
    properties.put_list("ports", app, key, maps.texts(found))


def change(app, action, edit):
    """Replace the user's maps by edit(maps) and tell everybody. If a plugin cannot follow, the old maps are back."""
    with properties.editing("ports", app):
        before = stored(app)
        after = edit(before)
        store(app, after)
    try:
        fire("post-proxy-ports-update", app, action)
    except Failure:
        with properties.editing("ports", app):
            if stored(app) == after:
                store(app, before)
        raise


def effective(app):
    """The user's maps, or if there are none those that the app's builder and certificate imply (commands-a.md 5.1)."""
    return maps.unique(stored(app)) or detected(app)


def detected(app):
    found = stored(app, "map-detected") or [("http", proxy_port(app, "proxy-port") or 80, 5000)]
    if ask("certs-exists", app) == "true" or ask("certs-force", app) == "true":
        return maps.secured(found, proxy_port(app, "proxy-ssl-port") or 443, (80, proxy_port(GLOBAL, "proxy-port")))
    return maps.unique(found)


def proxy_port(scope, key):
    return int(ask("ports-get-property", scope, key) or 0)


def shared_ports():
    """Host ports that many apps share, told apart by host name; an app without one must not take them."""
    return {80, 443, proxy_port(GLOBAL, "proxy-port"), proxy_port(GLOBAL, "proxy-ssl-port")}


def parsed(words):
    if not words:
        raise Failure("No port mapping specified", "as in: http:80:5000")
    found = [maps.parse(word) for word in words]
    maps.check_distinct(found)
    return found


@plugin.command("ports:list")
def list_(app):
    found = sorted(stored(app), key=maps.text)
    if not found:
        raise Failure("No port mappings configured for app")
    log.info1_quiet(f"Port mappings for {app}")
    heading = [] if log.quiet() else [["-----> scheme", "host port", "container port"]]
    print(log.columns([*heading, *[[scheme, str(host), str(inside)] for scheme, host, inside in found]], "    "))


@plugin.command("ports:add")
def add(app, *port_maps):
    new = parsed(port_maps)

    def edit(old):
        maps.check_distinct([*old, *new])
        return [*old, *new]

    change(app, "add", edit)


@plugin.command("ports:set")
def set_(app, *port_maps):
    new = sorted(parsed(port_maps), key=maps.text)
    change(app, "set", lambda _: new)


@plugin.command("ports:remove")
def remove(app, *port_maps):
    if not port_maps:
        raise Failure("No port mapping specified", "as in: http:80:5000, or the host port alone")
    chosen = [maps.chooser(word) for word in port_maps]
    change(app, "remove", lambda old: [each for each in old if not any(test(each) for test in chosen)])


@plugin.command("ports:clear")
def clear(app):
    def edit(_):
        store(app, [], "map-detected")
        return []

    change(app, "clear", edit)


@plugin.report(legacy=True)
def rows(scope):
    if scope == GLOBAL:
        return {}
    implied: list = []

    def once():
        implied[:] = implied or detected(scope)
        return implied

    return {
        "ports-map": lambda: " ".join(maps.texts(stored(scope))),
        "ports-map-detected": lambda: " ".join(maps.texts(once())),
        "ports-map-json": lambda: maps.as_json(stored(scope)),
        "ports-map-detected-json": lambda: maps.as_json(once()),
    }


@plugin.trigger("ports-get")
def ports_get(app, form):
    found = effective(app)
    return maps.as_json(found) if form == "json" else "\n".join(maps.texts(found))


@plugin.trigger("ports-clear")
def ports_clear(app):
    with properties.editing("ports", app):
        store(app, [])
        store(app, [], "map-detected")


@plugin.trigger("ports-set-detected")
def ports_set_detected(app, *words):
    """What an image exposes is not the user's doing: a map that makes no sense is named, and the others are kept."""
    found = []
    for word in " ".join(words).split():
        try:
            found.append(maps.parse(word))
        except Failure as failure:
            if ":0:" not in word:  # what builders say when no port is set
                log.warn(f"{failure.message}, ignored")
    store(app, sorted(maps.unique(found), key=maps.text), "map-detected")


@plugin.trigger("post-certs-update")
def post_certs_update(app):
    """A user who mapped http:80 wants the same app behind the certificate (commands-a.md 5.5)."""
    with properties.editing("ports", app):
        found = stored(app)
        if not any(each[:2] == ("https", 443) for each in found):
            store(app, maps.unique([*found, *[("https", 443, each[2]) for each in found if each[:2] == ("http", 80)]]))


@plugin.trigger("post-certs-remove")
def post_certs_remove(app):
    with properties.editing("ports", app):
        store(app, [each for each in stored(app) if each[:2] != ("https", 443)])


@plugin.trigger("post-app-clone-setup")
def post_app_clone_setup(_old, new):
    """The maps were copied; the certificate was not, so what needs one is left out (commands-a.md 1.11)."""
    post_certs_remove(new)


@plugin.trigger("pre-disable-vhost")
def pre_disable_vhost(app):
    shared = shared_ports()
    if any(port in shared for _, port, _ in effective(app)):
        ports_clear(app)


@plugin.trigger("pre-enable-vhost")
def pre_enable_vhost(app):
    """What was reached on the app's own port moves to the shared one; other maps keep working as they are."""
    own = proxy_port(app, "proxy-port")
    target = proxy_port(GLOBAL, "proxy-port") or 80
    with properties.editing("ports", app):
        found = [(s, target if port == own else port, inside) for s, port, inside in stored(app, "map-detected")]
        store(app, maps.unique(found), "map-detected")


if __name__ == "__main__":
    plugin.run()
