"""Whether an app has host names and which, by default and after a change that everybody has been told of."""

import hosts
import vhosts

from dokku_min.sdk import GLOBAL, Failure, apps, ask, fire, log


def enabled(app):
    return ask("config-get", app, "NO_VHOST") != "1"


def set_enabled(app, on, restart=False):
    words = ("config-set", app, f"NO_VHOST={0 if on else 1}")
    if restart:
        fire(*words)
    else:
        ask(*words, "--no-restart", must=True)  # what it says about config vars is not our user's concern


def defaults(app):
    """The names that the global ones give the app; a plugin may choose another through `nginx-hostname`."""
    found = []
    for vhost in vhosts.read(GLOBAL):
        if not hosts.is_address(vhost):
            chosen = ask("nginx-hostname", app, app.removesuffix(f".{vhost}"), vhost, must=True)
            found += hosts.checked(chosen.split()) if chosen else [hosts.default(app, vhost)]
    return [name for name in dict.fromkeys(found) if name]


def change(app, act, *notices):
    """Change the app's names by act(), which returns what to say, and tell everybody: notices are (action, *names).

    If a plugin cannot follow (nginx refuses the configuration), the app has its old names again.
    """
    before, was_enabled = vhosts.text(app), enabled(app)
    for line in act():
        log.info1(line)
    after = vhosts.text(app)
    try:
        for notice in notices:
            fire("post-domains-update", app, *notice)
    except Failure:
        vhosts.put_back(app, before, after)
        if enabled(app) != was_enabled:
            set_enabled(app, was_enabled)
        raise


def enable(app, restart=False):
    """From a bare port to host names: the default ones, as those from before were given up (commands-a.md 4)."""
    names = defaults(app)
    fire("pre-enable-vhost", app)
    if names:
        vhosts.edit(app, lambda _: names)
    set_enabled(app, True, restart)


def disable(app, restart=False):
    fire("pre-disable-vhost", app)
    vhosts.edit(app, lambda _: None)
    set_enabled(app, False, restart)


def set_up(app):
    """What a new app gets: names below the global ones, or a port of its own if there are none."""
    names = defaults(app)
    if not names:
        log.info1_quiet("Global server virtual host not set, disabling app vhost...")
        if enabled(app):
            disable(app)
        return
    log.info1_quiet("Creating new app virtual host file...")
    if not enabled(app):
        enable(app)
    vhosts.edit(app, lambda _: names)


def warn_of_others(app, names):
    """One name on two apps is allowed, as when one app takes over from another, but hardly ever meant."""
    for other in apps.visible():
        for name in vhosts.lines(other) if other != app else []:
            if name in names:
                log.warn(f"{name} is a domain of {other} too, the proxy serves it from only one of them")
