#!/usr/bin/python3
"""20_events: write a line for every trigger that is fired (commands-b.md 18). `dokku events:on` enables it."""

import os
import sys
import time


def main(argv):
    """Note one trigger: `INVOKED: name( arguments ) NAME=... FINGERPRINT=... DOKKU_PID=...`, as Dokku has it."""
    env = os.environ
    who = " ".join(f"{name}={env.get(name, '')}" for name in ("NAME", "FINGERPRINT", "DOKKU_PID"))
    said = " ".join(word.replace("\n", "\\n") for word in argv[1:])
    stamp = time.strftime("%b %d %H:%M:%S", time.localtime())
    line = f"{stamp} {os.uname().nodename} dokku-event[{os.getpid()}]: INVOKED: {argv[0]}( {said} ) {who}\n"
    try:
        log = os.open(env["DOKKU_EVENTS_LOGFILE"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o664)
        os.write(log, os.fsencode(line))
        os.close(log)
    except OSError:
        pass  # a full disk must not stop a deploy
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
