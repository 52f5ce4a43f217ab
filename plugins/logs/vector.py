"""vector, the log shipper: its configuration out of the apps' sinks, and its container (commands-a.md 10)."""

import os
import time

import settings
import sinks

from dokku_min import run
from dokku_min.sdk import Failure, directory_lock, files, log, names, paths, report

CONTAINER = "vector-vector-1"  # the name a compose project `vector` gives it, which people look for
LABEL = "com.dokku.app-name"
_CONFIG_DIR = "/etc/vector"
_CRON = '.label."com.dokku.container-type" == "cron"'


def config_path():
    return f"{paths.data_dir('logs')}/vector.json"


def write_config(without=""):
    with directory_lock(paths.data_dir("logs")):
        files.write(config_path(), report.to_json(config(without)) + "\n")


def rewrite_config(without=""):
    """After apps have come or gone; a server that never used vector has no configuration to keep up."""
    if os.path.isfile(config_path()):
        write_config(without)


def config(without=""):
    """The whole configuration: a source and a sink for each app that has one, and one for all others' logs."""
    found: dict = {"sources": {}, "transforms": {}, "sinks": {}}
    for app in names.all_apps():
        own, cron = settings.own(app, "vector-sink"), settings.effective(app, "vector-cron-sink")
        if app != without and (own or cron):
            _add_app(found, app, own, cron)
    shared = settings.own(names.GLOBAL, "vector-sink")
    if shared:
        found["sources"]["docker-global-source"] = _source(LABEL)
        found["sinks"]["docker-global-sink"] = {**sinks.parse(shared), "inputs": ["docker-global-source"]}
    if not found["sinks"]:
        found["sources"]["docker-null-source"] = _source(LABEL)
        found["sinks"]["docker-null-sink"] = {"type": "blackhole", "inputs": ["docker-null-source"]}
    return {part: entries for part, entries in found.items() if entries}


def _source(label):
    return {"type": "docker_logs", "include_labels": [label]}


def _add_app(found, app, own, cron):
    name = app.replace(".", "-")  # a dot would name an output of the component
    source = f"docker-source:{name}"
    found["sources"][source] = _source(f"{LABEL}={app}")
    rest = source
    if cron:
        router, remap = f"docker-router:{name}", f"docker-cron-remap:{name}"
        found["transforms"][router] = {"type": "route", "inputs": [source], "route": {"cron": _CRON}}
        told = '.cron_id = .label."com.dokku.cron-id"'
        found["transforms"][remap] = {"type": "remap", "inputs": [f"{router}.cron"], "source": told}
        found["sinks"][f"docker-cron-sink:{name}"] = {**sinks.parse(cron), "inputs": [remap]}
        rest = f"{router}._unmatched"
    if own:
        found["sinks"][f"docker-sink:{name}"] = {**sinks.parse(own), "inputs": [rest]}


def start(image):
    write_config()
    _remove()
    log.info1("Starting vector container")
    networks = [name for name in settings.own(names.GLOBAL, "vector-networks").split(",") if name]
    mounts = ("--volume=/var/run/docker.sock:/var/run/docker.sock:ro", f"--volume={paths.data_dir('logs')}:{_CONFIG_DIR}:ro",
              f"--volume={os.environ['DOKKU_LOGS_HOST_DIR']}:/var/log/dokku")  # fmt: skip
    flags = (f"--name={CONTAINER}", "--restart=unless-stopped", "--label=com.dokku.vector=true",
             *(f"--network={name}" for name in networks[:1]))  # fmt: skip
    settled = ("--config", f"{_CONFIG_DIR}/vector.json", "--watch-config")
    run.capture("create the vector container", "docker", "container", "create", *flags, *mounts, "--", image, *settled)
    for name in networks[1:]:
        run.check(f"attach vector to {name}", "docker", "network", "connect", name, CONTAINER)
    run.capture("start the vector container", "docker", "container", "start", CONTAINER)
    _wait()
    log.verbose("Vector container is running")


def _wait():
    """It must still run after ten seconds: one with a bad configuration ends and is started over and over."""
    for _ in range(10):
        time.sleep(1)
        if _state() != "running":
            run.indented("docker", "container", "logs", "--tail=20", CONTAINER)
            raise Failure("Vector container is not running", "see what it said: dokku logs:vector-logs")


def _state():
    form = "{{.State.Status}}"
    return run.answer("docker", "container", "inspect", "--format", form, CONTAINER, quiet=True)[1].strip()


def stop():
    log.info1("Stopping and removing vector container")
    _remove()


def _remove():
    for name in (CONTAINER, "vector"):
        run.works("docker", "container", "rm", "--force", name)


def show_logs(num, tail):
    state = _state()
    if not state:
        raise Failure("Vector container does not exist", "start it with: dokku logs:vector-start")
    if state != "running":
        log.warn("Vector container is not running")
    follow = ("--follow",) if tail else ()
    return run.indented("docker", "container", "logs", f"--tail={num}", *follow, CONTAINER)
