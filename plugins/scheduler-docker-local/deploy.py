"""Bring an app's containers to a release, and do it again from wherever it was interrupted (architecture.md 4).

The order makes it safe to be killed anywhere: new containers come up and are checked beside the old ones; only when all
of them are healthy are they put on record and the release activated; then the proxy is switched; only then do the old
ones get their grace period. What a killed deploy leaves behind is on no record, and is retired by the next one.
"""

import os
import time

import client_env
import containers
import retire

from dokku_min import run
from dokku_min.sdk import Failure, ask, dispatch, fire, forked, log, properties


def target(app):
    """The release record to come to; None before the first deploy."""
    import json

    text = ask("release-target", app)
    return json.loads(text) if text else None


def deploy(app, tag):
    """Everything the release wants runs and is healthy, the proxy points at it, and the rest is on its way out."""
    record = target(app)
    if record is None:
        raise Failure(f"App {app} has not been deployed", f"push to it, or run: dokku ps:rebuild {app}")
    slots = containers.wanted(app, record)
    present = containers.of_app(app)
    kept = _kept(slots, present)
    missing = [slot for slot in slots if slot.dyno not in kept]
    if _stop_before_start(app, {slot.type for slot in missing}, present, kept):
        present = containers.of_app(app)
    started = _bring_up(app, missing)
    commit(app, tag, record, {**kept, **started}, present)


def _kept(slots, present):
    """{dyno: container id} of slots that a running container serves already."""
    leaving = retire.leaving()  # told to end already, so of no use any more
    running = {c.spec: c.id for c in present if c.running and c.spec and c.id not in leaving}
    return {slot.dyno: running[slot.spec] for slot in slots if slot.spec in running}


def _stop_before_start(app, types, present, kept):
    """Types whose checks are disabled trade zero downtime for never running twice (commands-a.md 9.1). Were there any?"""
    names = [name for name in types if _checks(app, name) == "disabled"]
    old = [c.id for c in present if c.type in names and c.running and c.id not in kept.values()]
    if old:
        log.verbose(f"zero downtime is disabled for {', '.join(sorted(names))}: stopping the old containers first")
        run.works("docker", "container", "update", "--restart=no", *old)
        run.works("docker", "container", "stop", f"--time={retire.stop_timeout(app)}", *old)
    return bool(old)


_check_lists: dict = {}  # asked once: this process serves one app


def _checks(app, process_type):
    """`disabled`, `skipped` or nothing."""
    for state in ("disabled", "skipped"):
        if state not in _check_lists:
            _check_lists[state] = ask("checks-get-property", app, state).split(",")
        listed = _check_lists[state]
        if "_all_" in listed or process_type in listed:
            return state
    return ""


def _bring_up(app, slots):
    """Start a container for every slot and have it checked; {dyno: id}, or none of them is left."""
    started = {}
    try:
        for name, group in _by_type(slots):
            log.info1(f"Deploying {name} (count={len(group)})")
            _warn_of_published_ports(app, group)
        for batch in _batches(app, slots):
            for slot in batch:
                started[slot.dyno] = _start(slot)
            _check(app, batch, started)
    except BaseException:
        _discard(app, started)
        raise
    return started


def _warn_of_published_ports(app, slots):
    """A port of the host is one container's, and a new one comes up beside the old."""
    if not any(flag == "--publish" or flag.startswith(("-p", "--publish=")) for flag in slots[0].flags):
        return
    if slots[-1].index > 1:
        log.warn("Deploys may fail when publishing ports and scaling to multiple containers")
    elif _checks(app, slots[0].type) != "disabled":
        log.warn("Deploys may fail when publishing ports and enabling zero downtime")
        log.warn(f"a new container has the port only once the old one is gone: dokku checks:disable {app} {slots[0].type}")


def _by_type(slots):
    types = list(dict.fromkeys(slot.type for slot in slots))
    return [(name, [slot for slot in slots if slot.type == name]) for name in types]


def _batches(app, slots):
    """All at once, but where parallel-schedule-count limits how many types start together (web, the first, alone)."""
    groups = _by_type(slots)
    chosen = properties.effective("scheduler-docker-local", app, "parallel-schedule-count")
    if not chosen:
        return _rounds(app, groups)
    first, others, size = groups[:1], groups[1:], int(chosen)
    parts = [first, *(others[at : at + size] for at in range(0, len(others), size))]
    return [batch for part in parts for batch in _rounds(app, part)]


