"""Which plugins are enabled, what each declares, and in which order they run; remembered in one index file.

The index is text, one tab-separated record a line, and is read by searching, not parsing: its head lists the plugins
with the state of their directories on disk (P), then who handles which trigger (T) and which command (C).
"""

import os

from dokku_min import files, names, paths

FORMAT = "dokku-index 4"


class Plugin:
    """An enabled plugin. path goes through enabled/, as hooks expect of $0 (plugins.md 1.3)."""

    __slots__ = ("core", "name", "path", "program", "warm")

    def __init__(self, name: str, core: bool, program: str, warm: bool):
        self.name, self.core, self.program, self.warm = name, core, program, warm
        self.path = f"{paths.enabled_path()}/{name}"


class Command:
    """A command that a manifest declares."""

    __slots__ = ("help", "name", "plugin", "runs_as", "usage")

    def __init__(self, name: str, plugin: str, runs_as: str, usage: str, text: str):
        self.name, self.plugin, self.runs_as, self.usage, self.help = name, plugin, runs_as, usage, text


class Index:
    """What is enabled now."""

    def __init__(self, text: str):
        self._text = text
        self.plugins: dict[str, Plugin] = {}
        for line in text[text.index("\n") + 1 : text.find("\nT\t") + 1].splitlines():
            if line.startswith("P\t"):
                _, name, core, program, warm, _ = line.split("\t")
                self.plugins[name] = Plugin(name, core == "1", program, warm == "1")

    def handlers(self, trigger: str) -> list[tuple[Plugin, bool]]:
        """(plugin, whether its program handles it) for everyone who has the trigger, in the order they run."""
        words = self._record(f"T\t{trigger}\t").split()
        found = [(self.plugins[word.rstrip("!")], word.endswith("!")) for word in words]
        return [(own, program) for own, program in found if program or os.path.isfile(f"{own.path}/{trigger}")]

    def command(self, name: str) -> Command | None:
        record = self._record(f"C\t{name}\t")
        return _command(f"{name}\t{record}") if record else None

    def commands(self) -> list[Command]:
        return [_command(line[2:]) for line in self._text.splitlines() if line.startswith("C\t")]

    def descriptions(self) -> dict[str, str]:
        lines = (line.split("\t") for line in self._text.splitlines() if line.startswith("D\t"))
        return {line[1]: line[2] for line in lines}

    def implemented(self, trigger: str) -> bool:
        """Does a plugin other than the event logger have it? (plugins.md 1.3: this gates user-auth and old hooks)"""
        return any(plugin.name != "20_events" for plugin, _ in self.handlers(trigger))

    def _record(self, start: str) -> str:
        at = self._text.find("\n" + start)
        if at < 0:
            return ""
        return self._text[at + 1 + len(start) : self._text.index("\n", at + 1)]


def _command(record: str) -> Command:
    return Command(*record.split("\t"))


def load() -> Index:
    """The index of what is enabled, made anew when anything about the plugins has changed on disk."""
    text = files.read(paths.index_file())
    if not text.startswith(FORMAT + "\n") or _states(text) != _current_states():
        text = _build()
        if os.access(paths.plugin_path(), os.W_OK):
            files.write(paths.index_file(), text, mode=0o644)
    return Index(text)


def _states(text: str) -> list[str]:
    head = text[: text.find("\nT\t")].splitlines()[1:]
    return [line.split("\t")[1] + " " + line.rsplit("\t", 1)[1] for line in head if line.startswith("P\t")]


def _current_states() -> list[str]:
    return [f"{name} {_state(name)}" for name in enabled_names()]


def enabled_names() -> list[str]:
    """Names in enabled/ in byte order, dangling links left out."""
    base = paths.enabled_path()
    try:
        entries = os.listdir(base)
    except FileNotFoundError:
        return []
    return sorted((n for n in entries if os.path.isdir(f"{base}/{n}") and _usable(n)), key=os.fsencode)


def _usable(name: str) -> bool:
    return not name.startswith(".") and not set(name) & set("\t\n !")


def _state(name: str) -> str:
    base = f"{paths.enabled_path()}/{name}"
    return ":".join(str(_changed_at(f"{base}{part}")) for part in ("", "/plugin.toml"))


def _changed_at(path: str) -> int:
    try:
        info = os.stat(path)
    except OSError:
        return 0
    return info.st_mtime_ns ^ info.st_ino


