#!/usr/bin/python3
"""plugin: install, enable, update and remove plugins (commands-b.md 15, plugins.md 1.8)."""

import os

import sources

from dokku_min import dispatch
from dokku_min import plugins as core
from dokku_min.sdk import Failure, Plugin, directory_lock, files, fire, log, names, paths

PLUGN = "0.17.0"  # the plugn release whose listing this is

plugin = Plugin("plugin")
main = plugin.main


@plugin.command("plugin:list")
def list_(*, format="stdout"):  # noqa: A002 - the flag's name
    if format not in ("stdout", "json"):
        raise Failure(f"Invalid output format specified: {format}", "use stdout or json")
    print(_as_json() if format == "json" else listing())


@plugin.command("plugin:enable")
def enable_command(name):
    enable(name)
    log.plain(f"Plugin {name} enabled")


@plugin.command("plugin:disable")
def disable_command(name):
    disable(name)
    log.plain(f"Plugin {name} disabled")


@plugin.command("plugin:installed")
def installed_command(name):
    return 0 if name in installed() else 1


@plugin.command("plugin:trigger", options_first=True)
def trigger_command(name, *arguments):
    return dispatch.trigger(name, *arguments)


@plugin.command("trigger", options_first=True)
def trigger(name, *arguments, explain=False):
    """plugin:trigger under a shorter name; with --explain, say what would run and run nothing."""
    if not explain and "--explain" not in arguments:
        return dispatch.trigger(name, *arguments)
    rows = []
    for owner, by_program in dispatch.index().handlers(name):
        path = f"{owner.path}/{owner.program if by_program else name}"
        skipped = "" if os.access(path, os.X_OK) else ", skipped: not executable"
        rows.append([owner.name, path, _language(path) + (", warm" if owner.warm and by_program else "") + skipped])
    print(log.columns(rows) if rows else f"No plugin has the trigger {name}")
    return 0


def _language(path):
    """What runs the file: the last word of its first line, or its kind."""
    with open(path, "rb") as file:
        start = file.readline(200)
    if start.startswith(b"\x7fELF"):
        return "binary"
    words = os.fsdecode(start).split() if start.startswith(b"#!") else ["bash"]
    return os.path.basename(words[-1]).removeprefix("#!")


@plugin.command("plugin:new")
def new(name, *, lang="bash", dir=""):  # noqa: A002 - the flag's name
    import authoring

    authoring.create(name, lang, dir)


@plugin.command("plugin:test")
def test(directory, *, format="stdout", record=False, journal=""):  # noqa: A002
    """Conformance, without installing it. journal: a file of --trace-plugins, whose calls are recorded."""
    if format not in ("stdout", "json"):
        raise Failure(f"Invalid output format specified: {format}", "use stdout or json")
    import conformance

    report = conformance.test(directory, record or bool(journal), journal)
    conformance.show(report, directory, format)
    return 1 if report.failed() else 0


@plugin.command("plugin:install")
def install_command(url="", *, committish="", name="", core=False, skip_install_trigger=False):
    """Without a URL: run install hooks again, of all plugins or (--core) of the core ones."""
    if url:
        install(url, name, committish)
    if not skip_install_trigger:
        _hooks("install", core)
        sources.own_all()  # what the hooks have built is the dokku user's too


def install(url, name, committish):
    sources.check_url(url)
    name = name or sources.default_name(url)
    if not names.is_plugin_name(name):
        raise Failure("Invalid plugin name specified", "name it yourself with --name")
    with directory_lock(paths.data_dir("plugin")):  # two installs of one name: the second finds it installed
        if os.path.lexists(sources.path_of(name)):
            _check_same(name, url)
            log.plain(f"Plugin {name} is already installed from {url}")
            if committish:
                update(name, committish)
        else:
            log.plain(f"Cloning plugin repo {url} to {sources.path_of(name)}")
            sources.fetch(url, name, committish)
    if not is_enabled(name):
        enable(name)
        log.plain(f"Plugin {name} enabled")


def _check_same(name, url):
    if is_core(name):
        raise Failure(f"Plugin {name} is a core plugin", "install yours under another name: --name")
    if sources.origin(name) != url:
        came = f"from {sources.origin(name)}" if sources.origin(name) else "not from git"
        raise Failure(f"Plugin {name} is already installed, {came}", f"remove it with: dokku plugin:uninstall {name}")


@plugin.command("plugin:install-dependencies")
def install_dependencies(*, core=False):
    _hooks("dependencies", core)


@plugin.command("plugin:update")
def update_command(name="", committish=""):
    failed = [] if name else _update_all()
    if name:
        update(name, committish)
    _hooks("update", False)
    return 1 if failed else 0


