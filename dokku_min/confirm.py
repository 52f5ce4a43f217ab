"""Ask before something is lost for good (commands-a.md 1.6)."""

import os
import sys

from dokku_min import log
from dokku_min.errors import Failure


def destructive(kind: str, name: str, force: bool = False) -> None:
    """Return when the user types name, or has said --force; raise Failure otherwise. kind: "app", "network", ..."""
    if force or os.environ.get("DOKKU_APPS_FORCE_DELETE") == "1":
        return
    log.warn("WARNING: Potentially Destructive Action")
    log.warn(f"This command will destroy {kind} {name}.")
    log.warn(f'To proceed, type "{name}"')
    print("> ", end="", flush=True)
    answer = sys.stdin.readline()
    if not answer:
        raise Failure("there is nobody to confirm this. Aborted.", "say --force to go ahead without a question")
    if answer.strip() != name:
        raise Failure(f"Confirmation did not match {name}. Aborted.")
