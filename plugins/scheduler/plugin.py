#!/usr/bin/python3
"""scheduler: which scheduler runs an app (commands-b.md 17)."""

from dokku_min.sdk import Plugin, properties

DEFAULT = "docker-local"

plugin = Plugin("scheduler", properties=True)
main = plugin.main
plugin.settable({"selected": "both", "shell": "both"})


@plugin.report(legacy=True)
def rows(scope):
    found = {}
    for key, default in (("selected", DEFAULT), ("shell", "")):
        if scope != "--global":
            found[f"scheduler-{key}"] = properties.get("scheduler", scope, key)
        found[f"scheduler-global-{key}"] = properties.get("scheduler", "--global", key)
        found[f"scheduler-computed-{key}"] = properties.effective("scheduler", scope, key, default)
    return found


@plugin.trigger("scheduler-detect")
def detect(scope):
    return properties.effective("scheduler", scope, "selected", DEFAULT)


@plugin.trigger("scheduler-get-property")
def get_property(scope, key):
    return properties.effective("scheduler", scope, key, DEFAULT if key == "selected" else "")


if __name__ == "__main__":
    plugin.run()
