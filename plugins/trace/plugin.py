#!/usr/bin/python3
"""trace: show every step of every command (commands-b.md 18)."""

from dokku_min.sdk import Plugin, files, log, paths

plugin = Plugin("trace")
main = plugin.main


def _setting():
    return f"{paths.dokku_root()}/.dokkurc/DOKKU_TRACE"


@plugin.command("trace:on")
def on():
    log.info1("Enabling trace mode")
    files.write(_setting(), "export DOKKU_TRACE=1\n", mode=0o644)


@plugin.command("trace:off")
def off():
    log.info1("Disabling trace mode")
    files.remove(_setting())


if __name__ == "__main__":
    plugin.run()