def _update_all():
    """Of what is not ours; a source that is gone does not keep the others from theirs. Returns the names that failed."""
    failed = []
    for name in installed():
        try:
            if not is_core(name):
                update(name)
        except Failure as failure:
            log.warn(str(failure))
            failed.append(name)
    return failed


def update(name, committish=""):
    if not names.is_plugin_name(name):
        raise Failure("Invalid plugin name specified", "plugin names hold letters, digits, _ and -")
    if not os.path.isdir(sources.path_of(name)):
        raise Failure("Specified plugin not enabled or installed", "see `dokku plugin:list`")
    if is_core(name):
        raise Failure(f"{name} is a core plugin, please update Dokku instead")
    sources.update(name, committish)
    dispatch.forget_index()


@plugin.command("plugin:uninstall")
def uninstall_command(name):
    if not names.is_plugin_name(name) or not os.path.isdir(sources.path_of(name)):
        raise Failure(f"Plugin ({name}) is not currently installed", "see `dokku plugin:list`")
    if is_core(name):
        raise Failure("Cannot uninstall a core plugin")
    fire("uninstall", name)
    for base in (paths.enabled_path(), paths.available_path()):
        files.remove_tree(f"{base}/{name}")
    dispatch.forget_index()
    log.plain(f"Plugin {name} uninstalled")


@plugin.trigger("install", "update")
def re_own():
    """Every plugin belongs to the dokku user, whoever has put or built it there (plugins.md 1.1)."""
    sources.own_all()


def _hooks(trigger, only_core):
    """Run the trigger's hooks; the one that fails is named, so that it can be disabled."""
    for owner, by_program in dispatch.index().handlers(trigger):
        if only_core and not owner.core:
            continue
        if by_program:
            status = dispatch.run_program(owner, [trigger])
        else:
            status = dispatch.spawn([f"{owner.path}/{trigger}"])
        if status:
            advice = "" if owner.core else f"mend it, or disable it with: dokku plugin:disable {owner.name}"
            raise Failure(f"the {trigger} hook of plugin {owner.name} failed", advice)


def _as_json():
    from dokku_min.report import to_json

    rows = []
    for name in installed():
        info = core.manifest_of(sources.path_of(name))["plugin"]
        rows.append(
            {"name": name, "version": info.get("version", ""), "enabled": is_enabled(name), "core": is_core(name),
             "description": info.get("description", ""), "source_url": sources.shown_origin(name),
             "committish": sources.pinned_to(name), "branch": sources.git_says(name, "rev-parse", "--abbrev-ref", "HEAD")}
        )  # fmt: skip
    return to_json(rows)


def installed() -> list[str]:
    try:
        entries = os.listdir(paths.available_path())
    except FileNotFoundError:
        return []
    return sorted((n for n in entries if names.is_plugin_name(n) and os.path.isdir(sources.path_of(n))), key=os.fsencode)


def is_core(name: str) -> bool:
    return "core-plugins" in os.path.realpath(sources.path_of(name))


def is_enabled(name: str) -> bool:
    return os.path.exists(f"{paths.enabled_path()}/{name}")


def listing() -> str:
    """plugins.md 1.8: a first line `plugn: VERSION`, then name, version, state and description in columns."""
    lines = [f"plugn: {PLUGN}"]
    for name in installed():
        info = core.manifest_of(f"{paths.available_path()}/{name}")["plugin"]
        state = "enabled" if is_enabled(name) else "disabled"
        version, text = info.get("version", ""), info.get("description", "")
        lines.append(f"  {name:<20} {version:<5} {state:<10} {text}".rstrip())
    return "\n".join(lines)


def enable(name: str) -> None:
    """Link it into enabled/; no hook is fired."""
    _check_installed(name)
    if is_enabled(name):
        raise Failure("Plugin already enabled")
    files.remove_tree(f"{paths.enabled_path()}/{name}")  # a dangling link of an earlier plugin of that name
    core.enable(name)
    dispatch.forget_index()


def disable(name: str) -> None:
    _check_installed(name)
    if is_core(name):
        raise Failure("Cannot disable a core plugin")
    if not is_enabled(name):
        raise Failure("Plugin already disabled")
    os.unlink(f"{paths.enabled_path()}/{name}")
    dispatch.forget_index()


def _check_installed(name: str) -> None:
    if not names.is_plugin_name(name):
        raise Failure("Invalid plugin name specified", "plugin names hold letters, digits, _ and -")
    if not os.path.isdir(f"{paths.available_path()}/{name}"):
        raise Failure("Plugin does not exist", "see `dokku plugin:list`")


if __name__ == "__main__":
    plugin.run()
