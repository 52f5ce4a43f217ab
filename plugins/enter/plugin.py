#!/usr/bin/python3
"""enter: a shell or a command in a running container of an app (commands-b.md 12)."""

from dokku_min.args import Usage
from dokku_min.sdk import Plugin, ask, dispatch

plugin = Plugin("enter")
main = plugin.main


@plugin.command("enter", options_first=True)
def enter(app, *words, container_id=""):
    where, command = _parted([f"--container-id={container_id}", *words] if container_id else list(words))
    return dispatch.trigger("scheduler-enter", ask("scheduler-detect", app), app, *where, "--", *command)


def _parted(words):
    """(what the scheduler finds the container by, the command): the first word says where, unless it is `--`."""
    where = []
    if words and words[0].partition("=")[0] == "--container-id":
        flag, equals, value = words.pop(0).partition("=")
        value = value if equals else (words.pop(0) if words else "")
        if not value:
            raise Usage("flag needs an argument: --container-id")
        where = [flag, value]
    elif words and words[0] != "--":
        where = [words.pop(0)]
    return where, words[1:] if words[:1] == ["--"] else words


if __name__ == "__main__":
    plugin.run()
