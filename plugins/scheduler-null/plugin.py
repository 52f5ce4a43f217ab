#!/usr/bin/python3
"""scheduler-null: run nothing, for apps that something else runs (commands-b.md 17)."""

from dokku_min.sdk import Plugin

plugin = Plugin("scheduler-null")
main = plugin.main


@plugin.trigger("scheduler-app-status")
def app_status(scheduler):
    return "1 true" if scheduler == "null" else None


@plugin.trigger("scheduler-uses-host-cron")
def uses_host_cron(scheduler):
    return "false" if scheduler == "null" else None


if __name__ == "__main__":
    plugin.run()