def _build() -> str:
    heads: list[str] = []
    triggers: dict[str, list[str]] = {}
    commands: dict[str, str] = {}
    owners: dict[str, tuple[bool, bool]] = {}
    about: list[str] = []
    for name in enabled_names():
        base = f"{paths.enabled_path()}/{name}"
        manifest = manifest_of(base)
        info = manifest["plugin"]
        core = "core-plugins" in os.path.realpath(base)
        program = _text(info, "exec")
        own = dict.fromkeys(_texts(info, "triggers") if program else [], f"{name}!")
        for word in {**dict.fromkeys(_files(base), name), **own}:
            triggers.setdefault(word, []).append(own.get(word, name))
        for line, text in manifest["commands"].items() if program else ():
            command, _, usage = line.partition(" ")
            rank = (core, command.partition(":")[0] == name)  # who wins when two plugins declare one command
            if command not in owners or rank > owners[command]:
                runs_as = next((who for who in ("root", "caller") if command in _texts(info, who)), "dokku")
                owners[command] = rank
                commands[command] = "\t".join((command, name, runs_as, usage, str(text)))
        heads.append("\t".join(("P", name, "01"[core], program, "01"[info.get("warm") is True], _state(name))))
        about.append(f"D\t{name}\t{_text(info, 'description')}")
    lines = [FORMAT, *heads, *(f"T\t{k}\t{' '.join(v)}" for k, v in sorted(triggers.items()))]
    return "\n".join([*lines, "T\t\t", *(f"C\t{r}" for _, r in sorted(commands.items())), *about, ""])


def _files(base: str) -> list[str]:
    """Names of files, and of links that may become files once the plugin has built itself."""
    try:
        with os.scandir(base) as entries:
            return sorted(e.name for e in entries if not e.is_dir() and "\t" not in e.name and "\n" not in e.name)
    except PermissionError:  # made by root under a tight umask; plugin:install gives it to the dokku user
        return []


def _text(table: dict, key: str) -> str:
    found = table.get(key)
    return found if isinstance(found, str) else ""


def _texts(table: dict, key: str) -> list[str]:
    found = table.get(key)
    return found if isinstance(found, list) else []


def manifest_of(directory: str) -> dict[str, dict]:
    """The tables `plugin`, `commands` and `requires` of a plugin.toml, each a dict.

    A file that is missing or cannot be parsed counts as empty: an old plugin must not break every command
    (plugins.md 1.2). Installing checks it strictly (manifest_error).
    """
    import tomllib

    try:
        with open(f"{directory}/plugin.toml", "rb") as file:
            found = tomllib.load(file)
    except (OSError, ValueError):
        found = {}
    tables = {key: found.get(key) for key in ("plugin", "commands", "requires")}
    return {key: _strings(table) if isinstance(table, dict) else {} for key, table in tables.items()}


def _strings(table: dict) -> dict:
    """Only what the index can hold: text on one line, lists of such text, booleans."""
    return {
        _line(key): list(map(_line, value)) if isinstance(value, list) else value is True or _line(value)
        for key, value in table.items()
        if not isinstance(value, dict)
    }


def _line(value: object) -> str:
    return " ".join(str(value).split())


def manifest_error(directory: str) -> str:
    """Why the plugin in directory cannot be installed, or nothing."""
    import tomllib

    try:
        with open(f"{directory}/plugin.toml", "rb") as file:
            found = tomllib.load(file)
    except FileNotFoundError:
        return "it has no plugin.toml"
    except (OSError, ValueError) as error:
        return f"its plugin.toml cannot be read: {error}"
    info = found.get("plugin")
    if not isinstance(info, dict):
        return "its plugin.toml has no [plugin] table"
    program = info.get("exec", "")
    builds_itself = os.access(f"{directory}/install", os.X_OK)
    if program and not os.access(f"{directory}/{program}", os.X_OK) and not builds_itself:
        return f"its program {program} is missing or not executable"
    return ""


def enable(name: str) -> None:
    """Link an available plugin into enabled/; the caller has checked that it is there and not enabled yet."""
    assert names.is_plugin_name(name)
    files.make_dir(paths.enabled_path())
    os.symlink(f"{paths.available_path()}/{name}", f"{paths.enabled_path()}/{name}")
