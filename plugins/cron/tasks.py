"""The scheduled tasks of apps (from app.json) and of plugins (from the trigger cron-entries)."""

import schedule

from dokku_min.sdk import Failure, ask, log, properties, words

GLOBAL = "--global"
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
SHORT = 200  # a longer id is no file name, and makes a line that cron cuts off


class Task:
    """One task of an app; app is "" for those of plugins, whose command is a shell line, with a log file maybe."""

    def __init__(
        self, app: str, command: str, when: str, policy: str = "allow", maintenance: bool = False, log: str = ""
    ):
        self.app, self.command, self.schedule, self.policy, self.log = app, command, when, policy, log
        parts = "===".join((app, command, when)) if app else ";;;".join(filter(None, (when, command, log)))
        self.id = base36(parts)
        self.short_id = short(self.id)
        self.app_rests = bool(app) and properties.effective("cron", app, "maintenance") == "true"
        own = properties.get("cron", app, f"maintenance.{self.short_id}") if app else ""
        self.task_rests = own == "true" if own else maintenance

    @property
    def rests(self) -> bool:
        return self.app_rests or self.task_rests

    def shown_maintenance(self) -> str:
        return "true (app)" if self.app_rests else "true (task)" if self.task_rests else "false"


def base36(text: str) -> str:
    number, digits = int.from_bytes(text.encode("utf-8", "surrogateescape"), "big"), ""
    while number:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return digits


def short(identity: str) -> str:
    """The id itself, or where it is too long for a file name and a crontab line, a digest that stands for it."""
    if len(identity) <= SHORT:
        return identity
    import hashlib

    return hashlib.sha256(identity.encode()).hexdigest()


def of_app(app: str) -> list[Task]:
    import json

    text = ask("app-json-get-content", app)
    if '"cron"' not in text:
        return []
    found = {}
    for entry in json.loads(text).get("cron") or []:
        if not _is_complete(entry):  # a file that was here before us need not have been checked
            log.warn(f"{app}: a cron task of its app.json has no command or no schedule, it is left out")
            continue
        policy = entry.get("concurrency_policy") or "allow"
        task = Task(app, entry["command"], entry["schedule"], policy, bool(entry.get("maintenance")))
        found[task.id] = task
    return list(found.values())


def _is_complete(entry) -> bool:  # type: ignore[no-untyped-def]
    return isinstance(entry, dict) and all(isinstance(entry.get(name), str) for name in ("command", "schedule"))


def find(app: str, identity: str) -> Task:
    for task in of_app(app):
        if identity in (task.id, task.short_id):
            return task
    raise Failure(f"{app} has no cron task {identity}", f"see them with: dokku cron:list {app}")


def of_plugins(scheduler: str = "docker-local") -> list[Task]:
    """What plugins want run on the host; a line that cron could not take is left out, and told."""
    found = []
    for line in ask("cron-entries", scheduler).splitlines():
        if line.strip():
            try:
                found.append(_entry(line))
            except Failure as failure:
                log.warn(f"leaving out a plugin's cron entry: {failure.message}")
    return found


def _entry(line: str) -> Task:
    fields = [field.strip() for field in line.split(";")]
    if len(fields) not in (2, 3) or not all(fields):
        raise Failure(f"{line!r} is not SCHEDULE;COMMAND or SCHEDULE;COMMAND;LOGFILE")
    if any(ord(char) < 32 or ord(char) == 127 for char in line):
        raise Failure(f"{line!r} holds a control character")
    when, command, log_file = [*fields, ""][:3]
    if log_file and not log_file.startswith("/"):
        raise Failure(f"{line!r} names a log file that does not start with /")
    schedule.check(when)
    return Task("", command, when, log=log_file)


def check(entry: dict) -> tuple[str, str]:
    """("", "") when app.json's entry can be a task, else the field that is wrong and why."""
    try:
        schedule.normal(entry["schedule"])
    except schedule.Wrong as wrong:
        return "schedule", f"is invalid: {wrong}"
    try:
        if not words.split(entry["command"]):
            return "command", "is empty"
    except Failure as failure:
        return "command", f"cannot be split into words: {failure.message}"
    return "", ""
