#!/usr/bin/python3
"""ssh-keys: who may push and give commands over ssh (commands-b.md 16)."""

import sys

from dokku_min import environment, sshcommand
from dokku_min.sdk import Failure, Plugin

plugin = Plugin("ssh-keys")
main = plugin.main


@plugin.command("ssh-keys:add")
def add(name, file=""):
    print(sshcommand.acl_add(environment.system_user(), name, key_text(file)))


def key_text(file):
    if file:
        try:
            with open(file, encoding="utf-8", errors="replace") as source:
                return source.read()
        except OSError as error:
            raise Failure(f"cannot read {file}: {error.strerror}") from None
    if sys.stdin is None or sys.stdin.isatty():
        raise Failure("No key specified via file or pipe", "as in: cat key.pub | dokku ssh-keys:add NAME")
    return sys.stdin.read()


@plugin.command("ssh-keys:list")
def list_(name="", *, format="text"):  # noqa: A002 - the flag's name
    print(sshcommand.list_(environment.system_user(), name, format))


@plugin.command("ssh-keys:remove")
def remove(name="", *, fingerprint=""):
    if bool(name) == bool(fingerprint):
        raise Failure("say which key: its name, or --fingerprint and its fingerprint", "see `dokku ssh-keys:list`")
    if fingerprint:
        sshcommand.acl_remove_by_fingerprint(environment.system_user(), fingerprint)
    else:
        sshcommand.acl_remove(environment.system_user(), name)


if __name__ == "__main__":
    plugin.run()
