#!/usr/bin/python3
"""docker-options: options of one's own for docker when it builds, starts or runs an app (commands-a.md 12)."""

import options

from dokku_min.args import Usage
from dokku_min.sdk import Failure, Plugin, ask, files, log, names, paths, words

plugin = Plugin("docker-options", properties=True)
main = plugin.main


@plugin.command("docker-options:add", options_first=True)
def add(app, phases="", *tail, process=()):
    scopes, phases, groups = _parsed(app, phases, tail, process, "add to")
    for scope in scopes:
        for phase in phases:
            options.add(app, scope, phase, groups)


@plugin.command("docker-options:remove", options_first=True)
def remove(app, phases="", *tail, process=()):
    scopes, phases, groups = _parsed(app, phases, tail, process, "remove from")
    for scope in scopes:
        for phase in phases:
            options.remove(app, scope, phase, groups)


@plugin.command("docker-options:clear")
def clear(app, phases="", *more, process=()):
    wanted = options.phases_of(",".join([phases, *more])) if phases else []
    if process:
        for name in _checked_processes(app, process, wanted or ["deploy"]):
            log.info1(f"Clearing docker-options for {app} ({name}) on phase deploy")
            options.clear(app, name, "deploy")
        return
    if not wanted:
        log.info1(f"Clearing docker-options for {app} on all phases")
    for phase in wanted:
        log.info1(f"Clearing docker-options for {app} on phase {phase}")
    for phase in wanted or options.PHASES:
        options.clear(app, options.DEFAULT, phase)


@plugin.command("docker-options:list")
def list_(app, *, process="", phase=""):
    if not phase:
        raise Failure("--phase is required", f"one of: {', '.join(options.PHASES)}")
    if "," in phase:
        raise Failure(f"Phase must be one of [{' '.join(options.PHASES)}]", "list them one by one")
    options.phases_of(phase)
    if process and process != options.DEFAULT:
        _checked_processes(app, [process], [phase])
    for line in options.stored(app, process or options.DEFAULT, phase):
        print(line)


def _parsed(app, phases, tail, process, purpose):
    """(scopes, phases, options as lists of words) of a command line."""
    wanted = options.phases_of(phases)
    tokens, lifted = _without_process(words.split(" ".join(tail)))
    groups = options.grouped(tokens, purpose)
    chosen = [*process, *lifted]
    return _checked_processes(app, chosen, wanted, warn=purpose == "add to") or [options.DEFAULT], wanted, groups


def _without_process(tokens):
    """Our own --process may also stand behind the phases, among docker's options."""
    kept, found, rest = [], [], iter(tokens)
    for token in rest:
        flag, equals, value = token.partition("=")
        if flag != "--process":
            kept.append(token)
            continue
        value = value if equals else next(rest, "")
        if not value:
            raise Usage("flag needs an argument: --process")
        found.append(value)
    return kept, found


def _checked_processes(app, process, phases, warn=False):
    if process and phases != ["deploy"]:
        raise Failure("--process is only supported for the deploy phase")
    for name in process:
        options.check_process(name)
    known = [line.partition("=")[0] for line in ask("ps-current-scale", app).split()] if process and warn else []
    for name in process:
        if known and name not in known:
            log.warn(f"process type {name} is not in the Procfile of {app}; the option waits for one that is")
    return list(dict.fromkeys(process))


def _lists(scope):
    """JSON also holds each list of options as an array."""
    if scope == names.GLOBAL:
        return {}
    found = {f"{phase}-list": options.stored(scope, options.DEFAULT, phase) for phase in options.PHASES}
    for name in options.processes(scope):
        found[f"deploy.{name}-list"] = options.stored(scope, name, "deploy")
    return found


@plugin.report(legacy=True, extra=_lists)
def rows(scope):
    if scope == names.GLOBAL:
        return {}
    found = {f"docker-options-{phase}": _joined(scope, options.DEFAULT, phase) for phase in options.PHASES}
    for name in options.processes(scope):
        found[f"docker-options-deploy.{name}"] = _joined(scope, name, "deploy")
    return found


def _joined(app, scope, phase):
    return " ".join(options.stored(app, scope, phase))


@plugin.trigger("docker-args-build")
def args_build(app, builder):
    return options.arguments(app, options.DEFAULT, "build", builder)


@plugin.trigger("docker-args-deploy")
def args_deploy(app):
    return options.arguments(app, options.DEFAULT, "deploy")


@plugin.trigger("docker-args-run")
def args_run(app):
    return options.arguments(app, options.DEFAULT, "run")


@plugin.trigger("docker-args-process-deploy")
def args_process_deploy(app, _builder, _tag, process):
    return options.arguments(app, process, "deploy") if names.is_process_type(process) else None


@plugin.trigger("docker-options-list")
def list_trigger(app, phase):
    return "\n".join(options.stored(app, options.DEFAULT, phase))


@plugin.trigger("install")
def install():
    """Options that a Dokku before 0.38 kept in ROOT/APP/DOCKER_OPTIONS_* move to their place, once."""
    for app in names.all_apps():
        for phase in options.PHASES:
            path = f"{paths.app_dir(app)}/DOCKER_OPTIONS_{phase.upper()}"
            lines = [line.strip() for line in files.read(path).splitlines()]
            groups = [words.split(line) for line in lines if line and not line.startswith("#")]
            if groups:
                options.add(app, options.DEFAULT, phase, groups)
            files.remove(path)


if __name__ == "__main__":
    plugin.run()
