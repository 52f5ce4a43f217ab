#!/usr/bin/python3
"""config: environment variables of apps, and global ones (commands-a.md 3). State: LIB/config/APP/ENV."""

import os
import sys

import envfile

from dokku_min.locks import directory_lock
from dokku_min.sdk import Failure, Plugin, ask, dispatch, files, log, names, paths, properties

GLOBAL = names.GLOBAL
plugin = Plugin("config", properties=True)
main = plugin.main


def env_dir(scope):
    return f"{paths.lib_root()}/config/{scope}"


def read(scope):
    """The variables of an app or of `--global`."""
    text = files.read(f"{env_dir(scope)}/ENV")
    return envfile.parse(text) if text else {}


def merged(scope):
    return read(scope) if scope == GLOBAL else {**read(GLOBAL), **read(scope)}


def change(scope, new=None, gone=(), replace=False):
    """Add `new`, drop `gone`; the keys that were there among the latter."""
    with directory_lock(env_dir(scope)):
        env = {} if replace else read(scope)
        dropped = [key for key in gone if key in env]
        kept = {key: value for key, value in env.items() if key not in dropped}
        files.write(f"{env_dir(scope)}/ENV", envfile.dump({**kept, **(new or {})}))
    return dropped


def check_keys(keys):
    for key in keys:
        if not names.is_env_key(key):
            raise Failure(f"Invalid key name: '{key}'", "names hold letters, digits and _, and do not start with a digit")


def pairs_of(words, encoded=False):
    """K=V words to a dict; with encoded, V is base64."""
    if not words:
        raise Failure("At least one env pair must be given", "as in: dokku config:set APP KEY=value")
    env = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise Failure(f"Invalid env pair: {word}", "write KEY=value")
        env[key] = decoded(key, value) if encoded else value
        if "\0" in env[key]:
            raise Failure(f"the value of {key} holds a NUL byte, which no environment can")
    check_keys(env)
    return env


def decoded(key, value):
    import base64
    import binascii

    try:
        return os.fsdecode(base64.b64decode(value, validate=True))
    except binascii.Error:
        raise Failure(f"the value of {key} is not base64") from None


def changed(scope, how, keys, no_restart):
    """Tell everybody, then bring the app to its new config; neither undoes the change (commands-a.md 3)."""
    if dispatch.trigger("post-config-update", scope, how, *keys):
        log.warn(f"a plugin could not follow the config change of {scope}")
    restart(scope, no_restart)


def restart(scope, no_restart):
    if no_restart or scope == GLOBAL or properties.get("common", scope, "deployed") != "true":
        return
    if ask("ps-get-property", scope, "restore") == "false":
        return
    log.info1(f"Restarting app {scope}")
    if dispatch.trigger("release-and-deploy", scope, "", "config-redeploy"):
        log.warn(f"{scope} could not be brought to its new config, the version before still serves")


@plugin.command("config:set")
def set_(scope, *pairs, encoded=False, no_restart=False):
    store(scope, pairs_of(pairs, encoded), no_restart)


def store(scope, env, no_restart, replace=False):
    log.info1_quiet("Setting config vars")
    log_pairs(env)
    change(scope, new=env, replace=replace)
    changed(scope, "set", list(env), no_restart)


def log_pairs(env):
    if not log.quiet():
        print(log.columns([[f"{key}:", env[key].strip()] for key in sorted(env)], "       "))


@plugin.command("config:unset")
def unset(scope, *keys, no_restart=False):
    if not keys:
        raise Failure("At least one key must be given", "as in: dokku config:unset APP KEY")
    check_keys(keys)
    known = read(scope)
    for key in keys:
        log.info1(f"Unsetting {key}" if key in known else f"Skipping {key}, it is not set in the environment")
    dropped = change(scope, gone=keys)
    if dropped:
        changed(scope, "unset", dropped, no_restart)
    else:
        restart(scope, no_restart)


@plugin.command("config:clear")
def clear(scope, *, no_restart=False):
    for key in sorted(read(scope)):
        log.info1(f"Unsetting {key}")
    change(scope, replace=True)
    changed(scope, "clear", [], no_restart)


@plugin.command("config:get")
def get(scope, key="", *more, quoted=False):
    if not key:
        raise Failure("Expected: key", "as in: dokku config:get APP KEY")
    if more:
        raise Failure(f"Unexpected argument(s): {' '.join(more)}")
    env = read(scope)
    if key not in env:
        return 1
    print(envfile.quoted(env[key]) if quoted else env[key])
    return 0


