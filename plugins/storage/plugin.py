#!/usr/bin/python3
"""storage: directories and volumes that outlive an app's containers (commands-a.md 13)."""

import directories
import entries
import metadata
import migration
import mounts
import registry

from dokku_min.sdk import Failure, Plugin, apps, log, names, properties, report

plugin = Plugin("storage", properties=True)
main = plugin.main
registry.register(plugin)
metadata.register(plugin)


@plugin.command("storage:mount")
def mount(app, mount="", *, container_dir="", phase=(), process_type="", volume_subpath="", volume_readonly=False,
          volume_options="", volume_chown=""):  # fmt: skip
    """HOST:CONTAINER[:OPTIONS], or the name of an entry and where to put it."""
    named = {"container_path": container_dir, "phases": list(phase), "process_type": process_type,
             "subpath": volume_subpath, "readonly": volume_readonly, "volume_options": volume_options,
             "volume_chown": volume_chown}  # fmt: skip
    if ":" not in mount and entries.find(mount) is None and (not container_dir or not directories.is_name(mount)):
        mounts.parse(mount)  # neither form: it says so
    if ":" in mount:
        if any(named.values()):
            raise Failure("flags go with a storage entry's name, not with HOST:CONTAINER")
        return mount_path(app, mount)
    return mount_entry(app, entries.get(mount), named)


def mount_path(app, text):
    source, target, readonly, options = mounts.parse(text)
    entry = entries.legacy(source)
    new = {"entry_name": entry["name"], "container_path": target, "phases": list(mounts.PHASES),
           "readonly": readonly, "volume_options": options}  # fmt: skip
    with properties.editing("storage", app):
        found = mounts.read(app)
        if any(mounts.same_place(old, new) for old in found):
            raise Failure("Mount path already exists.", f"see what is mounted: dokku storage:list {app}")
        mounts.warn_of_others(app, new, found)
        if entries.find(entry["name"]) is None:
            entries.save(entry)
        mounts.write(app, [*found, new])


def mount_entry(app, entry, new):
    if not new["container_path"]:
        raise Failure("--container-dir is required with a storage entry", "as in: --container-dir /app/files")
    mounts.check_container_dir(new["container_path"])
    _check_flags(entry, new)
    readonly, options = mounts.parse_options(new["volume_options"])
    new = {**new, "entry_name": entry["name"], "readonly": new["readonly"] or readonly, "volume_options": options,
           "phases": sorted(set(new["phases"])) or list(mounts.PHASES)}  # fmt: skip
    with properties.editing("storage", app):
        found = mounts.read(app)
        kept = [old for old in found if not mounts.same_place(old, new)]
        mounts.warn_of_others(app, new, kept)
        mounts.write(app, [*kept, new])
    if new["volume_chown"]:
        directories.change_owner(entry["name"], new["volume_chown"])
    if len(kept) < len(found):
        log.info1(f"Storage entry {entry['name']} updated at {new['container_path']} on {app}")
    else:
        log.info1(f"Storage entry {entry['name']} mounted at {new['container_path']} on {app}")


def _check_flags(entry, new):
    for phase in new["phases"]:
        if phase not in mounts.PHASES:
            raise Failure(f"Invalid phase: {phase}", "use deploy or run")
    if new["process_type"] and not names.is_process_type(new["process_type"]):
        raise Failure(f"Invalid process type: {new['process_type']}")
    sub = new["subpath"]
    if sub and (not entries.is_path(f"/{sub.lstrip('/')}") or not entry.get("host_path", "").startswith("/")):
        raise Failure(f"Invalid subpath: {sub}", "it is a path below the entry's directory, without '..'")
    if new["volume_chown"]:
        directories.owner_id(new["volume_chown"])
        if not entries.is_default_path(entry):
            raise Failure("--volume-chown is only supported when the storage entry uses the default host path")


