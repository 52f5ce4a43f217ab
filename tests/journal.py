"""What a real server fires: the triggers of a command in order, with names instead of what differs from run to run."""

import json
import re
import subprocess
import tomllib

from tests.server import CHECKOUT, Server

_KNOWN = tomllib.loads((CHECKOUT / "plugins/plugin/triggers.toml").read_text())
# Questions are left out, and what plugins of ours do among themselves: docs/triggers.md shows where others can join.
_INSIDE = re.compile(
    r"builds-|ports-|network-|config-|release-(?!and)|ps-|builder-(set|names)|proxy-|scheduler-re|app-json-|procfile-"
)


class Journal:
    """`with Journal(server) as journal: ...; journal.take({"blog": "APP"})` gives what was fired since the last take."""

    def __init__(self, server: Server):
        self.server, self.file = server, server.root / "journal"
        self.settings = server.root / ".dokkurc/journal"
        self.heard: set[tuple[str, int]] = set()  # (trigger, number of arguments) of all that was fired, questions too

    def __enter__(self) -> "Journal":
        self.settings.parent.mkdir(exist_ok=True)
        self.settings.write_text(f"export DOKKU_TRACE_PLUGINS={self.file}\n")
        self._empty()
        return self

    def __exit__(self, *_: object) -> None:
        self.settings.unlink()
        self.file.unlink()

    def _empty(self) -> None:
        self.file.write_text("")
        for path in (self.file, self.settings, self.settings.parent):
            subprocess.run(["chown", f"{self.server.user}:{self.server.user}", path], check=True)

    def take(self, names: dict[str, str]) -> list[str]:
        """Lines `trigger ARGS`; names: what to write for the names of apps."""
        records = [json.loads(line) for line in self.file.read_text().splitlines()]
        self._empty()
        self.heard |= {(r["trigger"], len(r["args"])) for r in records}
        records.sort(key=lambda r: (r["begin"], -r["end"]))
        fired = [r for r in records if r["nth"] == 0]
        return [_line(r, names) for r in fired if _shown(r["trigger"])]


def _shown(trigger: str) -> bool:
    return _KNOWN[trigger][0] in ("notify", "action", "collect") and not _INSIDE.match(trigger)


def _line(record: dict, names: dict[str, str]) -> str:
    return " ".join([record["trigger"], *(_word(word, names) or '""' for word in record["args"])])


def _word(word: str, names: dict[str, str]) -> str:
    for name, instead in names.items():
        word = re.sub(rf"(^|[/:]){re.escape(name)}(?=$|[/:])", rf"\1{instead}", word)
    for pattern, instead in (
        (r"[0-9a-f]{64}", "CID"),
        (r"[0-9a-f]{40}", "REV"),
        (r"\d+\.\d+\.\d+\.\d+", "IP"),
        (r"/.*/work/.*", "DIR"),
    ):
        word = re.sub(rf"^{pattern}$", instead, word)
    return word
