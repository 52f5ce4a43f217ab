#!/usr/bin/python3
"""resource: what containers of an app may use, and what is kept for them (commands-a.md 14).

State: properties `<process type>.<limit|reserve>.<key>`, with `_default_` for what every type gets.
"""

import os

from dokku_min.sdk import Failure, Plugin, log, names, properties, words

KEYS = ("cpu", "memory", "memory-swap", "network", "network-ingress", "network-egress", "nvidia-gpu")
DEFAULT = "_default_"
LIMIT_FLAGS = {"cpu": "--cpus", "memory": "--memory", "memory-swap": "--memory-swap", "nvidia-gpu": "--gpus"}
RESERVE_FLAGS = {"memory": "--memory-reservation"}  # the one reservation that docker knows outside of a swarm
BUILD_FLAGS = {"herokuish": tuple(LIMIT_FLAGS), "dockerfile": ("memory", "memory-swap")}
_WORDS = {"limit": ("limits", "limits"), "reserve": ("reservation", "reservation")}

plugin = Plugin("resource", properties=True)
main = plugin.main


@plugin.command("resource:limit")
def limit(app, *, process_type="", cpu="", memory="", memory_swap="", network="", network_ingress="",
          network_egress="", nvidia_gpu=""):  # fmt: skip
    values = (cpu, memory, memory_swap, network, network_ingress, network_egress, nvidia_gpu)
    _set_or_show("limit", app, process_type, dict(zip(KEYS, values, strict=True)))


@plugin.command("resource:reserve")
def reserve(app, *, process_type="", cpu="", memory="", memory_swap="", network="", network_ingress="",
            network_egress="", nvidia_gpu=""):  # fmt: skip
    values = (cpu, memory, memory_swap, network, network_ingress, network_egress, nvidia_gpu)
    _set_or_show("reserve", app, process_type, dict(zip(KEYS, values, strict=True)))


@plugin.command("resource:limit-clear")
def limit_clear(app, *, process_type=""):
    _clear("limit", app, process_type)


@plugin.command("resource:reserve-clear")
def reserve_clear(app, *, process_type=""):
    _clear("reserve", app, process_type)


def _set_or_show(kind, app, process_type, values):
    _check_type(process_type)
    given = {key: value for key, value in values.items() if value}
    if not given:
        return _show(kind, app, process_type)
    for key, value in given.items():
        _check_value(key, value)
    log.info2_quiet(f"Setting resource {_WORDS[kind][0]} for {app}{_named(process_type)}")
    with properties.editing("resource", app):
        for key, value in given.items():
            _store(kind, app, process_type, key, value)
    return None


def _store(kind, app, process_type, key, value):
    name = f"{process_type or DEFAULT}.{kind}.{key}"
    if value == "clear":
        properties.delete("resource", app, name)
        log.verbose(f"{key}: cleared")
    else:
        properties.put("resource", app, name, value)
        log.verbose(f"{key}: {value}")


def _show(kind, app, process_type):
    log.info2_quiet(f"resource {_WORDS[kind][1]} {app} information{_named(process_type) or ' [defaults]'}")
    for key in KEYS:
        log.verbose(f"{key}: {_get(app, process_type or DEFAULT, kind, key)}".rstrip())


def _clear(kind, app, process_type):
    """Without a type everything goes, of all types, limits and reservations alike: scripts rely on it."""
    _check_type(process_type)
    log.info2_quiet(f"clearing {app} {_WORDS[kind][0]}{_named(process_type)}")
    gone = [f"{process_type}.{kind}.{key}" for key in KEYS] if process_type else properties.keys("resource", app)
    for name in gone:
        properties.delete("resource", app, name)


def _named(process_type):
    return f" ({process_type})" if process_type else ""


def _check_type(process_type):
    if process_type and process_type != DEFAULT and not names.is_process_type(process_type):
        raise Failure(f"Invalid process type: {process_type}", "it may hold letters, digits, '_' and '-'")


def _check_value(key, value):
    """Any text that docker may understand, as long as it is one line: the store keeps values verbatim."""
    if set(value) & set("\r\n\0"):
        raise Failure(f"Invalid value for {key}", "write a number with or without a unit, as in 512m")


def _get(app, process_type, kind, key):
    return properties.get("resource", app, f"{process_type}.{kind}.{key}")


@plugin.trigger("resource-get-property")
def get_property(app, process_type, kind, key):
    return _get(app, process_type, kind, key) or _get(app, DEFAULT, kind, key)


@plugin.report(legacy=True, capital=False)
def rows(scope):
    if scope == names.GLOBAL:
        return {}
    return {f"resource-{name}": properties.get("resource", scope, name) for name in properties.keys("resource", scope)}


@plugin.trigger("docker-args-process-deploy")
def args_deploy(app, _builder, _tag, process_type):
    if os.environ.get("DOKKU_OMIT_RESOURCE_ARGS") == "1":
        return None
    limits = {key: get_property(app, process_type, "limit", key) for key in LIMIT_FLAGS}
    kept = {key: get_property(app, process_type, "reserve", key) for key in RESERVE_FLAGS}
    return _flags(limits, LIMIT_FLAGS) + _flags(kept, RESERVE_FLAGS)


@plugin.trigger("docker-args-process-build")
def args_build(app, builder):
    """Limits of the pseudo process type `build`; a build inherits no defaults, and reserves nothing."""
    if os.environ.get("DOKKU_OMIT_RESOURCE_ARGS") == "1":
        return None
    keys = BUILD_FLAGS.get(builder, ())
    return _flags({key: _get(app, "build", "limit", key) for key in keys}, LIMIT_FLAGS)


def _flags(values, flags):
    """Docker's flags, each with a blank before it, as the callers of docker-args-* join what they get."""
    return "".join(" " + words.quote(f"{flags[key]}={_with_unit(key, values[key])}") for key in values if values[key])


def _with_unit(key, value):
    return f"{value}m" if key == "memory" and value[-1].isdigit() else value


if __name__ == "__main__":
    plugin.run()
