"""Attach containers to further networks, under names that other apps can find them by (commands-a.md 11)."""

import settings

from dokku_min.sdk import Failure


def check_all(app):
    """Every network the app is to be on exists, or Failure."""
    import docker_networks

    wanted = [name for key in settings.ATTACH for name in settings.networks(app, key)]
    initial = settings.computed(app, "initial-network")
    if initial and ":" not in initial:
        wanted.append(initial)
    if wanted:
        docker_networks.check(wanted)


def attach(app, cid, proc, networks, aliases, running=False):
    """Connect the container to each network it is not on yet; running=True passes over one that has stopped."""
    if not networks:
        return
    import docker_networks

    docker_networks.check(networks)
    state, hostname, current = _state(cid)
    if running and state != "true":
        return
    for name in networks:
        if name not in current:
            _connect(cid, app, name, alias_flags(app, proc, hostname) if aliases and proc else [])


def alias_flags(app, proc, hostname):
    tld = settings.computed(app, "tld")
    name = f"{app}.{proc}" + (f".{tld}" if tld else "")
    return ["--alias", name, "--alias", f"{hostname}.{name}"]


def _state(cid):
    from dokku_min import run

    form = "{{.State.Running}} {{.Config.Hostname}}{{range $name, $_ := .NetworkSettings.Networks}} {{$name}}{{end}}"
    text = run.capture(f"look at container {cid[:12]}", "docker", "container", "inspect", "--format", form, "--", cid)
    running, hostname, *networks = text.strip("\n").split(" ")
    return running, hostname, networks


def _connect(cid, app, name, flags):
    from dokku_min import run

    status = run.stream("docker", "network", "connect", *flags, name, cid)
    if status:
        raise Failure(f"cannot attach {app} to network {name}: docker exited {status}")
