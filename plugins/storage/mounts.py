"""Attachments: which entry is mounted where in an app. State: list property `mounts`, one JSON object a line."""

import entries

from dokku_min.sdk import Failure, log, names, properties, report, words

PHASES = ("deploy", "run")
_OPTION = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_=-")
_FORM = "Storage path must be two valid paths divided by colon."


def read(app):
    """The app's attachments in order: by entry, then by path."""
    import json

    found = [json.loads(line) for line in properties.get_list("storage", app, "mounts") if line]
    return sorted(found, key=lambda a: (a["entry_name"], a["container_path"], a.get("process_type", "")))


def write(app, attachments):
    lines = [report.to_json({key: value for key, value in each.items() if value}) for each in attachments]
    properties.put_list("storage", app, "mounts", lines)


def parse(text):
    """(host path or volume, container path, readonly, other options) of HOST:CONTAINER[:OPTIONS]."""
    parts = text.split(":")
    source, target = parts[0], parts[1] if len(parts) > 1 else ""
    if len(parts) not in (2, 3) or not source or not target:
        raise Failure(_FORM, "as in: /var/lib/dokku/data/storage/files:/app/files")
    if not source.startswith("/") and not entries.is_volume(source):
        raise Failure(f"{_FORM} A volume name has two or more letters, digits, '_', '.' and '-': {source}")
    if not all(entries.is_path(path) for path in (source, target) if path == target or path.startswith("/")):
        raise Failure(_FORM, "paths are absolute, and have no '..' in them")
    readonly, rest = parse_options(parts[2] if len(parts) == 3 else "")
    return source, target, readonly, rest


def parse_options(text):
    """(readonly, the others) of a comma list as docker's -v takes it."""
    found = [word for word in text.split(",") if word]
    for word in found:
        if set(word) - _OPTION:
            raise Failure(f"Invalid volume option: {word}", "as in ro, rw, z, Z, nocopy or rshared")
    return "ro" in found, ",".join(word for word in found if word != "ro")


def check_container_dir(path):
    if not entries.is_path(path):
        raise Failure(f"Invalid container directory: {path}", "it must be an absolute path without '..' and ':'")


def same_place(one, other):
    keys = ("entry_name", "container_path", "process_type")
    return all(one.get(key, "") == other.get(key, "") for key in keys)


def warn_of_others(app, new, attachments):
    """Two mounts at one place: docker refuses such a container, so say it before the next deploy does."""
    for old in attachments:
        shared = old["container_path"].rstrip("/") == new["container_path"].rstrip("/")
        kinds = {old.get("process_type", ""), new.get("process_type", "")}
        if shared and not same_place(old, new) and (len(kinds) == 1 or "" in kinds):
            log.warn(f"{old['entry_name']} is mounted at {new['container_path']} on {app} too, a deploy needs one gone")


def source(entry, attachment):
    path, sub = entry["host_path"], attachment.get("subpath", "")
    return f"{path.rstrip('/')}/{sub.strip('/')}" if sub else path


def shown(entry, attachment):
    """host:container[:options], as docker's -v takes it."""
    options = ["ro"] if attachment.get("readonly") else []
    options += [attachment["volume_options"]] if attachment.get("volume_options") else []
    return ":".join(
        [source(entry, attachment), attachment["container_path"], *([",".join(options)] if options else [])]
    )


def resolved(app, phase="", process_type=""):
    """(entry, attachment) pairs; those whose entry is gone are warned about and left out."""
    found = []
    for attachment in read(app):
        if phase and phase not in attachment["phases"]:
            continue
        if process_type and attachment.get("process_type", "") not in ("", process_type):
            continue
        entry = entries.find(attachment["entry_name"])
        if entry is None:
            log.warn(
                f"storage entry {attachment['entry_name']}, mounted on {app}, does not exist any more, skipping it"
            )
            continue
        found.append((entry, attachment))
    return found


def arguments(app, phase, process_type=""):
    """What docker-args-* answer: ` -v host:container[:options]` for each mount."""
    pairs = resolved(app, phase, process_type)
    return "".join(f" -v {words.quote(shown(*pair))}" for pair in pairs if pair[0]["scheduler"] == entries.LOCAL)


def users(name):
    """Apps that have the entry mounted."""
    return [app for app in names.all_apps() if any(a["entry_name"] == name for a in read(app))]


def rows(app):
    found = {"storage-build-mounts": ""}
    for phase in PHASES:
        found[f"storage-{phase}-mounts"] = arguments(app, phase).strip()
    for number, (entry, attachment) in enumerate(resolved(app), start=1):
        facts = {"entry-name": entry["name"], "host-path": entry.get("host_path", ""),
                 "container-path": attachment["container_path"], "phases": ",".join(attachment["phases"]),
                 "process-type": attachment.get("process_type", ""), "subpath": attachment.get("subpath", ""),
                 "readonly": "true" if attachment.get("readonly") else "false",
                 "volume-options": attachment.get("volume_options", ""),
                 "volume-chown": attachment.get("volume_chown", "")}  # fmt: skip
        found.update({f"storage-attachment.{number}.{key}": value for key, value in facts.items()})
    return found


def as_json(entry, attachment):
    found = {"entry_name": entry["name"], "host_path": source(entry, attachment),
             "container_path": attachment["container_path"]}  # fmt: skip
    if attachment.get("readonly"):
        found["readonly"] = True
    if attachment.get("volume_options"):
        found["volume_options"] = attachment["volume_options"]
    return found
