#!/usr/bin/python3
"""builder-null: builds nothing; never detected, only selected (commands-b.md 4.3)."""

from dokku_min.sdk import Plugin, log

plugin = Plugin("builder-null")
main = plugin.main


@plugin.trigger("builder-names")
def builder_names():
    return "null"


@plugin.trigger("builder-build", "builder-release")
def nothing(builder, app):
    if builder == "null":
        log.verbose_quiet(f"the null builder leaves {app} as it is")


if __name__ == "__main__":
    plugin.run()