def _rounds(app, groups):
    """The containers of some types, where app.json's max_parallel may limit how many of a type start together."""
    rounds: dict[int, list] = {}
    for name, group in groups:
        limit = ask("app-json-process-deploy-parallelism", app, name)
        size = int(limit) if limit.isdigit() and int(limit) > 0 else len(group)
        for number, slot in enumerate(group):
            rounds.setdefault(number // size, []).append(slot)
    return [rounds[number] for number in sorted(rounds)]


def _start(slot):
    app = slot.app
    name = f"{app}.{slot.dyno}.upcoming-{os.getpid()}{time.monotonic_ns() % 10**6}"
    published = _published(app, slot)
    argv = containers.create_argv(slot, name, _uses_init(app, slot), published)
    env = client_env.harmless(slot.record["config"])
    identity = run.capture(f"create {slot.dyno} of {app}", *argv, env=env).strip()
    try:
        fire("post-container-create", "app", identity, app, "deploy", slot.type)
        run.answer("docker", "container", "start", identity)  # docker says why not; the checks, whether it is up
    except BaseException:
        containers.remove([identity])
        raise
    return identity


def _uses_init(app, slot):
    """docker's own PID 1, but for images that bring s6 (commands-b.md 17)."""
    chosen = properties.effective("scheduler-docker-local", app, "init-process")
    if chosen:
        return chosen != "false"
    return slot.record.get("image_vendor") != "linuxserver.io"


def _published(app, slot):
    if slot.type != "web" or ask("network-get-property", app, "bind-all-interfaces") != "true":
        return []
    maps = [each.split(":") for each in slot.record["ports"]]
    return sorted({each[2] for each in maps if len(each) == 3})


def _check(app, batch, started):
    """Check all containers of a batch at the same time; the first message of each that fails is its own."""
    pids = {}
    for slot in batch:
        state = _checks(app, slot.type)
        if state == "disabled":
            continue
        if state == "skipped":
            log.info2(f"Zero downtime checks have been skipped ({slot.dyno})")
            continue
        log.verbose(f"Attempting pre-flight checks ({slot.dyno})")
        pids[forked(lambda slot=slot: _check_one(app, slot, started[slot.dyno]))] = slot
    failed = []
    for _ in range(len(pids)):
        pid, status = os.wait()
        if os.waitstatus_to_exitcode(status):
            failed.append(pids[pid])
    for slot in sorted(failed, key=lambda slot: slot.dyno):
        retire.keep_failed(app, started[slot.dyno], slot.dyno)
    if failed:
        names = ", ".join(sorted(slot.dyno for slot in failed))
        before = ", the version before still serves" if containers.live_ids(app) else ""
        raise Failure(
            f"{app} was not deployed: {names} failed the checks{before}",
            f"see what it said with: dokku logs:failed {app}",
        )


def _check_one(app, slot, identity):
    address = ask("network-get-ipaddr", app, slot.type, identity)
    status = dispatch.trigger("check-deploy", app, identity, slot.type, slot.port or "5000", address, str(slot.index))
    if status == 0:
        log.verbose(f"All checks successful ({slot.dyno})")
    return status


def _discard(app, started):
    """This deploy came to nothing: what it started goes, but for failed containers, whose log is still wanted."""
    kept = retire.failed_ids(app)
    containers.remove([identity for identity in started.values() if identity not in kept])


def commit(app, tag, record, serving, present):
    """Put the healthy containers on record, switch the proxy to them, and retire all others of the app.

    serving is {dyno: container id}; present are the app's containers from before any of them was made.
    """
    ports = {slot.dyno: slot.port for slot in containers.wanted(app, record)}
    addresses = _addresses(list(serving.values()))
    containers.write_live(app, {d: (i, addresses.get(i, ""), ports.get(d, "")) for d, i in serving.items()})
    fire("release-activate", app, str(record["number"]))
    for name in dict.fromkeys(dyno.rpartition(".")[0] for dyno in serving):
        fire("scheduler-post-deploy-process", app, name)
    web = serving.get("web.1", "")
    port, address = (ports.get("web.1", ""), addresses.get(web, "")) if web else ("", "")
    log.verbose("Renaming containers")
    renaming = forked(lambda: _rename(app, serving, present))  # while the proxy waits for nginx
    fire("core-post-deploy", app, port, address, tag)
    if dispatch.wait(renaming):
        raise Failure("", status=1)
    try:
        fire("post-deploy", app, port, address, tag)
    finally:
        retire.others(app, set(serving.values()), present)


def _addresses(identities):
    if not identities:
        return {}
    form = "{{.Id}} {{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}"
    answer = run.answer("docker", "container", "inspect", "--format", form, *identities, quiet=True)[1]
    rows = [line.split() for line in answer.splitlines()]
    return {row[0]: row[1] if len(row) > 1 else "127.0.0.1" for row in rows}


def _rename(app, serving, present):
    """Live containers are called APP.TYPE.N; one that has the name and is on its way out gets the time behind it."""
    names = {c.name: c for c in present}
    for dyno, identity in serving.items():
        name = f"{app}.{dyno}"
        holder = names.get(name)
        if holder is not None and holder.id == identity:
            continue
        if holder is not None:
            run.works("docker", "container", "rename", holder.id, f"{name}.{int(time.time() * 1000)}")
        run.check(f"rename {dyno} of {app}", "docker", "container", "rename", identity, name)


def restore(app):
    """After a boot: start what the current release wants and is stopped, make what is gone, and point the proxy at it.

    There is no older version to protect, so a container that fails its check is reported and left to its restart policy.
    """
    record = target(app)
    if record is None:
        return
    slots = containers.wanted(app, record)
    present = containers.of_app(app)
    leaving = retire.leaving()
    by_spec = {c.spec: c for c in sorted(present, key=lambda c: c.running) if c.spec and c.id not in leaving}
    serving, woken = {}, []
    for slot in slots:
        found = by_spec.get(slot.spec)
        if found is None or not (found.running or run.works("docker", "container", "start", found.id)):
            serving[slot.dyno] = _start(slot)
            woken.append(slot)
            continue
        serving[slot.dyno] = found.id
        if not found.running:
            woken.append(slot)
    failed = [slot.dyno for slot in woken if _checks(app, slot.type) == "" and _check_one(app, slot, serving[slot.dyno])]
    commit(app, "latest", record, serving, present)
    if failed:
        raise Failure(f"{app}: {', '.join(failed)} failed the checks", f"see what it said with: dokku logs {app}")
