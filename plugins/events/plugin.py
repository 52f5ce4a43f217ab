#!/usr/bin/python3
"""events: the log of triggers (commands-b.md 18). The logger is a plugin of its own, enabled only while it is wanted."""

import os

from dokku_min import dispatch, plugins, run
from dokku_min.sdk import Plugin, files, log, paths

LOGGER = "20_events"

plugin = Plugin("events")
main = plugin.main


def _setting():
    return f"{paths.dokku_root()}/.dokkurc/DOKKU_EVENTS"


def _link():
    return f"{paths.enabled_path()}/{LOGGER}"


@plugin.command("events", short={"-t": "--tail"})
def events(*, tail=False):
    path = os.environ["DOKKU_EVENTS_LOGFILE"]
    if not os.path.exists(path):
        return 0
    return run.stream("tail", "-n", "100", *(["-F"] if tail else []), "--", path)


@plugin.command("events:list")
def list_():
    if not os.path.exists(_link()):
        return log.warn("Events logger disabled")
    known = plugins.manifest_of(f"{paths.available_path()}/{LOGGER}")["plugin"]
    log.info1("Logging events for these triggers")
    print("\n".join(known["triggers"]))
    return None


@plugin.command("events:on")
def on():
    log.info1("Enabling dokku events logger")
    if not os.path.exists(_link()):
        plugins.enable(LOGGER)
    files.write(_setting(), "export DOKKU_EVENTS=1\n", mode=0o644)


@plugin.command("events:off")
def off():
    log.info1("Disabling dokku events logger")
    files.remove(_link())
    files.remove(_setting())
    dispatch.forget_index()


@plugin.trigger("install")
def install():
    """Rotate what the logger writes."""
    from dokku_min import host

    if not os.path.isdir("/etc/logrotate.d"):
        return
    rules = "daily\n  rotate 7\n  compress\n  missingok\n  copytruncate"
    user = os.environ["DOKKU_SYSTEM_USER"]
    host.file(f"/etc/logrotate.d/{user}", f"{os.environ['DOKKU_LOGS_DIR']}/*.log {{\n  su {user} {user}\n  {rules}\n}}\n")


if __name__ == "__main__":
    plugin.run()
