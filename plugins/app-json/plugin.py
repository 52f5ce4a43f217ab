#!/usr/bin/python3
"""app-json: what an app's app.json asks for (commands-b.md 8). State: LIB/data/app-json/APP/app.json."""

import manifest

from dokku_min.sdk import Failure, Plugin, ask, files, fire, holds, log, paths, properties, report

POSTDEPLOY_DONE = "heroku.postdeploy"

plugin = Plugin("app-json", properties=True)
main = plugin.main


@plugin.trigger("core-post-extract")
def core_post_extract(app, directory, revision):
    path = manifest.extract(app, directory)
    if path:
        fire("app-json-is-valid", app, path)


@plugin.trigger("app-json-is-valid")
def app_json_is_valid(app, path):
    manifest.validate(path, manifest.wanted(app))


@plugin.trigger("app-json-line")
def app_json_line(app, path, field):
    """For other plugins that judge a part of the file: the line to name. Without a path: of the one being deployed."""
    return str(manifest.line_of(path or manifest.place(app), field))


@plugin.trigger("post-extract")
def post_extract(app, directory, revision):
    """By now the Procfile has been taken over too: a formation must speak of its process types."""
    for process, wanted in (manifest.field(app, "formation") or {}).items():
        if wanted and wanted.get("quantity") and not _is_known(app, process):
            line = manifest.line_of(manifest.place(app), f"formation.{process}")
            raise Failure(f"{manifest.wanted(app)} line {line}: formation.{process} is no process type of the Procfile")


def _is_known(app, process):
    return not holds("procfile-exists", app) or bool(ask("procfile-get-command", app, process, "5000"))


@plugin.trigger("pre-release-builder")
def pre_release_builder(builder, app, image):
    import variables

    variables.apply(app)
    command = _announced(app, "predeploy", manifest.field(app, "scripts", "dokku", "predeploy"))
    if command:
        import tasks

        tasks.predeploy(app, command, image, manifest.wanted(app))


@plugin.trigger("post-release-builder")
def post_release_builder(builder, app, image):
    """Procfile's release task, the formation, and once in an app's life the postdeploy that Heroku knows."""
    command = _announced(app, "release", _release_command(app))
    if command:
        _ephemeral(app, "release", command, image, "Procfile")
    _scale(app)
    if properties.get("app-json", app, POSTDEPLOY_DONE) != "true":
        command = _announced(app, "postdeploy", manifest.field(app, "scripts", "postdeploy"))
        if command:
            _ephemeral(app, "postdeploy", command, image, manifest.wanted(app))
        properties.put("app-json", app, POSTDEPLOY_DONE, "true")  # after it: one that failed is tried again


@plugin.trigger("post-deploy")
def post_deploy(app, port, ip, tag):
    command = _announced(app, "postdeploy", manifest.field(app, "scripts", "dokku", "postdeploy"))
    if command:
        _ephemeral(app, "postdeploy", command, _image(app, tag), manifest.wanted(app))


def _announced(app, phase, command):
    log.info1(f"Checking for {phase} task")
    if not (command or "").strip():
        log.verbose(f"No {phase} task found, skipping")
        return ""
    return command.strip()


def _ephemeral(app, phase, command, image, source):
    import tasks

    tasks.ephemeral(app, phase, command, image, source)


def _release_command(app):
    return ask("procfile-get-command", app, "release", "5000") if holds("procfile-exists", app) else ""


def _image(app, tag):
    repository = ask("deployed-app-image-repo", app) or f"dokku/{app}"
    return f"{ask('deployed-app-repository', app)}{repository}:{ask('deployed-app-image-tag', app) or tag or 'latest'}"


def _scale(app):
    """A formation with quantities is the whole scale, and takes it out of the operator's hands."""
    formation = manifest.field(app, "formation") or {}
    found = {process: wanted["quantity"] for process, wanted in formation.items() if _is_counted(wanted)}
    fire("ps-can-scale", app, "false" if found else "true")
    if found:
        pairs = [f"{process}={quantity}" for process, quantity in found.items()]
        fire("ps-set-scale", app, "true", "true", *pairs)


def _is_counted(wanted):
    return bool(wanted) and wanted.get("quantity") is not None


@plugin.trigger("app-json-get-content")
def app_json_get_content(app, path):
    """Strict JSON, also where the file has comments. With a path: of that file."""
    if path:
        import lenient

        return report.to_json(lenient.parse(files.read(path).strip() or "{}", manifest.wanted(app)))
    return report.to_json(manifest.content(app))


@plugin.trigger("app-json-put")
def app_json_put(app):
    """The app.json of the release that the app goes back to, on stdin; its checks and tasks belong to that version."""
    import sys

    manifest.put(app, sys.stdin.read())


@plugin.trigger("app-json-process-deploy-parallelism")
def parallelism(app, process):
    """How many containers of the type may start at once; nothing: the scheduler's choice."""
    wanted = manifest.field(app, "formation", process, "max_parallel")
    return str(wanted) if wanted else None


@plugin.trigger("core-post-deploy")
def core_post_deploy(app):
    manifest.promote(app)


@plugin.trigger("post-create")
def post_create(app):
    files.make_dir(paths.data_dir("app-json", app))


@plugin.trigger("post-app-clone-setup", "post-app-rename-setup")
def post_app_copy(old, new):
    manifest.copy(old, new)


@plugin.trigger("post-delete")
def post_delete(app):
    manifest.forget(app)


def _relative(scope, key, value):
    path = value.strip("/")
    if not path or ".." in path.split("/"):
        raise Failure(f"Invalid {key}: {value}", "give the path of a file inside the source, as in: deploy/app.json")
    return path


plugin.settable({"appjson-path": "both"}, check=_relative)


@plugin.report(heading="app-json", legacy=True)
def rows(scope):
    own, overall = (properties.get("app-json", name, "appjson-path") for name in (scope, "--global"))
    effective = {"app-json-global-appjson-path": overall, "app-json-computed-appjson-path": manifest.wanted(scope)}
    return effective if scope == "--global" else {"app-json-appjson-path": own, **effective}


if __name__ == "__main__":
    plugin.run()
