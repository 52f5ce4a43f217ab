"""plugin:test: does a plugin keep the contract? Told without installing it (docs/plugins.md)."""

import json
import os

import library
import sandbox

from dokku_min import plugins as core
from dokku_min.sdk import Failure, log, names

OK, WARNING, ERROR = "ok", "warning", "error"
SLOW = 1.0  # seconds; a deploy runs dozens of hooks
_HERE = os.path.dirname(os.path.realpath(__file__))
_NOT_CALLED = ("install", "update", "uninstall", "dependencies")  # they change the host
_SILENT = ("git-pre-pull", "git-post-pull")  # their stdout would end up in git's own protocol
_NOT_HOOKS = ("commands", "config", "functions", "help-functions", "internal-functions", "common-functions",
              "log-functions", "property-functions")  # fmt: skip
_SAMPLES = {
    "APP": "blog", "APP|--global": "blog", "OLD": "blog", "NEW": "blog2", "TAG": "latest", "IMAGE_TAG": "latest",
    "IMAGE": "dokku/blog:latest", "BUILDER": "dockerfile", "PROC": "web", "INDEX": "1", "PORT": "5000", "IP": "172.17.0.2",
    "REV": "0" * 39 + "1", "CID": "c" * 64, "ID": "c" * 64, "SCHED": "docker-local", "KEY": "KEY", "STATUS": "0",
    "REFNAME": "main", "SSH_USER": "dokku", "SSH_NAME": "default", "COMMAND": "apps:list", "KIND": "app", "PHASE": "deploy",
}  # fmt: skip


def known_triggers() -> dict[str, list[str]]:
    """Name -> [kind, arguments]."""
    import tomllib

    with open(f"{_HERE}/triggers.toml", "rb") as file:
        return tomllib.load(file)


class Report:
    """What was found, in order."""

    def __init__(self):
        self.rows: list[dict] = []

    def add(self, level: str, check: str, detail: str = "", seconds: float = 0.0) -> None:
        self.rows.append({"level": level, "check": check, "detail": detail, "ms": round(seconds * 1000, 1)})

    def failed(self) -> bool:
        return any(row["level"] == ERROR for row in self.rows)


def test(directory: str, record: bool, journal: str) -> Report:
    """Everything there is to say about the plugin in directory; record writes its transcript anew."""
    if not os.path.isdir(directory):
        raise Failure(f"there is no directory {directory}", "name the plugin's directory")
    name = os.path.basename(os.path.realpath(directory)).removeprefix("dokku-").removesuffix(".git")
    if not names.is_plugin_name(name):
        raise Failure(f"{name} cannot be a plugin's name", "rename its directory")
    report, manifest = Report(), core.manifest_of(directory)
    _build(directory, manifest["plugin"], report)
    _check_manifest(directory, report)
    triggers = _triggers(directory, manifest, report)
    commands = _commands(directory, manifest, report)
    for file, gone in library.missing(directory, name).items():
        report.add(WARNING, file, f"nobody provides {', '.join(gone)}")
    if report.failed():
        return report
    with sandbox.Sandbox(directory, name) as box:
        for trigger in triggers:
            _call_trigger(box, trigger, report)
        for command, usage in commands.items():
            _call_command(box, command, usage, report)
        if os.access(f"{directory}/commands", os.X_OK):
            _call_commands_file(box, report)
    with sandbox.Sandbox(directory, name) as box:
        if record:
            _record(box, directory, _calls(directory, journal, triggers), report)
        else:
            _replay(box, sandbox.read_transcript(directory), report)
    return report


def _build(directory, info, report):
    program = info.get("exec")
    if program and not os.path.exists(f"{directory}/{program}") and os.path.exists(f"{directory}/Makefile"):
        from dokku_min import run

        status, said = run.answer("make", "-C", directory, program)
        report.add(ERROR if status else OK, f"make {program}", said.strip() if status else "")


def _check_manifest(directory, report):
    problem = core.manifest_error(directory)
    info = core.manifest_of(directory)["plugin"]
    if problem:
        report.add(ERROR, "plugin.toml", problem)
    elif not info.get("description") or not info.get("version"):
        report.add(WARNING, "plugin.toml", "it has no description or no version, which plugin:list shows")
    else:
        report.add(OK, "plugin.toml")


