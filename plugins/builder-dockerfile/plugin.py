#!/usr/bin/python3
"""builder-dockerfile: `docker image build` of the app's source (commands-b.md 4.1)."""

import os

import options

from dokku_min.sdk import Failure, Plugin, ask, files, fire, fire_old, log, names, properties, words

GLOBAL = names.GLOBAL
KEY, DEFAULT = "dockerfile-path", "Dockerfile"
# Variables that change the docker client itself: as build arguments they travel by value, not in its environment.
_CLIENT = ("DOCKER_", "BUILDKIT_", "BUILDX_", "LD_", "GODEBUG", "GOTRACEBACK", "GOMAXPROCS", "SSL_CERT_")
_CLIENT_NAMES = ("PATH", "HOME", "TMPDIR", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "SSH_AUTH_SOCK")

plugin = Plugin("builder-dockerfile", properties=True)
main = plugin.main


@plugin.report(heading="builder-dockerfile")
def rows(scope):
    found = {
        f"builder-dockerfile-global-{KEY}": properties.get("builder-dockerfile", GLOBAL, KEY),
        f"builder-dockerfile-computed-{KEY}": wanted_path(scope),
    }
    return found if scope == GLOBAL else {f"builder-dockerfile-{KEY}": own_path(scope), **found}


def own_path(app):
    return properties.get("builder-dockerfile", app, KEY)


def wanted_path(scope):
    return properties.effective("builder-dockerfile", scope, KEY, DEFAULT)


def check(_scope, _key, value):
    if value.startswith("/") or ".." in value.split("/"):
        raise Failure(f"{KEY} must be a file of the source, not {value}")
    return value


plugin.settable({KEY: "both"}, word="key", check=check)


@plugin.trigger("core-post-extract")
def core_post_extract(app, directory):
    """The chosen file takes the place of `Dockerfile`."""
    path = wanted_path(app)
    if os.path.normpath(path) == DEFAULT:
        return
    found = inside(directory, path)
    if not found:
        raise Failure(
            f"Invalid dockerfile-path specified: {path}",
            f"there is no such file in the source; choose with: dokku builder-dockerfile:set {app} {KEY} PATH",
        )
    os.replace(found, f"{directory}/{DEFAULT}")


def inside(directory, path):
    """Where the file of the source really is; nothing when it is not there, or a link has led out of the source."""
    real = os.path.realpath(f"{directory}/{path}")
    return real if os.path.isfile(real) and real.startswith(os.path.realpath(directory) + "/") else ""


@plugin.trigger("builder-names")
def builder_names():
    return "dockerfile"


@plugin.trigger("builder-detect")
def builder_detect(app, directory):
    """Ours when there is a Dockerfile, and neither herokuish nor pack has a say."""
    if not os.path.isfile(f"{directory}/{DEFAULT}"):
        return None
    if os.path.isfile(f"{directory}/.buildpacks") or os.path.isfile(f"{directory}/project.toml"):
        return None
    if _env_file_names_buildpack(directory) or ask("config-get", app, "BUILDPACK_URL"):
        return None
    return "dockerfile"


def _env_file_names_buildpack(directory):
    return "BUILDPACK_URL" in files.read(inside(directory, ".env") or os.devnull)


@plugin.trigger("builder-build")
def builder_build(builder, app, directory):
    if builder != "dockerfile":
        return
    if not inside(directory, DEFAULT):
        raise Failure("No Dockerfile found in source code directory", "add one that is a file, or choose another builder")
    log.info1(f"Building {app} from Dockerfile")
    fire_old("pre-build-dockerfile", "pre-build", app)
    fire("pre-build", builder, app, directory)
    _build(app, directory, _build_options(app))
    _note_ports(app, directory)
    fire_old("post-build-dockerfile", "post-build", app)
    fire("post-build", builder, app, directory)


def _build_options(app):
    given = ask("docker-args-build", app, "dockerfile")
    given += " " + ask("docker-args-process-build", app, "dockerfile", must=True)
    return options.allowed(words.split(given))


