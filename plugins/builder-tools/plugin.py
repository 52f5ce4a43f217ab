#!/usr/bin/python3
"""builder-tools: builders that run one outside program each, thinly (commands-b.md 4.3)."""

import functions
import nixpacks
import pack
import railpack

from dokku_min.sdk import Plugin

plugin = Plugin("builder-tools")
main = plugin.main

# in the order of detection (commands-b.md 4): where a source has several of their files, the first wins
for _tool in (functions.TOOL, nixpacks.TOOL, pack.TOOL, railpack.TOOL):
    _tool.register(plugin)
plugin.trigger("post-delete")(functions.forget)

for _short in ("lambda", "nixpacks", "pack", "rails"):  # the names that Dokku knows their commands by, too
    for _verb in ("report", "set"):
        _long = "railpack" if _short == "rails" else _short
        plugin.commands[f"{_short}:{_verb}"] = plugin.commands[f"builder-{_long}:{_verb}"]

if __name__ == "__main__":
    plugin.run()
