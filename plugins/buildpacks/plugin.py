#!/usr/bin/python3
"""buildpacks: which buildpacks an app is built with, and on which image (commands-b.md 9)."""

import os

import references

from dokku_min.sdk import GLOBAL, Failure, Plugin, ask, files, fire, log, properties

LIST = "buildpacks"

plugin = Plugin("buildpacks", properties=True)
main = plugin.main


def listed(app):
    return properties.get_list("buildpacks", app, LIST)


@plugin.command("buildpacks:add")
def add(app, buildpack, *, index=0):
    """Insert at the 1-based index; without one, or past the end, append."""
    url = references.url_of(buildpack)
    with properties.editing("buildpacks", app):
        found = listed(app)
        at = _position(index) if index else len(found)
        properties.put_list("buildpacks", app, LIST, [*found[:at], url, *found[at:]])


@plugin.command("buildpacks:set")
def set_(app, *buildpacks, index=0, replace=False):
    if replace and (index or not buildpacks):
        raise Failure("--replace takes the whole list of buildpacks, and no --index")
    if not replace and len(buildpacks) != 1:
        raise Failure("Must specify a buildpack" if not buildpacks else "Only one buildpack can be set without --replace",
                      f"to set all of them: dokku buildpacks:set --replace {app} BUILDPACK...")  # fmt: skip
    urls = [references.url_of(each) for each in buildpacks]
    with properties.editing("buildpacks", app):
        found = listed(app)
        at = _position(index or 1)
        properties.put_list("buildpacks", app, LIST, urls if replace else [*found[:at], *urls, *found[at + 1 :]])


def _position(index):
    if index < 1:
        raise Failure(f"Invalid value {index} for --index flag", "the first buildpack has index 1")
    return index - 1


@plugin.command("buildpacks:remove")
def remove(app, buildpack="", *, index=0):
    if bool(buildpack) == bool(index):
        what = "Please choose either index or buildpack, but not both" if index else "Must specify a buildpack to remove"
        raise Failure(what)
    with properties.editing("buildpacks", app):
        found = listed(app)
        if not found:
            raise Failure(f"No buildpacks were found, nothing to remove from {app}")
        at = _position(index) if index else _place_of(buildpack, found)
        if at >= len(found):
            raise Failure(f"Index {index} is past the end of {app}'s {len(found)} buildpack(s)")
        log.info1(f"Removing {found[at]}")
        properties.put_list("buildpacks", app, LIST, found[:at] + found[at + 1 :])


def _place_of(buildpack, found):
    url = references.url_of(buildpack)
    if url not in found:
        raise Failure(f"Buildpack not found in the list: {buildpack}")
    return found.index(url)


@plugin.command("buildpacks:clear")
def clear(app):
    properties.put_list("buildpacks", app, LIST, [])


@plugin.command("buildpacks:list")
def list_(app):
    log.info1_quiet(f"{app} buildpack urls")
    for url in listed(app):
        log.verbose(url)


@plugin.command("buildpacks:detect")
def detect(app, *, branch=""):
    """What herokuish would build a branch of the app with."""
    import detecting

    return detecting.detect(app, branch)


def _check_stack(_scope, _key, value):
    if value.startswith("-") or any(char.isspace() for char in value):
        raise Failure(f"Invalid stack specified: {value}", "give the name of a builder image")
    return value


def _stack_changed(scope, _key, value):
    fire("post-stack-set", scope, value)


plugin.settable({"stack": "both"}, command="buildpacks:set-property", check=_check_stack, changed=_stack_changed)


@plugin.report(heading="buildpacks", legacy=True)
def rows(scope):
    found = {
        "buildpacks-global-stack": properties.get("buildpacks", GLOBAL, "stack"),
        "buildpacks-computed-stack": properties.effective("buildpacks", scope, "stack"),
    }
    if scope != GLOBAL:
        found["buildpacks-list"] = ",".join(listed(scope))
        found["buildpacks-stack"] = properties.get("buildpacks", scope, "stack")
    return found


@plugin.trigger("buildpack-stack-name")
def stack_name(app):
    return properties.effective("buildpacks", app, "stack") or None


@plugin.trigger("post-extract")
def post_extract(app, directory):
    """The app's list is the `.buildpacks` of the source; else app.json's is; else the source's own, made complete."""
    path = f"{directory}/.buildpacks"
    urls = listed(app) or ([] if ask("git-get-property", app, "source-image") else _from_app_json(app))
    if urls:
        files.write(path, "".join(f"{url}\n" for url in urls), 0o600)
    elif os.path.islink(path):
        raise Failure(".buildpacks of the source is a link", "make it a plain file")
    elif os.path.isfile(path):
        files.write(path, references.rewritten(files.read(path)), 0o600)


def _from_app_json(app):
    text = ask("app-json-get-content", app)
    if '"buildpacks"' not in text:
        return []
    import json

    return [_of_field(app, number, each["url"]) for number, each in enumerate(json.loads(text).get("buildpacks") or [])]


def _of_field(app, number, reference):
    try:
        return references.url_of(reference)
    except Failure as failure:
        field = f"buildpacks[{number}].url"
        line = ask("app-json-line", app, "", field)
        raise Failure(f"app.json line {line}: {field}: {failure.message}", failure.hint) from None


if __name__ == "__main__":
    plugin.run()