def _build(app, directory, extra):
    """One build makes the release image: nothing is added to it afterwards but these labels."""
    from dokku_min import run

    env, by_value = _environment(app, extra)
    labelled = f"{directory}.Dockerfile"
    # --force-rm: the classic builder would keep the container of a step that fails
    argv = ["docker", "image", "build", "--force-rm", *_label_options(app, directory, extra, labelled), *extra, *by_value]
    try:
        status, last = show(run.lines(*argv, f"--tag={image(app)}", ".", cwd=directory, env=env))
    finally:
        files.remove(labelled)
    if status:
        raise Failure(f"App build failed: {last or f'docker exited {status}'}")


def _label_options(app, directory, extra, labelled):
    """docker's classic builder makes a layer of every --label, 0.15 s each: where it is safe, one line says them all."""
    shared = words.split(os.environ.get("DOKKU_GLOBAL_BUILD_ARGS", ""))
    flags = [*shared, *labels(app)]
    line = options.label_line(files.read(f"{directory}/{DEFAULT}"), flags, extra)
    if not line or os.path.exists(f"{directory}/{DEFAULT}.dockerignore"):
        return flags
    files.write(labelled, line)
    return [f"--file={labelled}"]


def labels(app):
    own = {"image-stage": "release", "builder-type": "dockerfile", "app-name": app}
    return [f"--label=com.dokku.{name}={value}" for name, value in own.items()]


def image(app):
    return f"dokku/{app}:latest"


def _environment(app, extra):
    """Values of the config variables that the options name, for the docker client; its own settings go in argv."""
    wanted = options.names_without_value(extra)
    if not wanted:
        return {}, []
    import json

    config = json.loads(ask("config-export", app, "false", "false", "json") or "{}")
    found = {name: config[name] for name in wanted if name in config}
    own = [name for name in found if name.startswith(_CLIENT) or name.upper() in _CLIENT_NAMES]
    return {k: v for k, v in found.items() if k not in own}, [f"--build-arg={name}={found[name]}" for name in own]


def show(output):
    """Print lines as they come; (exit status, the last line that says something)."""
    last = ""
    while True:
        try:
            line = next(output)
        except StopIteration as end:
            return end.value, last
        last = line.strip() or last
        print(f"       {line}", flush=True)


def _note_ports(app, directory):
    dockerfile = files.read(f"{directory}/{DEFAULT}")
    ports = options.exposed(dockerfile)
    if ports and options.has_stages(dockerfile):  # some may be of a stage that the image is not made of
        there = _image_ports(app)
        ports = [port for port in ports if options.with_protocol(port) in there]
    ports = ports or _image_ports(app)
    maps = options.port_maps(ports) or [f"http:{_proxy_port(app)}:5000"]
    fire("ports-set-detected", app, *maps)


def _image_ports(app):
    """What the image and those it is made from expose."""
    import json

    from dokku_min import run

    form = "--format={{json .Config.ExposedPorts}}"
    status, text = run.answer("docker", "image", "inspect", form, image(app), quiet=True)
    return sorted(json.loads(text) or {}) if status == 0 else []


def _proxy_port(app):
    port = ask("ports-get-property", app, "proxy-port")
    return port if port not in ("", "0") else "80"


@plugin.trigger("builder-release")
def builder_release(builder, app):
    """Our own builds are released as they are; an image from elsewhere gets the labels."""
    if builder != "dockerfile":
        return
    from dokku_min import run

    name = image(app)
    form = '--format={{index .Config.Labels "com.dokku.image-stage"}}'
    if run.answer("docker", "image", "inspect", form, "--", name, quiet=True)[1].strip() == "release":
        return
    shared = words.split(os.environ.get("DOKKU_GLOBAL_BUILD_ARGS", ""))
    argv = ("docker", "image", "build", "--quiet", *shared, *labels(app), f"--tag={name}", "-")
    run.capture(f"label the image of {app}", *argv, data=f"FROM {name}\n")


for _verb in ("report", "set"):  # the short name that Dokku knows them by, too
    plugin.commands[f"dockerfile:{_verb}"] = plugin.commands[f"builder-dockerfile:{_verb}"]

if __name__ == "__main__":
    plugin.run()
