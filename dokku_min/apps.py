"""Which apps there are, and which of them this caller may see (commands-a.md 1.2 and 1.5)."""

import os

from dokku_min import dispatch, names


def visible(candidates: list[str] | None = None) -> list[str]:
    """All apps (or the candidates among them) that a user-auth-app plugin, if there is any, lets the caller see."""
    found = names.all_apps() if candidates is None else [a for a in candidates if names.app_directory_exists(a)]
    if not found or not dispatch.index().implemented("user-auth-app"):
        return found
    caller = (os.environ.get("SSH_USER", ""), os.environ.get("SSH_NAME", "default"))
    _, answer = dispatch.capture("user-auth-app", *caller, *found)
    allowed = set(answer.split("\n"))
    return [app for app in found if app in allowed]


def verify(app: str) -> str:
    """Return app if it exists and the caller may see it, or fail with status 20."""
    if not visible([app]):
        raise names.no_such_app(app)
    return app
