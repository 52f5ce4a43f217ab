"""The first step of every start from the unpacked tree: argv[1] is the name we were called by. Kept tiny: not cached.

Run as: python3 -I -S -X utf8 TREE/dokku_min/start.py PROGRAM ARGS...
"""

import os
import sys

TREE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def trusted(path: str) -> bool:
    """Only its owner, who is root or us, can change what is in there."""
    info = os.stat(path)
    return info.st_uid in (0, os.geteuid()) and not info.st_mode & 0o022


if not (trusted(TREE) and trusted(f"{TREE}/dokku_min") and trusted(os.path.dirname(TREE))):
    sys.exit(f" !     {TREE} can be changed by others\n !     remove it as root and run dokku again")
sys.path.insert(0, TREE)
sys.argv = sys.argv[1:]

from dokku_min.__main__ import main  # noqa: E402

main()
