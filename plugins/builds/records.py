"""Records of builds and deploys: LIB/data/builds/APP/ID.json and ID.log (commands-b.md 3).

A record is {id, app, kind, pid, started_at, status, source} and, once it is over, finished_at and exit_code; kind is
build or deploy, times are in seconds since 1970, status is running, succeeded, failed or canceled.
"""

import os
import time

from dokku_min.sdk import Failure, files, paths, properties

_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_DEPLOYS = ("ps:restart", "ps:start", "ps:scale", "deploy", "config-redeploy", "unknown")


def new_id():
    """Eight base-36 digits of the time in milliseconds, six random ones: ids sort by age."""
    return _base36(int(time.time() * 1000), 8) + _base36(int.from_bytes(os.urandom(5)), 6)


def _base36(number, width):
    digits = ""
    for _ in range(width):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits


def is_id(word):
    return len(word) == 14 and not set(word) - set(_DIGITS)


def base(app):
    return paths.data_dir("builds", app)


def log_file(app, identity):
    return f"{base(app)}/{identity}.log"


def write(record):
    import json

    files.make_dir(base(record["app"]))
    path = f"{base(record['app'])}/{record['id']}.json"
    files.write(path, json.dumps(record, indent=2, sort_keys=True) + "\n", mode=0o640)


def load(app, identity):
    import json

    text = files.read(f"{base(app)}/{identity}.json") if is_id(identity) else ""
    if not text:
        raise Failure(f"{app} has no build {identity}", f"see `dokku builds:list {app}`")
    return json.loads(text)


def all_of(app):
    """Every record of the app, the newest first."""
    try:
        found = sorted((name[:-5] for name in os.listdir(base(app)) if name.endswith(".json")), reverse=True)
    except FileNotFoundError:
        return []
    return [load(app, identity) for identity in found if is_id(identity)]


def start(app, identity, pid, source):
    kind = "deploy" if source in _DEPLOYS else "build"
    write({"id": identity, "app": app, "kind": kind, "pid": int(pid), "started_at": int(time.time()),
           "status": "running", "source": source})  # fmt: skip


def finish(app, identity, status, word=""):
    """Close a record; one that is closed stays as it is."""
    record = load(app, identity)
    if record["status"] == "running":
        word = word or ("failed" if status else "succeeded")
        write({**record, "status": word, "finished_at": int(time.time()), "exit_code": status})


def alive(record):
    return record["status"] == "running" and os.path.exists(f"/proc/{record['pid']}")


def shown_status(record):
    return "abandoned" if record["status"] == "running" and not alive(record) else record["status"]


def duration(record):
    seconds = record.get("finished_at", int(time.time())) - record["started_at"]
    return f"{seconds // 60}m{seconds % 60}s" if seconds >= 60 else f"{seconds}s"


def retention(app):
    return int(properties.effective("builds", app, "retention", "20"))


def prune(app):
    """Close what was abandoned and delete closed records beyond the retention."""
    closed = []
    for record in all_of(app):
        if shown_status(record) == "abandoned":
            finish(app, record["id"], -1)
        if not alive(record):
            closed.append(record)
    for record in closed[retention(app) :]:
        files.remove(log_file(app, record["id"]))
        files.remove(f"{base(app)}/{record['id']}.json")
