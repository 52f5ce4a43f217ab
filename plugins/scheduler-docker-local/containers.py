"""An app's containers as docker knows them, and the argv that makes one (commands-b.md 1.6 and 24)."""

import os

import client_env

from dokku_min import run
from dokku_min.sdk import files, paths

_LABELS = ("org.label-schema.schema-version=1.0", "org.label-schema.vendor=dokku", "dokku")
_FIELDS = ("id", "name", "state", "type", "dyno", "release", "spec")
_FORMAT = "\t".join(
    ["{{.ID}}", "{{.Names}}", "{{.State}}"]
    + ['{{.Label "com.dokku.%s"}}' % name for name in ("process-type", "dyno", "release", "spec")]  # noqa: UP031
)


class Container:
    """A container of an app; state is docker's word (running, exited, created, restarting, paused, dead)."""

    __slots__ = _FIELDS

    def __init__(self, line: str):
        for field, value in zip(_FIELDS, line.split("\t"), strict=True):
            setattr(self, field, value)

    @property
    def running(self) -> bool:
        return self.state == "running"


def of_app(app: str, kind: str = "deploy") -> list[Container]:
    """All containers of one kind that carry the app's label, whatever their state."""
    argv = ("docker", "container", "ls", "--all", "--no-trunc", "--filter", f"label=com.dokku.app-name={app}")
    kinds = ("--filter", f"label=com.dokku.container-type={kind}") if kind else ()
    listing = run.capture("list the containers", *argv, *kinds, "--format", _FORMAT)
    return [Container(line) for line in listing.splitlines()]


class Slot:
    """One process the app shall run: `type.index`, with all that its container is made of."""

    def __init__(self, app: str, record: dict, process_type: str, index: int):
        self.app, self.record, self.type, self.index = app, record, process_type, index
        self.dyno = f"{process_type}.{index}"
        self.command = record["commands"].get(process_type, [])
        self.flags = _restart_once(record["docker_options"].get(self.dyno, []))
        self.port = web_port(record) if process_type == "web" else ""
        self.spec = self._digest()

    def _digest(self) -> str:
        """Two containers with one digest are interchangeable, so one that runs already is kept."""
        import hashlib
        import json

        made_of = [self.record["image"], self.record["config"], self.command, self.flags, self.port,
                   self.record["generation"].get(self.type, 0), self.dyno]  # fmt: skip
        return hashlib.sha256(json.dumps(made_of, sort_keys=True).encode()).hexdigest()[:16]


def web_port(record: dict) -> str:
    """The container port of the first mapping that is not udp (commands-a.md 5.6)."""
    maps = [each.split(":") for each in record["ports"]]
    return next((each[2] for each in maps if each[0] != "udp" and len(each) == 3), "5000")


def _restart_once(flags: list[str]) -> list[str]:
    """docker takes the last --restart; the operator's own docker-option comes before our default and shall win."""
    seen = [flag for flag in flags if flag.startswith("--restart=")]
    return [flag for flag in flags if not flag.startswith("--restart=")] + seen[:1]


def wanted(app: str, record: dict) -> list[Slot]:
    """Every slot of a release: web first, then the other types by name."""
    types = sorted(record["formation"], key=lambda name: (name != "web", name))
    return [Slot(app, record, name, index) for name in types for index in range(1, record["formation"][name] + 1)]


def create_argv(slot: Slot, name: str, init: bool, published: list[str]) -> list[str]:
    """docker's words for a slot's container. Config values are not in it: they travel in the client's environment."""
    release = str(slot.record["number"])
    labels = [
        f"com.dokku.process-type={slot.type}", f"com.dokku.dyno={slot.dyno}", f"com.dokku.app-name={slot.app}",
        "com.dokku.container-type=deploy", f"com.dokku.release={release}", f"com.dokku.spec={slot.spec}", *_LABELS,
    ]  # fmt: skip
    return [
        "docker", "container", "create", *slot.flags, *(f"--label={label}" for label in labels),
        *client_env.told(slot.record["config"]), f"--env=DYNO={slot.dyno}", f"--env=PORT={slot.port}",
        f"--name={name}", *(["--init"] if init else []),
        *(["--env=TRACE=true"] if os.environ.get("DOKKU_TRACE") else []), *(f"-p={port}" for port in published),
        slot.record["image"], *slot.command,
    ]  # fmt: skip


def live_ids(app: str) -> dict[str, str]:
    """{dyno: container id} as the files in the app's directory have it: what the proxy was told last."""
    base, found = paths.app_dir(app), {}
    for entry in os.listdir(base) if os.path.isdir(base) else ():
        if entry.startswith("CONTAINER."):
            found[entry.removeprefix("CONTAINER.")] = files.read(f"{base}/{entry}").strip()
    return found


def write_live(app: str, dynos: dict[str, tuple[str, str, str]]) -> None:
    """Put {dyno: (id, ip, port)} on record in Dokku's files, and drop those of slots that are gone. No port: no file."""
    base = paths.app_dir(app)
    for dyno, (identity, address, port) in dynos.items():
        values = {"CONTAINER": identity, "IP": address, "PORT": port}
        for kind, value in values.items():
            path = f"{base}/{kind}.{dyno}"
            if value and files.read(path) != value:
                files.write(path, value, mode=0o644)
            elif not value:
                files.remove(path)
    for gone in set(live_ids(app)) - set(dynos):
        for kind in ("CONTAINER", "IP", "PORT"):
            files.remove(f"{base}/{kind}.{gone}")


def remove(identities: list[str]) -> None:
    if identities:
        run.works("docker", "container", "rm", "--force", *identities)