def _triggers(directory, manifest, report):
    """Triggers that the plugin has, in both forms; files that look like hooks are looked at on the way."""
    known, found = known_triggers(), []
    for name in sorted(os.listdir(directory)):
        path = f"{directory}/{name}"
        executable = os.path.isfile(path) and os.access(path, os.X_OK)
        if name in known and os.path.isfile(path) and not executable:
            report.add(ERROR, name, "it is not executable, so dokku skips it: chmod +x")
        elif executable and name in known:
            found.append(name)
            _check_first_line(path, name, report)
        elif executable and name not in _NOT_HOOKS and "." not in name and name != manifest["plugin"].get("exec"):
            _unknown(name, known, report)
    for name in manifest["plugin"].get("triggers") or []:
        found.append(name)
        if name not in known:
            _unknown(name, known, report)
    return list(dict.fromkeys(found))


def _unknown(name, known, report):
    import difflib

    near = difflib.get_close_matches(name, known, 1, 0.8)
    report.add(WARNING, name, "dokku fires no trigger of that name" + (f"; is it {near[0]}?" if near else ""))


def _check_first_line(path, name, report):
    with open(path, "rb") as file:
        start = file.read(4)
    if not start.startswith((b"#!", b"\x7fELF")):
        report.add(WARNING, name, "it has no first line that names its interpreter; bash will run it")


def _commands(directory, manifest, report):
    """Command -> usage, of manifest and subcommand files."""
    found = {}
    if manifest["plugin"].get("exec"):
        for line in manifest["commands"]:
            command, _, usage = line.partition(" ")
            found[command] = usage
    prefix = os.path.basename(os.path.realpath(directory)).removeprefix("dokku-").removesuffix(".git")
    place = f"{directory}/subcommands"
    for name in sorted(os.listdir(place)) if os.path.isdir(place) else ():
        if not os.access(f"{place}/{name}", os.X_OK):
            report.add(ERROR, f"subcommands/{name}", "it is not executable, so dokku does not find it: chmod +x")
        else:
            found[f"{prefix}:{name}"] = ""
    return found


def _sample(arguments):
    words = [word for word in _words(arguments) if word != "--"]
    return [sandbox.SOURCE if w.endswith("DIR") else _SAMPLES.get(w, w.partition("|")[0].lower()) for w in words]


def _words(arguments):
    return arguments.replace("[", "").replace("]", "").replace("...", "").split()


def _call_trigger(box, trigger, report):
    if trigger in _NOT_CALLED:
        return report.add(OK, trigger, "not called: it changes the host")
    kind, arguments = known_triggers().get(trigger, ("notify", "APP"))
    call = [trigger, *_sample(arguments)]
    done = box.call(call)
    level, detail = _basics(done)
    if level == OK and done.status and kind != "predicate":
        level, detail = ERROR, f"it exited {done.status}, which fails what fired it: {_last(done.stderr)}"
    elif level == OK and done.stdout and (kind == "predicate" or trigger in _SILENT):
        level = ERROR if trigger in _SILENT else WARNING
        detail = "it prints to stdout, where nothing is expected; use stderr"
    return report.add(level, " ".join(call[:2]), detail, done.seconds)


def _basics(done):
    """What holds for every call: it ends, by itself, soon, and a failure says why on stderr."""
    if done.status is None:
        return ERROR, f"it had not ended after {sandbox.PATIENCE:.0f} s, though its stdin was at its end"
    if done.status < 0:
        return ERROR, f"signal {-done.status} ended it"
    if done.status in (126, 127):
        return ERROR, f"a program it needs is missing: {_last(done.stderr)}"
    if done.status and not done.stderr.strip():
        return ERROR, f"it exited {done.status} and said nothing on stderr"
    if "Traceback (most recent call last)" in done.stderr:
        return WARNING, f"it ended with a traceback: {_last(done.stderr)}"
    if done.seconds > SLOW:
        return WARNING, f"it took {done.seconds:.1f} s"
    return OK, ""


def _last(text):
    return (text.strip().splitlines() or [""])[-1].strip()


def _call_command(box, command, usage, report):
    for arguments in ([], ["no-such-app"]) if usage.startswith("<app>") else ([],):
        done = box.call([command, *arguments])
        level, detail = _basics(done)
        if level == OK and arguments and not done.status:
            level, detail = ERROR, "it takes an app that does not exist, and exits 0"
        report.add(level, " ".join([command, *arguments]), detail, done.seconds)