@plugin.command("storage:unmount")
def unmount(app, mount="", *, container_dir=""):
    if ":" in mount:
        source, target, _, _ = mounts.parse(mount)
        name, missing = entries.legacy(source)["name"], "Mount path does not exist."
    else:
        name, target, missing = mount, container_dir, f"Storage entry {mount} is not mounted on {app}"
        if not directories.is_name(name):
            mounts.parse(mount)
    with properties.editing("storage", app):
        found = mounts.read(app)
        gone = _chosen(app, found, name, target)
        if not gone:
            raise Failure(missing, f"see what is mounted: dokku storage:list {app}")
        mounts.write(app, [old for old in found if old not in gone])


def _chosen(app, found, name, target):
    gone = [a for a in found if a["entry_name"] == name and target in ("", a["container_path"])]
    places = sorted({a["container_path"] for a in gone})
    if len(places) > 1:
        raise Failure(
            f"Storage entry {name} is mounted more than once on {app}",
            f"say which one with --container-dir: {', '.join(places)}",
        )
    return gone


@plugin.command("storage:list")
def list_(app, *, format="text"):  # noqa: A002 - the flag's name
    registry.check_format(format)
    print_list(app, "deploy", format)


def print_list(app, phase, form):
    pairs = mounts.resolved(app, phase)
    if form == "json":
        print(report.to_json([mounts.as_json(*pair) for pair in pairs]))
        return
    log.info1_quiet(f"{app} volume bind-mounts:")
    for pair in pairs:
        log.plain(mounts.shown(*pair)) if log.quiet() else log.verbose(mounts.shown(*pair))


@plugin.command("storage:ensure-directory")
def ensure_directory(directory, *, chown="herokuish"):
    log.warn("storage:ensure-directory is deprecated, use storage:create")
    if not directories.is_name(directory):
        raise Failure(f"Directory can only contain letters, digits, '_' and '-': {directory}")
    directories.owner_id(chown)
    log.info1(f"Ensuring {directories.path_of(directory)} exists")
    directories.ensure(directory)
    directories.change_owner(directory, chown)
    log.verbose("Directory ready for mounting")


@plugin.command("storage:migrate")
def migrate(app="", *, all=False):  # noqa: A002
    if bool(app) == all:
        raise Failure("Please specify an app to run the command on", "or --all")
    for each in apps.visible() if all else [app]:
        migration.migrate(each)


@plugin.report(legacy=True)
def rows(scope):
    return mounts.rows(scope)


_report_of_apps = plugin.commands["storage:report"][0]


def storage_report(*argv):
    """--global asks for something else than every other report: the inventory of entries."""
    if names.GLOBAL not in argv:
        return _report_of_apps(*argv)
    rest = [word for word in argv if word not in (names.GLOBAL, "--quiet")]
    if rest not in ([], ["--format", "stdout"], ["--format", "json"]):
        raise Failure("storage:report --global takes --format stdout|json and nothing else")
    return registry.inventory("json" in rest)


plugin.commands["storage:report"] = (storage_report, None, None)


@plugin.trigger("docker-args-deploy")
def args_deploy(app, _tag, process_type):
    return mounts.arguments(app, "deploy", process_type if names.is_process_type(process_type) else "")


@plugin.trigger("docker-args-run")
def args_run(app):
    return mounts.arguments(app, "run")


@plugin.trigger("storage-list")
def storage_list(app, phase="", form=""):
    log.warn("the trigger storage-list is deprecated, use storage-app-mounts")
    pairs = mounts.resolved(app, phase or "deploy")
    if form == "json":
        return report.to_json([mounts.as_json(*pair) for pair in pairs])
    return "\n".join(mounts.shown(*pair) for pair in pairs)


@plugin.trigger("storage-app-mounts")
def app_mounts(app, phase=""):
    return report.to_json([{"entry": entry, "attachment": each} for entry, each in mounts.resolved(app, phase)])


@plugin.trigger("install")
def install():
    directories.install()


if __name__ == "__main__":
    plugin.run()
