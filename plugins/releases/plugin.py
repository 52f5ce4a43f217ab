#!/usr/bin/python3
"""releases: every deploy makes a release, the current one is what runs, and an older one can be run again.

Serves release-and-deploy and deploy, the two ways to a new release (commands-b.md 1.5, steps 8 to 17); the app's
scheduler brings the containers to it.
"""

import os

import records

from dokku_min import dispatch, run
from dokku_min.recording import build_record
from dokku_min.sdk import Failure, Plugin, app_lock, ask, check, fire, fire_old, holds, log, paths, properties, words

# what built the image, as docker's template: one made of Cloud Native Buildpacks is started their way whoever labelled it
BUILDER = (
    '{{with .Config.Labels}}{{if index . "io.buildpacks.lifecycle.metadata"}}pack'
    '{{else}}{{with index . "com.dokku.builder-type"}}{{.}}{{end}}{{end}}{{end}}'
)

plugin = Plugin("releases")
main = plugin.main


def tagged(app, tag=""):
    """The app's image by name: what the registry or another plugin says it is called, else dokku/APP:latest."""
    repository = ask("deployed-app-repository", app)
    name = ask("deployed-app-image-repo", app) or f"dokku/{app}"
    return f"{repository}{name}:{ask('deployed-app-image-tag', app) or tag or 'latest'}"


def image_facts(name):
    """(image id, builder type, vendor) of an image; one that only a registry has by now is pulled."""
    vendor = '{{with .Config.Labels}}{{with index . "org.opencontainers.image.vendor"}}{{.}}{{end}}{{end}}'
    form = "\t".join(("{{.Id}}", BUILDER, vendor))
    inspect = ("docker", "image", "inspect", "--format", form, "--", name)
    status, answer = run.answer(*inspect, quiet=True)
    if status and not name.endswith(":latest") and run.works("docker", "image", "pull", "--", name):
        status, answer = run.answer(*inspect, quiet=True)
    if status:
        raise Failure(f"App image ({name}) not found", "push the app, or rebuild it with: dokku ps:rebuild APP")
    identity, builder, vendor = answer.rstrip("\n").split("\t")
    return identity, builder or "dockerfile", vendor


@plugin.trigger("release-and-deploy")
def release_and_deploy(app, tag="", source=""):
    """Make a release of the image that was built last, and bring the app to it."""
    run.preload()
    with app_lock(app), build_record(app, source or "unknown"):
        log.info1(f"Releasing {app}...")
        image = f"dokku/{app}:{tag or 'latest'}"  # what was built; a registry's name for it comes with its push
        _, builder, _ = image_facts(image)
        kind = {"herokuish": "buildpack"}.get(builder, builder)  # as old hooks are called
        fire_old(f"pre-release-{kind}", "pre-release-builder", app, tag or "latest")
        fire("pre-release-builder", builder, app, image)
        fire("builder-release", builder, app, tag or "latest")
        fire("post-release-builder", builder, app, image)
        fire_old("pre-deploy", "pre-release-builder", app, tag or "latest")
        if ask("ps-get-property", app, "skip-deploy") == "true":
            return log.info1("Skipping deployment")
        return _deploy(app, tag, source or "unknown")


@plugin.trigger("deploy")
def deploy(app, tag="", types="", source=""):
    """New containers of the current image; types (comma list) limits which. Scaling keeps those that may stay."""
    run.preload()
    with app_lock(app), build_record(app, source or "deploy"):
        _deploy(app, tag, source or "deploy", types)


def _deploy(app, tag, source, types=""):
    before = records.current(app) or {}
    log.info1(f"Deploying {app} via the {scheduler(app)} scheduler...")
    record = make_record(app, tag, source, before)
    record["generation"] = _generation(record, before, types, keep=source == "ps:scale")
    launch(app, record, tag, types)


def _generation(record, before, types, keep):
    """Which types get fresh containers although nothing about them has changed."""
    number = before.get("number", 0) + 1
    chosen = types.split(",") if types else list(record["formation"])
    old = before.get("generation", {})
    return {name: old.get(name, 0) if keep or name not in chosen else number for name in record["formation"]}


