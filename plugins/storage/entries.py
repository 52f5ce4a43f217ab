"""Storage entries: what can be mounted. State: LIB/data/storage-registry/entries/NAME.json (commands-a.md 13)."""

import os

import directories

from dokku_min.sdk import Failure, files, log, paths, report

LOCAL = "docker-local"
FIELDS = ("name", "scheduler", "host_path", "size", "access_mode", "storage_class", "namespace", "chown", "mode",
          "reclaim_policy", "annotations", "labels", "schema_version")  # fmt: skip
# what `storage:set` calls a field
SETTABLE = {"access-mode": "access_mode", "chown": "chown", "mode": "mode", "namespace": "namespace",
            "reclaim-policy": "reclaim_policy", "size": "size", "storage-class-name": "storage_class"}  # fmt: skip
FIXED = ("access-mode", "storage-class-name")
_ELSEWHERE = ("size", "access-mode", "storage-class-name", "namespace")  # meaningless on one host
_ALNUM = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")
_LABEL = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


def root():
    return f"{paths.data_dir('storage-registry')}/entries"


def check_new_name(name):
    """A DNS label, as other schedulers ask for, that leaves room for what they add to it."""
    if not name or set(name) - _LABEL or name.strip("-") != name or len(name) > 45:
        raise Failure(f"Invalid storage entry name: {name}", "use at most 45 of a-z, 0-9 and '-', no dash at an end")
    if name.startswith("legacy-"):
        raise Failure(f"Invalid storage entry name: {name}", "names that begin with legacy- are taken by dokku")


def is_volume(text):
    return len(text) > 1 and text[0] in _ALNUM and not set(text) - _ALNUM - set("_.-")


def is_path(text):
    """An absolute path that means itself: nothing climbs out of it, no colon or line end splits it."""
    return text.startswith("/") and ".." not in text.split("/") and not set(text) & set(":\r\n\0")


def find(name):
    """The entry, or None."""
    import json

    if not directories.is_name(name):
        return None
    text = files.read(f"{root()}/{name}.json")
    return json.loads(text) if text else None


def get(name):
    entry = find(name)
    if entry is None:
        raise Failure(f"Storage entry {name} does not exist", "see which there are: dokku storage:list-entries")
    return entry


def all_entries():
    if not os.path.isdir(root()):
        return []
    return [get(name[:-5]) for name in sorted(os.listdir(root())) if name.endswith(".json") and name[0] != "."]


def save(entry):
    import json

    kept = {field: entry[field] for field in FIELDS if entry.get(field)}
    files.make_dir(root())
    files.write(f"{root()}/{entry['name']}.json", json.dumps(kept, indent=2, ensure_ascii=False) + "\n")


def remove(name):
    files.remove(f"{root()}/{name}.json")


def legacy(source):
    """The entry that stands for a host path or volume of a plain HOST:CONTAINER mount; not saved yet."""
    import hashlib

    text = source if source.startswith("/") else f"vol:{source}"
    name = f"legacy-{hashlib.sha1(text.encode('utf-8', 'surrogateescape')).hexdigest()[:10]}"
    return {"name": name, "scheduler": LOCAL, "host_path": source, "schema_version": 1}


def is_default_path(entry):
    return entry.get("host_path") == directories.path_of(entry["name"])


def check(entry):
    """Do the fields go together? They are named as the user names them."""
    if entry["scheduler"] not in (LOCAL, "k3s"):
        raise Failure(f"Invalid scheduler: {entry['scheduler']}", "use docker-local or k3s")
    for key in _ELSEWHERE:
        if entry["scheduler"] == LOCAL and entry.get(SETTABLE[key]):
            raise Failure(f"--{key} is not supported by the docker-local scheduler", "it is for k3s")
    if entry.get("reclaim_policy", "") not in ("", "Retain", "Delete"):
        raise Failure(f"Invalid reclaim-policy: {entry['reclaim_policy']}", "use Retain or Delete")
    if entry.get("mode"):
        directories.check_mode(entry["mode"])
    if entry.get("chown"):
        directories.owner_id(entry["chown"])
    special = {"--chown": entry.get("chown"), "--mode": entry.get("mode"),
               "--reclaim-policy Delete": entry.get("reclaim_policy") == "Delete"}  # fmt: skip
    for flag, given in special.items():
        if given and entry["scheduler"] == LOCAL and not is_default_path(entry):
            raise Failure(f"{flag} is only supported when the storage entry uses the default host path")


def apply(entry):
    """Make the directory of an entry that has its default one, and give it mode and owner."""
    if entry["scheduler"] != LOCAL or not is_default_path(entry):
        return
    directories.ensure(entry["name"])
    if entry.get("mode"):
        directories.change_mode(entry["name"], entry["mode"])
    if entry.get("chown"):
        directories.change_owner(entry["name"], entry["chown"])


def show(entry, form):
    if form == "json":
        import json

        print(json.dumps(entry, indent=2, sort_keys=True, ensure_ascii=False))
        return
    log.info1(f"Storage entry {entry['name']}")
    for field in FIELDS[1:-1]:
        value = entry.get(field)
        if value:
            text = value if isinstance(value, str) else ", ".join(f"{k}={v}" for k, v in sorted(value.items()))
            log.verbose(f"{(field.replace('_', ' ') + ':').capitalize():<16}{text}")


def json_line(value):
    return report.to_json(value)
