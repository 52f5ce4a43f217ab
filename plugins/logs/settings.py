"""The logs properties: which there are, what they may hold, and what holds for an app (commands-a.md 10)."""

import sinks

from dokku_min.sdk import Failure, names, properties

GLOBAL = names.GLOBAL
DEFAULTS = {"max-size": "10m", "app-label-alias": "com.dokku.app-name", "vector-image": "timberio/vector:0.57.0-debian"}
SINKS = ("vector-sink", "vector-cron-sink")
SHARED = ("app-label-alias", "max-size", *SINKS)
GLOBAL_ONLY = ("vector-image", "vector-networks")
OF_VECTOR_CONFIG = ("app-label-alias", *SINKS)
KEYS = {
    **dict.fromkeys(SHARED, "both"),
    **dict.fromkeys(GLOBAL_ONLY, "both"),
}  # the latter refuse apps in their own words
EXACT_FLAGS = {f"--logs-{where}{key}" for where in ("", "global-") for key in SINKS}
_ALNUM = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


def own(scope, key):
    return properties.get("logs", scope, key)


def effective(scope, key):
    return properties.effective("logs", scope, key, DEFAULTS.get(key, ""))


def rows(scope, redacted):
    found = {}
    for key in SHARED:
        shown = sinks.redacted if redacted and key in SINKS else str
        found[f"logs-global-{key}"] = shown(own(GLOBAL, key))
        found[f"logs-computed-{key}"] = shown(effective(scope, key))
        if scope != GLOBAL:
            found[f"logs-{key}"] = shown(own(scope, key))
    for key in GLOBAL_ONLY:
        found[f"logs-global-{key}"] = own(GLOBAL, key)
        found[f"logs-computed-{key}"] = effective(GLOBAL, key)
    return found


def checked(key, value):
    """The text to store for a value, or a Failure."""
    return _CHECKS[key](value)


def _max_size(value):
    number = value[:-1]
    if value != "unlimited" and not (value[-1] in "kmg" and number.isascii() and number.isdigit() and int(number)):
        raise Failure(f"Invalid max-size: {value}", "use a number and k, m or g, as in 20m, or unlimited")
    return value


def _label(value):
    if value[0] not in _ALNUM or set(value) - _ALNUM - set("_.-"):
        raise Failure(f"Invalid app-label-alias: {value}", "it may hold letters, digits, '_', '.' and '-'")
    return value


def _sink(value):
    sinks.parse(value)
    return value


def _image(value):
    if value.startswith("-") or set(value) - _ALNUM - set("_.-/:@"):
        raise Failure(f"Invalid vector-image: {value}")
    return value


def _networks(value):
    from dokku_min import run

    wanted = value.replace(",", " ").split()
    for name in wanted:
        if name == "bridge" or name[0] not in _ALNUM or set(name) - _ALNUM - set("_.-"):
            raise Failure(f"Invalid network name specified: {name}", "vector is on bridge as long as none is set")
        if not run.works("docker", "network", "inspect", "--", name):
            raise Failure(f"Network {name} does not exist", f"make it with: dokku network:create {name}")
    return ",".join(dict.fromkeys(wanted))


_CHECKS = {"max-size": _max_size, "app-label-alias": _label, "vector-sink": _sink, "vector-cron-sink": _sink,
           "vector-image": _image, "vector-networks": _networks}  # fmt: skip
