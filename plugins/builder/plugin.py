#!/usr/bin/python3
"""builder: which builder an app is built with, and from which directory of its source (commands-b.md 4)."""

import os

from dokku_min.sdk import Failure, Plugin, ask, files, log, names, properties

GLOBAL = names.GLOBAL
DEFAULTS = {"selected": "", "build-dir": "", "skip-cleanup": "false"}

plugin = Plugin("builder", properties=True)
main = plugin.main


@plugin.report(legacy=True)
def rows(scope):
    found = {} if scope == GLOBAL else {"builder-detected": properties.get("builder", scope, "detected")}
    for key, default in DEFAULTS.items():
        if scope != GLOBAL:
            found[f"builder-{key}"] = properties.get("builder", scope, key)
        found[f"builder-global-{key}"] = properties.get("builder", GLOBAL, key)
        found[f"builder-computed-{key}"] = properties.effective("builder", scope, key, default)
    return found


@plugin.command("builder:set")
def set_(scope, key="", *value):
    if key == "detected":
        log.warn("detected is found out at every build and cannot be set")
        return
    setter(scope, key, *value)


def check(scope, key, value):
    if key == "selected" and not names.is_plugin_name(value):
        raise Failure(f"not the name of a builder: {value}", "for example dockerfile, herokuish or pack")
    if key == "build-dir":
        return relative(value)
    if key == "skip-cleanup" and value not in ("true", "false"):
        raise Failure(f"{key} takes true or false, not {value}")
    return value


def relative(path):
    """A path below the source's root, without dots in it."""
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") and len(parts) == 0:
        return ""
    if ".." in parts:
        raise Failure(f"build-dir must be a directory of the source, not {path}")
    return "/".join(parts)


plugin.settable(dict.fromkeys(DEFAULTS, "both"), command="builder:set-checked", check=check)
setter = plugin.commands.pop("builder:set-checked")[0]


@plugin.trigger("builder-detect")
def builder_detect(app, _directory):
    return properties.effective("builder", app, "selected") or None


@plugin.trigger("core-post-extract")
def core_post_extract(app, directory):
    """The chosen directory becomes the root of the source; a .git above it stays."""
    chosen = properties.effective("builder", app, "build-dir")
    if not chosen:
        return
    source = os.path.realpath(f"{directory}/{chosen}")
    if not os.path.isdir(source) or not source.startswith(os.path.realpath(directory) + "/"):
        raise Failure(
            f"Specified build-dir not found in sourcecode working directory: {chosen}",
            f"set another one with: dokku builder:set {app} build-dir DIRECTORY",
        )
    aside = f"{directory}.build-dir"
    os.rename(source, aside)
    for name in os.listdir(directory):
        if name != ".git" or os.path.lexists(f"{aside}/.git"):
            files.remove_tree(f"{directory}/{name}")
    for name in os.listdir(aside):
        os.rename(f"{aside}/{name}", f"{directory}/{name}")
    os.rmdir(aside)


@plugin.trigger("builder-get-property")
def builder_get_property(app, key):
    return properties.effective("builder", app, key, DEFAULTS.get(key, ""))


@plugin.trigger("builder-set-property")
def builder_set_property(app, key, value):
    if value:
        properties.put("builder", app, key, value)
    else:
        properties.delete("builder", app, key)


@plugin.trigger("builder-image-is-cnb")
def builder_image_is_cnb(_app, image):
    return str(is_cnb(facts(image))).lower()


@plugin.trigger("builder-image-is-herokuish")
def builder_image_is_herokuish(app, image):
    config = facts(image)
    user = ask("config-get", app, "DOKKU_APP_USER") or "herokuishuser"
    return str(is_cnb(config) or f"USER={user}" in (config.get("Env") or [])).lower()


def is_cnb(config):
    """Their lifecycle leaves its notes in a label; the stack's is no longer in every image."""
    labels = config.get("Labels") or {}
    return bool(labels.get("io.buildpacks.stack.id") or labels.get("io.buildpacks.lifecycle.metadata"))


def facts(image):
    """The configuration of an image; nothing when there is no such image."""
    import json

    from dokku_min import run

    status, text = run.answer("docker", "image", "inspect", "--format={{json .Config}}", "--", image, quiet=True)
    return json.loads(text) if status == 0 else {}


@plugin.trigger("post-deploy")
def post_deploy(app):
    """Images of builds that failed have no name any more; docker may take its time with them, nobody waits."""
    if properties.effective("builder", app, "skip-cleanup") != "true":
        from dokku_min import run

        run.detach("docker", "image", "prune", "--force", f"--filter=label=com.dokku.app-name={app}")


@plugin.trigger("post-delete")
def post_delete(app):
    """Every image of the app goes, those of its releases too. A second call finds none."""
    from dokku_min import run

    listed = run.answer("docker", "image", "ls", "--quiet", f"--filter=label=com.dokku.app-name={app}", quiet=True)[1]
    tagged = run.answer("docker", "image", "ls", "--format={{.Repository}}:{{.Tag}}", f"dokku/{app}", quiet=True)[1]
    names_ = [name for name in tagged.split() if not name.endswith(":<none>")]
    if names_:
        run.answer("docker", "image", "rm", "--force", *names_, quiet=True)
    if listed.split():
        run.answer("docker", "image", "rm", "--force", *dict.fromkeys(listed.split()), quiet=True)


if __name__ == "__main__":
    plugin.run()
