"""Docker options of an app: kept as sorted lists `<scope>.<phase>`, one option a line (commands-a.md 12).

A scope is `_default_` or a process type. A line is an option as a shell would read it back: never evaluated, only split.
"""

from dokku_min.sdk import Failure, names, properties, words

PLUGIN = "docker-options"
DEFAULT = "_default_"
PHASES = ("build", "deploy", "run")
# docker build has neither links nor mounts; the builders whose build runs in a container have no Dockerfile
_BUILT_BY_DOCKER = ("dockerfile", "nixpacks", "railpack")
_DROPPED = {**dict.fromkeys(_BUILT_BY_DOCKER, ("--link", "-v", "--volume")), "herokuish": ("--file", "--build-args")}


def phases_of(text):
    """The phases of a comma list."""
    found = text.split(",")
    for phase in found:
        if phase not in PHASES:
            raise Failure(f"Phase(s) must be one of [{' '.join(PHASES)}]", f"not: {phase}" if phase else "")
    return found


def grouped(tokens, purpose):
    """Options out of the words of a command line: each begins with a word that begins with a dash."""
    if not tokens:
        raise Failure(f"Please specify docker options to {purpose} the phase")
    groups = []
    for token in tokens:
        if token.startswith("-") and len(token) > 1:
            groups.append([])
        if not groups:
            raise Failure(f"a docker option starts with a dash: {token}", "as in: -v /host/path:/container/path")
        if set(token) & set("\r\n\0"):
            raise Failure("a docker option must be one line")
        groups[-1].append(token)
    return groups


def check_process(name):
    if name == DEFAULT or not names.is_process_type(name):
        raise Failure(f"Invalid process type: {name}", "it may hold letters, digits, '_' and '-'")


def stored(app, scope, phase):
    return properties.get_list(PLUGIN, app, f"{scope}.{phase}")


def add(app, scope, phase, groups):
    with properties.editing(PLUGIN, app):
        found = [*stored(app, scope, phase), *map(words.join, groups)]
        properties.put_list(PLUGIN, app, f"{scope}.{phase}", sorted(found))


def remove(app, scope, phase, groups):
    """Take out every copy of the options, however they are quoted."""
    with properties.editing(PLUGIN, app):
        kept = [line for line in stored(app, scope, phase) if line.startswith("#") or words.split(line) not in groups]
        properties.put_list(PLUGIN, app, f"{scope}.{phase}", kept)


def clear(app, scope, phase):
    properties.delete(PLUGIN, app, f"{scope}.{phase}")


def processes(app):
    """Process types that have deploy options of their own."""
    found = (key.rpartition(".") for key in properties.keys(PLUGIN, app))
    return [scope for scope, _, phase in found if phase == "deploy" and scope != DEFAULT]


def arguments(app, scope, phase, builder=""):
    """The options as docker-args-* answer them: a blank before each."""
    dropped = _DROPPED.get(builder, ()) if phase == "build" else ()
    lines = [line for line in stored(app, scope, phase) if line and not line.startswith("#")]
    return "".join(f" {line}" for line in lines if not _is_dropped(line, dropped, phase))


def _is_dropped(line, dropped, phase):
    flag = words.split(line)[0].partition("=")[0]
    return flag in dropped or (flag.startswith("--restart") and phase != "deploy")