def make_record(app, tag, source, before):
    """Gather what the new release is made of."""
    import json

    image, builder, vendor = image_facts(tagged(app, tag))
    formation = _formation(app)
    ports = ask("ports-get", app).split()
    port = next((each.split(":")[2] for each in ports if not each.startswith("udp:")), "5000")
    return {
        **_about(source), "image": image, "image_vendor": vendor, "builder": builder, "ports": ports, "formation": formation,
        "procfile": dispatch.capture("procfile-get", app)[1], "app_json": ask("app-json-get-content", app),
        "revision": ask("git-revision", app) or before.get("revision", ""),
        "config": json.loads(ask("config-export", app, "false", "true", "json") or "{}"),
        "commands": {name: words.split(ask("ps-process-command", app, name, builder, port)) for name in formation},
        "docker_options": _docker_options(app, tag or "latest", builder, formation),
    }  # fmt: skip


def _about(source):
    import time

    return {"source": source, "created_at": int(time.time()), "user": os.environ.get("SSH_NAME", "")}


def _formation(app):
    """{type: count}, without the types that the Procfile no longer has."""
    pairs = (line.partition("=") for line in ask("ps-current-scale", app).splitlines())
    scale = {name: int(count) for name, _, count in pairs}
    if holds("procfile-exists", app):
        for name in [n for n, count in scale.items() if count and not holds("procfile-get-command", app, n, "5000")]:
            log.warn(f"Skipping {name} as it is missing from the current Procfile")
            del scale[name]
    return {name: count for name, count in scale.items() if count}


def _docker_options(app, tag, builder, formation):
    """{dyno: flags} as the plugins want them, asked once per container as the contract says (plugins.md 2, Deploy)."""
    found = {}
    for name, count in formation.items():
        for index in map(str, range(1, count + 1)):
            flags = ask("docker-args-deploy", app, tag, name, index, must=True)
            flags += " " + ask("docker-args-process-deploy", app, builder, tag, name, index, must=True)
            found[f"{name}.{index}"] = words.split(flags)
    return found


def scheduler(app):
    return ask("scheduler-detect", app)


def launch(app, record, tag="", types=""):
    """Write the record and have the scheduler bring the app to it; what fails leaves the release before in force."""
    number = records.add(app, record)
    keeping = _keep_image(app, number, record["image"])
    os.environ["DOKKU_RELEASE"] = str(number)
    try:
        fire("scheduler-deploy", scheduler(app), app, tag or "latest", types)
    except Failure:
        keeping.wait()
        records.discard(app, number)
        run.works("docker", "image", "rm", "--no-prune", f"dokku/{app}:v{number}")
        raise
    finally:
        del os.environ["DOKKU_RELEASE"]
    keeping.wait()
    if records.current_number(app) != number:  # a scheduler that knows no releases, nor fires core-post-deploy
        records.activate(app, number)
        properties.put("common", app, "deployed", "true")
    _forget_old(app)
    log.info2("Application deployed:")
    for url in ask("domains-urls", app, "urls").splitlines():
        log.verbose(url)
    print()


def _keep_image(app, number, image):
    """A tag of its own keeps the image from being pruned for as long as one may go back to the release.

    Returns docker's process: the deploy need not wait for it.
    """
    from subprocess import DEVNULL

    tag = ("docker", "image", "tag", image, f"dokku/{app}:v{number}")
    return run.start(*tag, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)


def _forget_old(app):
    for number in records.past_keeping(app):
        run.works("docker", "image", "rm", f"dokku/{app}:v{number}")
        records.discard(app, number)


@plugin.trigger("release-activate")
def release_activate(app, number):
    """The scheduler has all containers of the release healthy: from here on it is what the app runs."""
    records.activate(app, int(number))


@plugin.trigger("release-current")
def release_current(app):
    """The record that is in force, as JSON; nothing before the first deploy."""
    return records.text(app, records.current_number(app)) or None


@plugin.trigger("release-target")
def release_target(app):
    """The record to bring the app to: the one being deployed by our caller, else the current one."""
    number = os.environ.get("DOKKU_RELEASE", "")
    return records.text(app, number) if number else release_current(app)


