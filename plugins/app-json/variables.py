"""The `env` part of app.json: variables that an app gets with its first deploy (commands-b.md 8)."""

import sys

import manifest

from dokku_min.sdk import Failure, ask, log, properties

PROCESSED = "appjson-env-processed"


def apply(app: str) -> None:
    """Set what app.json declares: all on the first deploy, later only what says `sync`."""
    declared = manifest.field(app, "env")
    if not declared:
        return
    import json

    log.info1("Processing app.json env vars")
    first = properties.get("app-json", app, PROCESSED) != "true"
    current = json.loads(ask("config-export", app, "false", "true", "json") or "{}")
    new = wanted(declared, current, first, _prompt if sys.stdin and sys.stdin.isatty() else None)
    if new:
        log.verbose(f"Setting {len(new)} env var(s) from app.json")
        pairs = [f"{key}={value}" for key, value in new.items()]
        ask("config-set", "--no-restart", app, *pairs, must=True)  # unseen: it would show the secrets it sets
    properties.put("app-json", app, PROCESSED, "true")


def wanted(declared: dict, current: dict[str, str], first: bool, prompt=None) -> dict[str, str]:  # type: ignore[no-untyped-def]
    """The variables to set. What the app has stays, unless it is to follow app.json; prompt(key, about) asks."""
    new = {}
    for key, found in declared.items():
        about = found if isinstance(found, dict) else {"value": found or ""}
        synced = bool(about.get("sync") and about.get("value"))
        if not (first or about.get("sync")) or (current.get(key) and not synced):
            continue
        value = about.get("value") or _generated(about) or (prompt(key, about) if prompt else "")
        if value and value != current.get(key):
            new[key] = value
        elif not value and about.get("required", True) is not False:
            raise Failure(f"required env var {key} has no value, no default, and no TTY for prompt",
                          f"set it: dokku config:set APP {key}=VALUE")  # fmt: skip
    return new


def _generated(about: dict) -> str:
    if about.get("generator") != "secret":
        return ""
    import secrets

    return secrets.token_hex(32)


def _prompt(key: str, about: dict) -> str:
    hint = f" ({about['description']})" if about.get("description") else ""
    return input(f"       {key}{hint}: ").strip()