def _call_commands_file(box, report):
    done = box.call(["commands", "no-such-command"])
    if done.status != 10:
        detail = f"it exited {done.status}; 10 lets dokku ask the other plugins, and say that there is no such command"
        report.add(ERROR, "commands no-such-command", detail, done.seconds)
    done = box.call(["commands", "help"])
    lines = done.stdout.splitlines()
    if done.status == 0 and lines and all(line.startswith("    ") and "," in line for line in lines):
        report.add(OK, "commands help", "", done.seconds)
    else:
        report.add(ERROR, "commands help", "every line is four blanks, usage, comma, description", done.seconds)


def _calls(directory, journal, triggers):
    """(call, stdin) for a transcript: of a real command's journal, of the transcript that is there, or samples."""
    if journal:
        return [(call, "") for call in _journaled(journal, triggers)]
    entries = sandbox.read_transcript(directory)
    if entries:
        return [(entry["call"], entry.get("stdin", "")) for entry in entries]
    known = known_triggers()
    return [([name, *_sample(known[name][1])], "") for name in triggers if name in known and name not in _NOT_CALLED]


def _journaled(journal, triggers):
    """Calls of the plugin's triggers that --trace-plugins has noted; the real app becomes the sandbox's."""
    try:
        with open(journal) as file:
            fired = [json.loads(line) for line in file]
    except (OSError, ValueError) as error:
        raise Failure(f"cannot read {journal}: {error}", "make it with: dokku --trace-plugins=FILE COMMAND") from None
    known = known_triggers()
    apps = {app for each in fired for app in _app_of(each, known)} - {"", "--global", "--all"}
    for each in sorted(fired, key=lambda hook: hook["begin"]):
        if each["trigger"] in triggers and each["nth"] == 0:  # a line for each hook of a firing
            words = [sandbox.APP if word in apps else word for word in each["args"]]
            for place, word in enumerate(_words(known.get(each["trigger"], ["", ""])[1])[: len(words)]):
                if word.endswith("DIR"):  # it is gone when the command has ended
                    words[place] = sandbox.SOURCE
            yield [each["trigger"], *words]


def _app_of(fired, known):
    words = [word.partition("|")[0] for word in known.get(fired["trigger"], ["", ""])[1].split()]
    return fired["args"][words.index("APP") :][:1] if "APP" in words else []


def _record(box, directory, calls, report):
    entries = []
    for call, stdin in calls:
        done = box.call(call, stdin)
        more = {"stdin": stdin} if stdin else {}
        entries.append({"call": call, **more, "status": done.status, "stdout": done.stdout, "stderr": done.stderr})
    os.makedirs(f"{directory}/tests", exist_ok=True)
    text = ",\n ".join(json.dumps(entry, ensure_ascii=False) for entry in entries)
    with open(f"{directory}/tests/transcript.json", "w") as file:
        file.write(f"[\n {text}\n]\n")
    report.add(OK, "tests/transcript.json", f"{len(entries)} calls recorded")


def _replay(box, entries, report):
    """The whole transcript in one fresh sandbox: a call may build on those before it."""
    for number, entry in enumerate(entries, 1):
        done = box.call(entry["call"], entry.get("stdin", ""))
        wrong = [f"{part} is {getattr(done, part)!r}, recorded was {entry[part]!r}"
                 for part in ("status", "stdout", "stderr") if getattr(done, part) != entry[part]]  # fmt: skip
        report.add(ERROR if wrong else OK, f"transcript {number}: {' '.join(entry['call'])}", "; ".join(wrong), done.seconds)


def show(report: Report, directory: str, form: str) -> None:
    if form == "json":
        return print(json.dumps({"directory": directory, "ok": not report.failed(), "checks": report.rows}, indent=1))
    log.info1(f"Testing the plugin in {directory}")
    for row in report.rows:
        time = f" ({row['ms']:.0f} ms)" if row["ms"] else ""
        log.verbose(f"{row['level']:<8}{row['check']}{time}{': ' if row['detail'] else ''}{row['detail']}")
    errors, warnings = (sum(row["level"] == level for row in report.rows) for level in (ERROR, WARNING))
    log.info2(f"{len(report.rows)} checks, {errors} errors, {warnings} warnings")
    return None
