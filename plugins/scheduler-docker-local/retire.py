"""Old containers: their grace period, their end, and the failed ones whose log is still wanted (commands-b.md 1.7).

`dead-containers` holds `APP ID EPOCH` lines: when each may go. A process of its own sees to it at that time; should it
die, the five-minute timer's `ps:retire`, or the next deploy, does.
"""

import os
import sys
import time

import containers

from dokku_min import run
from dokku_min.sdk import ask, directory_lock, dispatch, files, log, paths

FAILED_KEPT = 86400  # seconds that a failed container stays for `logs:failed`, unless a new deploy begins


def base():
    return paths.data_dir("scheduler-docker-local")


def _list_file():
    return f"{base()}/dead-containers"


def _failed_file(app):
    return f"{base()}/{app}/failed-containers"


def stop_timeout(app):
    return ask("ps-get-property", app, "stop-timeout-seconds") or "30"


def entries():
    """(app, container id, epoch) of every container that waits for its end."""
    rows = [line.split() for line in files.read(_list_file()).splitlines()]
    return [(row[0], row[1], int(row[2])) for row in rows if len(row) == 3 and row[2].isdigit()]


def leaving():
    """Ids of containers that wait for their end."""
    return {identity for _, identity, _ in entries()}


def register(app, identities, due):
    """Note that the containers may be removed from the time `due` on (seconds since 1970)."""
    with directory_lock(base()):
        known = entries()
        there = {identity for _, identity, _ in known}
        _write([*known, *((app, identity, due) for identity in identities if identity not in there)])


def _write(rows):
    files.write(_list_file(), "".join(f"{app} {identity} {due}\n" for app, identity, due in rows))


def _forget(identities):
    with directory_lock(base()):
        _write([row for row in entries() if row[1] not in identities])


def others(app, serving, present):
    """Send the app's other containers away: those that run after a grace period, those that do not at once.

    What docker is told of the latter, a process of its own sees to, nobody waits for it.
    """
    known = leaving()
    out = [c for c in present if c.id not in serving]
    containers.remove([c.id for c in out if not c.running and c.id not in known])
    old = [c for c in out if c.running and c.id not in known]
    if not old:
        return
    wait = int(ask("checks-get-property", app, "wait-to-retire") or 60)
    log.info1(f"Shutting down old containers in {wait} seconds")
    for c in old:
        dispatch.trigger("scheduler-register-retired", app, c.id, str(wait))  # the new version serves already
    workers = [c.id for c in old if c.type != "web"]
    run.detach(os.path.abspath(sys.argv[0]), "scheduler-docker-local:retire-later", app, str(wait), *workers)


def begin(app, workers):
    """The grace period begins: docker shall not bring what leaves back, and workers are told to finish (TERM).

    A web container is not told: nginx may still hold requests for it, and an app that ends on TERM would lose them;
    it is stopped when the grace period is over.
    """
    out = [identity for name, identity, _ in entries() if name == app]
    if out:
        run.works("docker", "container", "update", "--restart=no", *out)
    if workers:
        run.works("docker", "container", "kill", "--signal=TERM", *workers)


def due(app=""):
    """Stop and remove what is due, of one app or of all."""
    now = time.time()
    for name, identity, when in entries():
        if when <= now and app in ("", name):
            _end(name, identity)
            _forget([identity])


def _end(app, identity):
    """A stop that docker refuses gets a kill; one that is gone already is fine."""
    if not run.works("docker", "container", "inspect", identity):
        return
    timeout = stop_timeout(app) if os.path.isdir(paths.app_dir(app)) else "30"
    if not run.works("docker", "container", "stop", f"--time={timeout}", identity) and not run.works(
        "docker", "container", "kill", identity
    ):
        dispatch.trigger("retire-container-failed", app, identity)
    run.works("docker", "container", "rm", "--force", identity)


def keep_failed(app, identity, dyno):
    """Stop a container that failed its checks, show what it said, and keep it a while for `logs:failed`."""
    run.works("docker", "container", "update", "--restart=no", identity)
    run.works("docker", "container", "stop", "--time=2", identity)
    log.info2(f"Start of {app} container output ({identity[:12]} {dyno})")
    run.indented("docker", "container", "logs", "--tail=100", identity)
    log.info2(f"End of {app} container output ({identity[:12]} {dyno})")
    files.make_dir(f"{base()}/{app}")
    files.write(_failed_file(app), files.read(_failed_file(app)) + f"{identity} {dyno}\n")
    register(app, [identity], int(time.time()) + FAILED_KEPT)


def failed_ids(app):
    return {line.split()[0] for line in files.read(_failed_file(app)).splitlines() if line.strip()}


def forget_failed(app):
    """A new deploy begins: containers that failed in the last one go, nobody asks for their log any more."""
    old = failed_ids(app)
    containers.remove(sorted(old))
    files.remove(_failed_file(app))
    if old:
        _forget(old)


def forget_app(app):
    """The app is gone."""
    with directory_lock(base()):
        _write([row for row in entries() if row[0] != app])
    files.remove_tree(f"{base()}/{app}")
