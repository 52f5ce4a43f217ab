"""The dokku user's crontab: made whole, anew, every time (commands-b.md 11), of the lines that lines/APP keeps of each app.

Only what is validated here reaches a line: a schedule in cron's own form, an app's name, and an id of letters and digits.
The text of a task stays in app.json; `dokku cron:run` looks it up.
"""

import os

import schedule
import tasks

from dokku_min import environment
from dokku_min.sdk import Failure, ask, directory_lock, files, log, names, paths, properties, words

USUAL_PATH = "/usr/local/bin:/usr/bin:/bin"
HEADER = "# made by dokku, changes are lost: see `dokku cron:list`\n"
_ID = frozenset("0123456789abcdefghijklmnopqrstuvwxyz")
_ENV_VALUE = frozenset("\"'\\\n\r\0`$")


def write(changed: str = "", leaving: str = "") -> None:
    """Bring the crontab to what apps and plugins want now.

    changed: the only app that may want something new; leaving: one that goes.
    """
    directory = paths.data_dir("cron")
    with directory_lock(directory):
        asked_before = os.path.isdir(_lines())
        files.make_dir(_lines())
        for app in [changed] if changed and asked_before else names.all_apps():
            _note(app, "" if app == leaving else _app_lines(app))
        lines = [files.read(f"{_lines()}/{app}") for app in sorted(os.listdir(_lines())) if app in names.all_apps()]
        lines += [f"{plugin_line(task)}\n" for task in tasks.of_plugins()]
        text = "".join([*(f"{line}\n" for line in _settings()), *lines]) if lines else ""
        if text:
            _crontab(HEADER + text)
        elif files.read(f"{directory}/crontab"):
            _crontab("")
        files.write(f"{directory}/crontab", text)


def _lines() -> str:
    return f"{paths.data_dir('cron')}/lines"


def _note(app: str, text: str) -> None:
    if text:
        files.write(f"{_lines()}/{app}", text)
    else:
        files.remove(f"{_lines()}/{app}")


def _app_lines(app: str) -> str:
    return "".join(f"{line}\n" for task in _active(app) for line in _line_or_warning(task))


def _active(app: str) -> list:
    found = [task for task in tasks.of_app(app) if not task.rests]
    if not found or ask("scheduler-uses-host-cron", ask("scheduler-detect", app)) != "true":
        return []
    return found


def _line_or_warning(task) -> list[str]:  # type: ignore[no-untyped-def]
    """One app's mistake (in a file that nobody checked) must not stop the tasks of all others."""
    try:
        return [app_line(task)]
    except Failure as failure:
        log.warn(f"{task.app}: cron task {task.short_id} is left out: {failure.message}")
        return []


def app_line(task) -> str:  # type: ignore[no-untyped-def]
    if not names.is_app_name(task.app) or not task.short_id or set(task.short_id) - _ID:
        raise Failure(f"cannot write a cron line for {task.app!r}")
    return f"{schedule.check(task.schedule)} dokku cron:run {task.app} {task.short_id}"


def plugin_line(task) -> str:  # type: ignore[no-untyped-def]
    """A plugin's command is a shell line of its own making; its log file is one word, in which % has no meaning."""
    kept = f" &>> {words.quote(task.log)}".replace("%", "\\%") if task.log else ""
    return f"{schedule.check(task.schedule)} {task.command}{kept}"


def env_line(name: str, value: str) -> str:
    if set(value) & _ENV_VALUE or any(ord(char) < 32 for char in value):
        raise Failure(
            f"Invalid {name.lower()} specified", "it must not hold quotes, backslashes, $ or control characters"
        )
    return f'{name}="{value}"'


def _settings() -> list[str]:
    """Variables for every line: who gets mail, and what tells a second installation on this host from the first."""
    found = []
    for name in ("MAILFROM", "MAILTO"):
        value = properties.get("cron", "--global", name.lower())
        found += [env_line(name, value)] if value else []
    program = os.path.dirname(_program())
    path = USUAL_PATH if program in USUAL_PATH.split(":") else f"{program}:{USUAL_PATH}"
    found += [f"PATH={path}", "SHELL=/bin/bash"]
    usual = {"DOKKU_ROOT": "/home/dokku", "DOKKU_LIB_PATH": "/var/lib/dokku", "DOKKU_SYSTEM_USER": "dokku"}
    here = {"DOKKU_ROOT": paths.dokku_root(), "DOKKU_LIB_PATH": paths.lib_root(),
            "DOKKU_SYSTEM_USER": environment.system_user()}  # fmt: skip
    return found + [env_line(name, here[name]) for name in usual if here[name] != usual[name]]


def _program() -> str:
    import shutil

    return shutil.which("dokku") or "/usr/bin/dokku"


def _crontab(text: str) -> None:
    from dokku_min import run

    who = ("-u", environment.system_user()) if os.geteuid() == 0 else ()
    if text:
        run.capture("install the crontab", "crontab", *who, "-", data=text)
    else:
        run.works("crontab", *who, "-r")
