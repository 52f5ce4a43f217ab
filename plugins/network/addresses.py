"""Where an app's containers listen. State: ROOT/APP/{CONTAINER,IP,PORT}.PROC.N, of which only live containers count."""

import os

import settings

from dokku_min.sdk import Failure, files, names, paths

DEFAULT_PORT = "5000"
LOOPBACK = "127.0.0.1"
# id, running, app, network mode, then name=address of each network: all that is asked about a container, at one go
_FORMAT = (
    '{{.Id}} {{.State.Running}} {{or (index .Config.Labels "com.dokku.app-name") "-"}} {{.HostConfig.NetworkMode}}'
    "{{range $name, $net := .NetworkSettings.Networks}} {{$name}}={{$net.IPAddress}}{{end}}"
)


def _entries(app, kind):
    """(process type, number, path) of the KIND.PROC.N files of the app, in order."""
    found = []
    for name in os.listdir(paths.app_dir(app)):
        parts = name.split(".")
        if len(parts) == 3 and parts[0] == kind and parts[2].isdigit():
            found.append((parts[1], int(parts[2]), f"{paths.app_dir(app)}/{name}"))
    return sorted(found)


def recorded(app, proc=""):
    """Ids of the containers that serve the app, or one process type of it: id -> (process type, number)."""
    entries = [entry for entry in _entries(app, "CONTAINER") if proc in ("", entry[0])]
    return {files.read(path).strip(): (kind, number) for kind, number, path in entries if files.read(path).strip()}


def live(app, proc=""):
    """(process type, number, address) of those of them that run: one call of docker, whatever the number."""
    wanted = recorded(app, proc)
    found = []
    for cid, running, owner, mode, networks in _inspect(list(wanted)):
        if running == "true" and owner == app and cid in wanted:
            found.append((*wanted[cid], _address(app, mode, networks)))
    return sorted(found)


def _inspect(ids):
    if not ids:
        return []
    from dokku_min import run

    _, text = run.answer("docker", "container", "inspect", "--format", _FORMAT, *ids, quiet=True)
    rows = [line.split(" ") for line in text.splitlines() if line]
    return [(*row[:4], dict(word.partition("=")[::2] for word in row[4:])) for row in rows]


def _address(app, mode, networks):
    """On the initial network; else on the one the container was made for; else on any."""
    if mode == "host":
        return LOOPBACK
    made_for = "bridge" if mode == "default" else mode
    for name in (settings.computed(app, "initial-network") or "bridge", made_for, *networks):
        if networks.get(name):
            return networks[name]
    return ""


def static_listener(app, proc):
    return settings.computed(app, "static-web-listener") if proc == "web" else ""


def listeners(app, proc):
    """ip:port of every place where the process type can be reached now."""
    fixed = static_listener(app, proc)
    if fixed:
        return [fixed]
    return [f"{ip}:{_port(app, proc, number)}" for _, number, ip in live(app, proc) if ip]


def _port(app, proc, number):
    return files.read(f"{paths.app_dir(app)}/PORT.{proc}.{number}").strip() or DEFAULT_PORT


def of_container(app, proc, cid):
    """The address of one container, also of one that no file names yet."""
    fixed = static_listener(app, proc)
    if fixed:
        return fixed.rpartition(":")[0]
    if not cid or set(cid) - set("0123456789abcdef"):
        raise Failure(f"not a container id: {cid}")
    found = _inspect([cid])
    if not found:
        raise Failure(f"container {cid[:12]} of {app} does not exist")
    return _address(app, found[0][3], found[0][4])


def write(app, kind, proc, number, value):
    """Write KIND.PROC.N, without a newline at its end (commands-a.md 1.12)."""
    if not names.is_process_type(proc) or not number.isdigit():
        raise Failure(f"not a process of {app}: {proc}.{number}")
    files.write(f"{paths.app_dir(app)}/{kind}.{proc}.{number}", value, mode=0o644)


def write_ips(app):
    for proc, number, ip in live(app):
        if ip:
            write(app, "IP", proc, str(number), ip)


def clear(app, kind):
    for _, _, path in _entries(app, kind):
        files.remove(path)


def config_exists(app):
    if static_listener(app, "web"):
        return True
    return all(os.path.isfile(f"{paths.app_dir(app)}/{kind}.web.1") for kind in ("IP", "PORT"))
