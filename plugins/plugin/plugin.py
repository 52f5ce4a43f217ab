#!/usr/bin/python3
"""plugin: install, enable, update and remove plugins (commands-b.md 15, plugins.md 1.8)."""

import os
import shutil

from dokku_min import dispatch, run
from dokku_min import plugins as core
from dokku_min.sdk import Failure, Plugin, files, fire, log, names, paths

PLUGN = "0.17.0"  # the plugn release whose listing this is
_SOURCES = ("https:", "git", "ssh:", "file:")
_ARCHIVES = (".tar.gz", ".tgz")

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


@plugin.command("plugin:install")
def install_command(url="", *, committish="", name="", core=False, skip_install_trigger=False):
    """Without a URL: run install hooks again, of all plugins or (--core) of the core ones."""
    if url:
        chosen = install(url, name, committish)
        enable(chosen)
        log.plain(f"Plugin {chosen} enabled")
    if not skip_install_trigger:
        _hooks("install", core)


@plugin.command("plugin:install-dependencies")
def install_dependencies(*, core=False):
    _hooks("dependencies", core)


@plugin.command("plugin:update")
def update_command(name="", committish=""):
    for each in [name] if name else [n for n in installed() if not is_core(n)]:
        update(each, committish)
    fire("update")


@plugin.command("plugin:uninstall")
def uninstall_command(name):
    _check_installed(name)
    if is_core(name):
        raise Failure("Cannot uninstall a core plugin")
    fire("uninstall", name)
    uninstall(name)
    log.plain(f"Plugin {name} uninstalled")


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
        path = f"{paths.available_path()}/{name}"
        info = core.manifest_of(path)["plugin"]
        rows.append(
            {"name": name, "version": info.get("version", ""), "enabled": is_enabled(name), "core": is_core(name),
             "description": info.get("description", ""), "source_url": _git(path, "config", "remote.origin.url"),
             "committish": files.read(f"{path}/.plugin_committish").strip(),
             "branch": _git(path, "rev-parse", "--abbrev-ref", "HEAD")}
        )  # fmt: skip
    return to_json(rows)


def _git(path, *words):
    if not os.path.isdir(f"{path}/.git"):
        return ""
    return run.answer("git", "-C", path, *words, quiet=True)[1].strip()


def installed() -> list[str]:
    try:
        entries = os.listdir(paths.available_path())
    except FileNotFoundError:
        return []
    return sorted((n for n in entries if os.path.isdir(f"{paths.available_path()}/{n}")), key=os.fsencode)


def is_core(name: str) -> bool:
    return "core-plugins" in os.path.realpath(f"{paths.available_path()}/{name}")


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


def install(url: str, name: str = "", committish: str = "") -> str:
    """Fetch a plugin into available/ (not enabled yet) and return its name: all of it, or no trace of it."""
    if not url.startswith(_SOURCES) and not url.endswith(_ARCHIVES):
        raise Failure("Please retry with valid arguments", "give a https, ssh, git or file URL, or a .tar.gz")
    name = name or default_name(url)
    if not names.is_plugin_name(name):
        raise Failure("Invalid plugin name specified", "name it yourself with --name")
    target = f"{paths.available_path()}/{name}"
    if os.path.lexists(target):
        raise Failure(f"Plugin {name} is installed already", f"remove it with: dokku plugin:uninstall {name}")
    fresh = f"{paths.available_path()}/.{name}.new"
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        (_fetch_archive if url.endswith(_ARCHIVES) else _clone)(url, fresh, committish)
        problem = core.manifest_error(fresh)
        if problem:
            raise Failure(f"cannot install {name}: {problem}")
        os.rename(fresh, target)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)
    return name


def default_name(url: str) -> str:
    name = url.rstrip("/").rpartition("/")[2].rpartition(":")[2]
    for ending in (".git", *_ARCHIVES):
        name = name.removesuffix(ending)
    return name.removeprefix("dokku-")


def _clone(url: str, target: str, committish: str) -> None:
    run.check("clone the plugin", "git", "clone", "-q", "--", url, target, env={"GIT_TERMINAL_PROMPT": "0"})
    if committish:
        if committish.startswith("-"):
            raise Failure(f"Invalid committish specified: {committish}")
        run.check(f"check out {committish}", "git", "-C", target, "checkout", "-q", committish, "--")
        files.write(f"{target}/.plugin_committish", committish)


def _fetch_archive(url: str, target: str, committish: str) -> None:
    import tarfile
    import tempfile
    from urllib.request import urlopen

    with tempfile.TemporaryFile() as packed:
        try:
            with urlopen(url, timeout=60) as source:
                shutil.copyfileobj(source, packed)
            packed.seek(0)
            with tarfile.open(fileobj=packed) as archive:
                archive.extractall(target, filter="data")  # refuses absolute names, `..`, devices, outside links
        except (OSError, ValueError, tarfile.TarError) as error:
            raise Failure(f"cannot fetch the plugin: {error}") from None
    inside = os.listdir(target)
    if len(inside) == 1 and os.path.isdir(f"{target}/{inside[0]}"):  # the one directory that archives wrap it in
        os.rename(f"{target}/{inside[0]}", f"{target}.inner")
        os.rmdir(target)
        os.rename(f"{target}.inner", target)


def uninstall(name: str) -> None:
    """Remove it from the disk; the caller has fired `uninstall`."""
    _check_installed(name)
    if is_core(name):
        raise Failure("Cannot uninstall a core plugin")
    files.remove_tree(f"{paths.enabled_path()}/{name}")
    files.remove_tree(f"{paths.available_path()}/{name}")
    dispatch.forget_index()


def update(name: str, committish: str = "") -> None:
    """Pull the plugin's branch, or check out and pin another commit. Pinned ones stay as they are."""
    _check_installed(name)
    path = f"{paths.available_path()}/{name}"
    if is_core(name):
        raise Failure(f"{name} is a core plugin, please update Dokku instead")
    if not os.path.isdir(f"{path}/.git"):
        return print(f"Plugin {name} is not a git checkout, skipping")
    git = ("git", "-C", path)
    if committish:
        if committish.startswith("-"):
            raise Failure(f"Invalid committish specified: {committish}")
        run.check("fetch the plugin", *git, "fetch", "-q", "--all", "--tags")
        run.check(f"check out {committish}", *git, "checkout", "-q", committish, "--")
        files.write(f"{path}/.plugin_committish", committish)
    elif os.path.exists(f"{path}/.plugin_committish"):
        print(f"Plugin {name} is pinned to {files.read(path + '/.plugin_committish')}, skipping")
    else:
        run.check("update the plugin", *git, "pull", "-q", "--ff-only")
    dispatch.forget_index()
    return None


if __name__ == "__main__":
    plugin.run()
