#!/usr/bin/python3 -I
"""own NAME UID | mode NAME OCTAL | remove NAME: what only root may do to a directory right below BASE.

The dokku user runs this through sudo. It takes names, never paths, and follows no link, so it reaches nothing else.
"""

import os
import shutil
import sys

BASE = "/var/lib/dokku/data/storage"
NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")
NO_LINK = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
HIGHEST_ID = 65535 + 165536  # with docker's user namespaces


def opened(path):
    """The directory, each part of its path a true directory."""
    directory = os.open("/", NO_LINK)
    for part in path.strip("/").split("/"):
        directory = os.open(part, NO_LINK, dir_fd=directory)
    return directory


def own(directory, uid):
    number = int(uid)
    if not 0 <= number <= HIGHEST_ID:
        raise ValueError(f"not a user id: {uid}")
    os.fchown(directory, number, number)
    for _, folders, files, here in os.fwalk(".", dir_fd=directory):
        for name in folders + files:
            os.chown(name, number, number, dir_fd=here, follow_symlinks=False)


def main(argv):
    verb, name, *value = argv
    if not name or set(name) - NAME or name.startswith("-"):
        raise ValueError(f"not a directory name: {name}")
    base = opened(BASE)
    if verb == "remove" and not value:
        shutil.rmtree(name, dir_fd=base)
    elif verb == "own" and len(value) == 1:
        own(os.open(name, NO_LINK, dir_fd=base), *value)
    elif verb == "mode" and len(value) == 1:
        os.fchmod(os.open(name, NO_LINK, dir_fd=base), int(value[0], 8) & 0o7777)
    else:
        raise ValueError(f"not something to do: {' '.join(argv)}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except (OSError, ValueError) as error:
        sys.exit(f" !     {error}")
