"""Which checks a process gets: app.json's `healthchecks`, or the default ones (commands-a.md 9.2)."""

from dokku_min.sdk import Failure, ask, log, properties

KINDS = ("path", "command", "uptime", "listening")
_NUMBERS = {"attempts": 3, "timeout": 5, "wait": 5, "initialDelay": 0}


class Check:
    """One check. kind is one of KINDS and value what it is about; attempts, timeout, wait and delay are in tries/seconds."""

    def __init__(self, entry: dict, default_port: str):
        self.kind = next((kind for kind in KINDS if entry.get(kind)), "")
        self.value = entry.get(self.kind)
        self.name = entry.get("name") or f"{self.kind} check"
        self.port = int(entry.get("port") or default_port)
        self.scheme = (entry.get("scheme") or "http").lower()
        self.content = entry.get("content") or ""
        self.headers = {each["name"]: each.get("value") or "" for each in entry.get("httpHeaders") or []}
        self.warn = bool(entry.get("warn"))
        self.on_failure = entry.get("onFailure") or {}
        self.attempts, self.timeout, self.wait, self.delay = (_given(entry, k, d) for k, d in _NUMBERS.items())


def _given(entry, name, default):
    return default if entry.get(name) is None else entry[name]


def of_process(app: str, process_type: str, port: str) -> list[Check]:
    """The startup checks of a process type, and for web always a warning when nothing listens on its port."""
    import json

    entries = [_valid(entry, process_type) for entry in _from_app_json(app, process_type)]
    for entry in [e for e in entries if not e.get("type")]:
        log.warn(f"healthcheck without a type is not run: {entry.get('name') or json.dumps(entry)}")
    found = [Check(entry, port) for entry in entries if entry.get("type") == "startup"]
    if not entries:
        wait = int(properties.get("checks", "--global", "default-wait", "10"))
        found = [Check({"name": "default", "uptime": wait}, port)]
    if process_type == "web" and not any(check.kind in ("path", "listening") for check in found):
        found.append(Check({"name": "port listening check", "listening": True, "warn": True}, port))
    return found


def _from_app_json(app, process_type):
    import json

    text = ask("app-json-get-content", app)
    checks = (json.loads(text) if text else {}).get("healthchecks") or {}
    return checks.get(process_type) or []


def _valid(entry, process_type):
    kinds = [kind for kind in KINDS if entry.get(kind)]
    if len(kinds) > 1:
        raise Failure(f"a healthcheck of {process_type} has {' and '.join(kinds)}: one of them only", "mend app.json")
    if not kinds and entry.get("type") == "startup":
        raise Failure(f"a healthcheck of {process_type} has none of {', '.join(KINDS)}", "mend app.json")
    return entry