@plugin.trigger("release-retag")
def release_retag(app):
    """A deploy failed after its build: the app's image name means the current release again."""
    record = records.current(app)
    name = f"dokku/{app}:latest"
    if record:
        run.works("docker", "image", "tag", record["image"], name)
    else:
        run.works("docker", "image", "rm", name)


@plugin.command("releases", "releases:list")
def list_(app, *, format=""):  # noqa: A002
    import time

    serving = records.current_number(app)
    found = [records.load(app, number) for number in reversed(records.numbers(app)) if number <= serving]
    if format == "json":
        from dokku_min.report import to_json

        shown = ("number", "image", "revision", "source", "created_at", "user", "formation")
        return print(to_json([{key: each[key] for key in shown} for each in found]))
    log.info2_quiet(f"{app} releases")
    rows = [["Release", "Created", "By", "Source", "Revision"]]
    for each in found:
        mark = "v{}{}".format(each["number"], " (current)" if each["number"] == serving else "")
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(each["created_at"]))
        rows.append([mark, when, each["user"], each["source"], each["revision"][:12]])
    print(log.columns(rows))
    return None


@plugin.command("releases:info")
def info(app, number="", *, show_config=False):
    """One release; values of its config only when asked for, they may be secrets."""
    record = records.load(app, _number(number) if number else records.current_number(app))
    if not show_config:
        record["config"] = sorted(record["config"])
    import json

    print(json.dumps(record, indent=2, sort_keys=True))


def _number(word):
    digits = word.removeprefix("v")
    if not digits.isascii() or not digits.isdigit():
        raise Failure(f"{word} is not a release number", "write it as in `dokku releases APP`: v3")
    return int(digits)


@plugin.command("releases:rollback")
def rollback(app, number=""):
    """Run an older release again: its image, config, formation and options, as a new release."""
    run.preload()
    with app_lock(app):
        serving = records.current_number(app)
        chosen = _number(number) if number else serving - 1
        if chosen >= serving:
            raise Failure(f"v{chosen} is not older than v{serving}, which serves", f"see `dokku releases {app}`")
        old = records.load(app, chosen)
        log.info1(f"Rolling {app} back to v{chosen}")
        before = _settings(app)
        again = {**old, **_about(f"rollback to v{chosen}")}
        del again["number"]
        again["generation"] = dict.fromkeys(old["formation"], serving + 1)
        try:
            _apply(app, old)
            run.works("docker", "image", "tag", old["image"], f"dokku/{app}:latest")
            launch(app, again)
        except BaseException:
            _apply(app, before)
            release_retag(app)
            raise


def _settings(app):
    """What a rollback changes beside the containers, as a record has it: to be put back should it come to nothing."""
    import json

    pairs = (line.partition("=") for line in ask("ps-current-scale", app).splitlines())
    return {
        "config": json.loads(ask("config-export", app, "false", "false", "json") or "{}"),
        "procfile": dispatch.capture("procfile-get", app)[1],
        "app_json": dispatch.capture("app-json-get-content", app)[1],
        "formation": {name: int(count) for name, _, count in pairs},
    }


def _apply(app, record):
    _restore_config(app, record["config"])
    dispatch.capture("procfile-put", app, data=os.fsencode(record["procfile"]))
    dispatch.capture("app-json-put", app, data=os.fsencode(record.get("app_json", "")))
    fire("ps-set-scale", app, "true", "true", *(f"{name}={count}" for name, count in record["formation"].items()))


def _restore_config(app, wanted):
    """The app's own variables become those of the release; global ones stay the operator's."""
    import json

    shared = json.loads(ask("config-export", "--global", "true", "false", "json") or "{}")
    own = json.loads(ask("config-export", app, "false", "false", "json") or "{}")
    gone = [key for key in own if key not in wanted]
    changed = [f"{key}={value}" for key, value in wanted.items() if own.get(key, shared.get(key)) != value]
    if changed:
        check("config:set", "--no-restart", app, *changed)
    if gone:
        check("config:unset", "--no-restart", app, *gone)


@plugin.trigger("post-delete")
def post_delete(app):
    from dokku_min.sdk import files

    files.remove_tree(paths.data_dir("releases", app))


if __name__ == "__main__":
    plugin.run()
