"""The network properties: which there are, what they may hold, and what holds for an app (commands-a.md 11)."""

from dokku_min.sdk import Failure, names, properties

GLOBAL = names.GLOBAL
ATTACH = ("attach-post-create", "attach-post-deploy")
SHARED = ("attach-post-create", "attach-post-deploy", "bind-all-interfaces", "initial-network", "tld")
KEYS = {**dict.fromkeys(SHARED, "both"), "static-web-listener": "app"}
_DEFAULTS = {"bind-all-interfaces": "false"}
_ALNUM = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


def is_name(name):
    """What docker takes for the name of a network, so also nothing that reads as a flag."""
    return bool(name) and name[0] in _ALNUM and not set(name) - _ALNUM - set("_.-") and len(name) <= 128


def check_name(name):
    if not name:
        raise Failure("No network name specified")
    if not is_name(name):
        raise Failure(f"Invalid network name: {name}", "it may hold letters, digits, '_', '.' and '-'")


def check_format(form):
    if form not in ("text", "json"):
        raise Failure(f"Invalid format specified: {form}", "use text or json")


def computed(app, key):
    if key == "static-web-listener":
        return properties.get("network", app, key)
    return properties.effective("network", app, key, _DEFAULTS.get(key, ""))


def networks(app, key):
    return [name for name in computed(app, key).split(",") if name]


def network_flag(app):
    """What the docker-args triggers add for the initial network."""
    name = computed(app, "initial-network")
    return f" --network={name}" if name else None


def rows(scope):
    import addresses

    found = {}
    for key in SHARED:
        found[f"network-global-{key}"] = properties.get("network", GLOBAL, key)
        found[f"network-computed-{key}"] = computed(scope, key)
        if scope != GLOBAL:
            found[f"network-{key}"] = properties.get("network", scope, key)
    if scope != GLOBAL:
        found["network-static-web-listener"] = computed(scope, "static-web-listener")
        found["network-web-listeners"] = lambda: " ".join(addresses.listeners(scope, "web"))
    return found


def checked(scope, key, value):
    """The text to store for a value, or a Failure."""
    if key in ATTACH:
        return _attachable(scope, key, value)
    return _CHECKS[key](value)


def _attachable(scope, key, value):
    wanted = value.replace(",", " ").split()
    other = ATTACH[1 - ATTACH.index(key)]
    taken = properties.get("network", scope, other).split(",")
    for name in wanted:
        if not is_name(name) or name in ("host", "bridge", "none"):
            raise Failure(f"Invalid network name specified for attach: {name}", "name a network of your own")
        if name in taken:
            raise Failure(f"Network name already associated with this app: {name}", f"it is in {other}")
    return ",".join(dict.fromkeys(wanted))


def _initial(value):
    kind, colon, name = value.partition(":")
    if not (is_name(name) and kind == "container" if colon else is_name(value)):
        raise Failure(f"Invalid network name: {value}", "see which there are: dokku network:list")
    return value


def _true_or_false(value):
    if value not in ("true", "false"):
        raise Failure(f"Invalid value for bind-all-interfaces: {value}", "use true or false")
    return value


def _tld(value):
    if not all(part and not set(part) - _ALNUM - {"-"} and part.strip("-") == part for part in value.split(".")):
        raise Failure(f"Invalid tld: {value}", "it may hold letters, digits and '-', in parts divided by '.'")
    return value


def _listener(value):
    """ADDRESS:PORT. It goes into the proxy's configuration, so it must be nothing else."""
    import ipaddress

    host, _, port = value.rpartition(":")
    try:
        ipaddress.ip_address(host.removeprefix("[").removesuffix("]") if host.startswith("[") else host)
        valid = port.isascii() and port.isdigit() and 0 < int(port) < 65536
        valid = valid and (":" not in host or (host.startswith("[") and host.endswith("]")))
    except ValueError:
        valid = False
    if not valid:
        raise Failure(f"Invalid static-web-listener: {value}", "write it as an address and a port: 127.0.0.1:8080")
    return value


_CHECKS = {"initial-network": _initial, "bind-all-interfaces": _true_or_false, "tld": _tld,
           "static-web-listener": _listener}  # fmt: skip
