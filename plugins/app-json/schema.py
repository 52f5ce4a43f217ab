"""What app.json may say (commands-b.md 8): a table of fields and the kind each must be. Unknown fields are ignored."""

from dokku_min import names

_DAY = 86400

class Wrong(Exception):
    """The field at path is not what it must be."""

    def __init__(self, path: str, what: str):
        super().__init__(f"{path} {what}")
        self.path, self.what = path, what


def text(path, value):
    if not isinstance(value, str):
        raise Wrong(path, f"must be a string, not {_kind(value)}")


def filled(path, value):
    text(path, value)
    if not value.strip():
        raise Wrong(path, "must not be empty")


def plain(path, value):
    """A string that fits into one environment variable or command line."""
    text(path, value)
    if "\0" in value:
        raise Wrong(path, "must not hold a NUL character")


def command(path, value):
    filled(path, value)
    plain(path, value)


def boolean(path, value):
    if not isinstance(value, bool):
        raise Wrong(path, f"must be true or false, not {_kind(value)}")


def seconds(path, value):
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _DAY:
        raise Wrong(path, f"must be a number of seconds, not {_kind(value)}")


def whole(low):
    def check(path, value):
        if isinstance(value, bool) or not isinstance(value, int) or value < low:
            raise Wrong(path, f"must be a whole number, {low} or more, not {_kind(value)}")

    return check


def port(path, value):
    whole(1)(path, value)
    if value > 65535:
        raise Wrong(path, f"must be a port, 65535 at most, not {_kind(value)}")


def one_of(*allowed):
    def check(path, value):
        if value not in allowed:
            raise Wrong(path, f"must be one of {', '.join(allowed)}, not {_kind(value)}")

    return check


def scheme(path, value):
    text(path, value)
    if value.lower() not in ("http", "https"):
        raise Wrong(path, f"must be http or https, not {_kind(value)}")


def list_of(check):
    def check_list(path, value):
        if not isinstance(value, list):
            raise Wrong(path, f"must be a list, not {_kind(value)}")
        for at, item in enumerate(value):
            check(f"{path}[{at}]", item)

    return check_list


def fields(needs=(), **known):
    """An object: every known field that is there (null is as good as absent) is checked, the required ones must be."""

    def check(path, value):
        if not isinstance(value, dict):
            raise Wrong(path, f"must be an object, not {_kind(value)}")
        for name in needs:
            if value.get(name) is None:
                raise Wrong(_join(path, name), "is missing")
        for name, field in known.items():
            if value.get(name) is not None:
                field(_join(path, name), value[name])

    return check


def each(name_ok, what, check):
    """An object whose names are the user's own."""

    def check_each(path, value):
        if not isinstance(value, dict):
            raise Wrong(path, f"must be an object, not {_kind(value)}")
        for name, item in value.items():
            if not name_ok(name):
                raise Wrong(_join(path, name), f"is not a valid {what}")
            if item is not None:
                check(_join(path, name), item)

    return check_each


def env_var(path, value):
    if isinstance(value, dict):
        return _ENV_VAR(path, value)
    if not isinstance(value, str):
        raise Wrong(path, f"must be a string or an object, not {_kind(value)}")
    return plain(path, value)


def anything(path, value):
    """Whatever it is, it is not ours to judge."""


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _kind(value: object) -> str:
    import json

    if isinstance(value, dict):
        return "an object"
    if isinstance(value, list):
        return "a list"
    shown = json.dumps(value, ensure_ascii=False)
    return shown if len(shown) <= 40 else f"{shown[:40]}..."


_ENV_VAR = fields(
    description=text, value=plain, required=boolean, generator=one_of("secret"), sync=boolean,
)  # fmt: skip

_PROBE_FIELDS = fields(
    type=one_of("startup", "liveness", "readiness"), name=text, path=filled, port=port, scheme=scheme,
    timeout=seconds, attempts=whole(1), wait=seconds, initialDelay=seconds, uptime=seconds, content=text,
    command=list_of(plain), httpHeaders=list_of(fields(needs=("name",), name=filled, value=text)),
    listening=boolean, warn=boolean, onFailure=fields(command=list_of(plain), url=text),
)  # fmt: skip


def probe(path, value):
    """A check looks at one thing; a startup check, which a deploy waits for, must."""
    _PROBE_FIELDS(path, value)
    kinds = [name for name in ("path", "command", "uptime", "listening") if value.get(name)]
    if len(kinds) > 1:
        raise Wrong(path, f"has {' and '.join(kinds)}, it may have one of them only")
    if not kinds and value.get("type") == "startup":
        raise Wrong(path, "has none of path, command, uptime and listening")


_SCALING = fields(
    min_quantity=whole(0), max_quantity=whole(0), cooldown_period_seconds=whole(0), polling_interval_seconds=whole(0),
    triggers=list_of(fields(name=text, type=text, metadata=anything)),
)  # fmt: skip

_FORMATION = fields(
    quantity=whole(0), max_parallel=whole(1), service=fields(exposed=boolean), autoscaling=_SCALING,
)  # fmt: skip

_SCRIPTS = fields(
    postdeploy=plain, dokku=fields(predeploy=plain, postdeploy=plain),
)  # fmt: skip

_CRON = fields(
    needs=("command", "schedule"), command=command, schedule=filled, maintenance=boolean,
    concurrency_policy=one_of("allow", "forbid", "replace"),
)  # fmt: skip

_APP = fields(
    buildpacks=list_of(fields(needs=("url",), url=filled)),
    cron=list_of(_CRON),
    env=each(names.is_env_key, "variable name", env_var),
    formation=each(names.is_process_type, "process type", _FORMATION),
    healthchecks=each(names.is_process_type, "process type", list_of(probe)),
    scripts=_SCRIPTS,
)


def check(value: object) -> None:
    """Raise Wrong for the first field that is not what it must be."""
    _APP("", value)