@plugin.command("config:show")
def show(scope, *, merged=False):
    log.info2_quiet(f"{'global' if scope == GLOBAL else scope} env vars")
    export(scope, format="pretty", merged=merged)


@plugin.command("config:export")
def export(scope, *, format="exports", merged=False):  # noqa: A002 - the flag's name
    sys.stdout.write(envfile.export(variables(scope, merged), format))


def variables(scope, with_global):
    return merged(scope) if with_global else read(scope)


@plugin.command("config")
def config(scope, *, merged=False, shell=False, export=False):  # noqa: F811
    """The old form of config:show and config:export."""
    if shell and export:
        raise Failure("Only one of --shell and --export can be given")
    if not shell and not export:
        return show(scope, merged=merged)
    log.warn(f"config --{'shell' if shell else 'export'} is deprecated, use config:export")
    sys.stdout.write(envfile.export(variables(scope, merged), "shell" if shell else "exports"))
    return None


@plugin.command("config:keys")
def keys(scope, *, merged=False):
    for key in sorted(variables(scope, merged)):
        print(key)


@plugin.command("config:import")
def import_(scope, file, *, format="envfile", replace=False, no_restart=False):  # noqa: A002
    if file == "-":
        log.info1("Reading config vars from stdin")
        text = sys.stdin.read()
    else:
        try:
            with open(file, encoding="utf-8", errors="surrogateescape") as source:
                text = source.read()
        except OSError as error:
            raise Failure(f"cannot read {file}: {error.strerror}", "the dokku user must be able to read it") from None
    env = imported(scope, text, format)
    check_keys(env)
    if not env:
        raise Failure("No config vars to set")
    for key, value in env.items():
        log.info1(f"Setting config var {key}={value}")
    store(scope, env, no_restart, replace)


def imported(scope, text, form):
    if form == "envfile":
        return envfile.parse(text, lambda key: log.info1(f"Deleting invalid key {key} from config for {scope}"))
    if form != "json":
        raise Failure(f"Unknown format: {form}", "use envfile or json")
    import json

    try:
        found = json.loads(text)
    except ValueError as error:
        raise Failure(f"the JSON cannot be read: {error}") from None
    if not isinstance(found, dict):
        raise Failure("the JSON must be one object of names and values")
    return {str(key): value if isinstance(value, str) else json.dumps(value) for key, value in found.items()}


@plugin.command("config:bundle")
def bundle(scope, *, merged=False):
    """A tar on stdout, a file a variable."""
    import io
    import tarfile

    with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as archive:
        for key, value in sorted(variables(scope, merged).items()):
            data = os.fsencode(value)
            member = tarfile.TarInfo(key)
            member.size, member.mode = len(data), 0o600
            archive.addfile(member, io.BytesIO(data))


@plugin.trigger("config-get")
def config_get(scope, key="", *more):
    """The bare value; a hook under `set -e` may ask for what is not set."""
    if scope == GLOBAL and more:
        scope, key = GLOBAL, more[0]
    sys.stdout.write(read(scope).get(key, ""))


@plugin.trigger("config-get-global")
def config_get_global(key):
    config_get(GLOBAL, key)


@plugin.trigger("config-set")
def config_set(*words):
    no_restart = "--no-restart" in words
    scope, *pairs = [word for word in words if word != "--no-restart"]
    store(scope, pairs_of(pairs), no_restart)


@plugin.trigger("config-unset")
def config_unset(*words):
    no_restart = "--no-restart" in words
    scope, *keys = [word for word in words if word != "--no-restart"]
    unset(scope, *keys, no_restart=no_restart)


@plugin.trigger("config-export")
def config_export(scope, is_global, with_global, form):
    where = GLOBAL if is_global == "true" else scope
    sys.stdout.write(envfile.export(variables(where, with_global == "true"), form))


@plugin.trigger("docker-args-deploy", "docker-args-run")
def docker_args(app, *_):
    """Names only: the values travel in the environment of the docker client, never in its argv."""
    found = envfile.export(merged(app), "docker-args-keys").strip()
    sys.stdout.write(f" {found}" if found else "")


@plugin.trigger("post-create")
def post_create(app):
    files.make_dir(env_dir(app))


@plugin.trigger("post-app-clone-setup", "post-app-rename-setup")
def post_app_copy(old, new):
    change(new, new=read(old))


@plugin.trigger("post-delete")
def post_delete(app):
    """Only our own file: an app may be named like a plugin, whose properties live in that directory."""
    files.remove(f"{env_dir(app)}/ENV")
    files.remove(f"{env_dir(app)}/.ENV.new")
    try:
        os.rmdir(env_dir(app))
    except OSError:
        pass


if __name__ == "__main__":
    plugin.run()
