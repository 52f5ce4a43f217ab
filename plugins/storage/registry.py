"""Commands about storage entries themselves (commands-a.md 13)."""

import os
import sys

import directories
import entries
import mounts

from dokku_min import confirm, run
from dokku_min.sdk import Failure, ask, fire, log


def check_format(form):
    if form not in ("text", "json"):
        raise Failure("Invalid --format value specified", "use text or json")


def create(name, path="", *, scheduler=entries.LOCAL, chown="", mode="", reclaim_policy="", size="", access_mode="",
           storage_class_name="", namespace="", annotation=(), label=()):  # fmt: skip
    entries.check_new_name(name)
    if path and not entries.is_path(path) and (path.startswith("/") or not entries.is_volume(path)):
        raise Failure(f"Invalid path: {path}", "use an absolute path without '..' and ':', or a volume name")
    default = directories.path_of(name) if scheduler == entries.LOCAL else ""
    old = entries.find(name)
    given = {"scheduler": scheduler, "host_path": path, "chown": chown, "mode": mode, "size": size,
             "reclaim_policy": reclaim_policy, "access_mode": access_mode, "storage_class": storage_class_name,
             "namespace": namespace, "annotations": pairs(annotation), "labels": pairs(label)}  # fmt: skip
    entry = {"name": name, "host_path": default, **(old or {}), "schema_version": 1}
    entry.update({field: value for field, value in given.items() if value})
    entries.check(entry)
    if old:
        log.info1_quiet(f"Storage entry {name} already exists, updating it")
    entries.apply(entry)
    _tell("storage-create", entry)
    entries.save(entry)
    log.info1(f"Storage entry {name} created")


def pairs(given):
    found = {}
    for text in given:
        key, equals, value = text.partition("=")
        if not key or not equals or set(text) & set("\r\n"):
            raise Failure(f"Invalid pair: {text}", "write KEY=VALUE")
        found[key] = value
    return found


def _tell(trigger, entry):
    """A scheduler with storage of its own takes part; on this host the directory is all there is."""
    if entry["scheduler"] != entries.LOCAL:
        ask(trigger, entry["name"], must=True, data=entries.json_line(entry))


def destroy(name, *, force=False, destroy_host_dir=False):
    entry = entries.get(name)
    in_use = mounts.users(name)
    if in_use:
        raise Failure(f"Storage entry {name} is still mounted by app(s): {', '.join(in_use)}", "unmount it there first")
    if destroy_host_dir and not entries.is_default_path(entry):
        raise Failure("--destroy-host-dir is only supported when the storage entry uses the default host path")
    confirm.destructive("storage entry", name, force)
    _tell("storage-destroy", entry)
    if entries.is_default_path(entry) and (destroy_host_dir or entry.get("reclaim_policy") == "Delete"):
        directories.remove(name)
    entries.remove(name)
    log.info1(f"Storage entry {name} destroyed")


def set_(name, key="", *value, access_mode="", chown="", mode="", namespace="", reclaim_policy="", size="",
         storage_class_name=""):  # fmt: skip
    old_form = {"access-mode": access_mode, "chown": chown, "mode": mode, "namespace": namespace,
                "reclaim-policy": reclaim_policy, "size": size, "storage-class-name": storage_class_name}  # fmt: skip
    changes = {k: v for k, v in old_form.items() if v}
    if key and changes:
        raise Failure("Give either a key and a value or --key value flags, not both")
    if changes:
        log.warn("flags of storage:set are deprecated, use: dokku storage:set NAME KEY [VALUE]")
    elif not key:
        raise Failure("No property specified", f"one of: {', '.join(sorted(entries.SETTABLE))}")
    entry = entries.get(name)
    for each, text in (changes or {key: " ".join(value)}).items():
        _change(entry, each, text)
    entries.check(entry)
    entries.apply(entry)
    entries.save(entry)
    log.info1(f"Storage entry {name} updated")


def _change(entry, key, value):
    if key not in entries.SETTABLE:
        valid = ", ".join(sorted(entries.SETTABLE))
        raise Failure(f"Invalid property specified, valid properties include: {valid}")
    field = entries.SETTABLE[key]
    if key in entries.FIXED and value != entry.get(field, ""):
        raise Failure(f"cannot change {key} in place", "create another entry, and move the data")
    entry[field] = value


def info(name, *, format="text"):  # noqa: A002 - the flag's name
    check_format(format)
    entries.show(entries.get(name), format)


def list_entries(*, scheduler="", format="text"):  # noqa: A002
    check_format(format)
    found = [entry for entry in entries.all_entries() if scheduler in ("", entry["scheduler"])]
    if format == "json":
        print(entries.json_line(found))
    elif not found:
        log.info1("No storage entries registered")
    else:
        log.info1("Storage entries:")
        for entry in found:
            print(f"{entry['name']}\t{entry['scheduler']}\t{entry.get('host_path', '')}")


def inventory(as_json):
    found = [(entry, mounts.users(entry["name"])) for entry in entries.all_entries()]
    if as_json:
        print(entries.json_line([{"entry": entry, "mounted_by": apps} for entry, apps in found]))
        return
    for entry, apps in found:
        print(f"{entry['name']}\t{entry['scheduler']}\tmounted by: {', '.join(apps)}")


def wait(name):
    entry = entries.get(name)
    path = entry.get("host_path", "")
    if path.startswith("/") and not os.path.isdir(path):
        raise Failure(f"the directory of storage entry {name} does not exist: {path}")


def exec_(name, *command, image="alpine:3", as_user=""):
    entry = entries.get(name)
    if as_user and not as_user.isdigit():
        raise Failure(f"--as-user takes a number, not {as_user}")
    flags = [f"--as-user={as_user}"] if as_user else []
    fire("scheduler-storage-exec", entry["scheduler"], name, image, *flags, "--", *command)


def scheduler_exec(scheduler, name, image, *rest):
    """A throwaway container that has the entry at /data; its exit status is ours."""
    if scheduler != entries.LOCAL:
        return None
    source = entries.get(name)["host_path"]
    if source.startswith("/"):
        wait(name)
    elif not run.works("docker", "volume", "inspect", "--", source):
        raise Failure(f"the volume of storage entry {name} does not exist: {source}")
    at = rest.index("--") if "--" in rest else len(rest)
    flags, command = rest[:at], rest[at + 1 :]
    tty = ["--tty"] if sys.stdin.isatty() else []
    user = [f"--user={flag.partition('=')[2]}" for flag in flags if flag.startswith("--as-user=")]
    mount = f"--volume={source}:/data"
    argv = ("docker", "run", "--rm", "--interactive", *tty, *user, mount, "--workdir=/data", "--", image)
    return run.stream(*argv, *(command or ("sh",)), stdin=0)


def register(plugin):
    table = {"create": create, "destroy": destroy, "set": set_, "info": info, "list-entries": list_entries,
             "wait": wait}  # fmt: skip
    for verb, function in table.items():
        plugin.command(f"storage:{verb}")(function)
    plugin.command("storage:exec")(exec_)
    plugin.trigger("scheduler-storage-exec")(scheduler_exec)
