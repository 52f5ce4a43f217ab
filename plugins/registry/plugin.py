#!/usr/bin/python3
"""registry: log in to image registries, and push every release to one (commands-b.md 13).

Credentials: docker's own file, global in ROOT/.docker, an app's in LIB/config/registry/APP.
"""

import os
import sys

from dokku_min import run
from dokku_min.sdk import Failure, Plugin, apps, fire, log, names, paths, properties

HUB = "https://index.docker.io/v1/"
_HUB_NAMES = ("docker.io", "hub.docker.com", "index.docker.io", "registry-1.docker.io", HUB.rstrip("/"))
_KEYS = {"image-repo": "app", "image-repo-template": "both", "push-on-release": "both", "push-extra-tags": "both",
         "server": "both"}  # fmt: skip
_REFERENCE = frozenset("abcdefghijklmnopqrstuvwxyz0123456789._-/:")

plugin = Plugin("registry", properties=True)
main = plugin.main


def canonical(server):
    """The name under which docker keeps a server's credentials; docker's own hub goes by many."""
    bare = server.removeprefix("https://").removeprefix("http://").rstrip("/")
    if bare in _HUB_NAMES or server.rstrip("/") in _HUB_NAMES:
        return HUB
    if not bare or bare.startswith("-") or any(char.isspace() for char in bare):
        raise Failure(f"Invalid server: {server}", "as in registry.example.com or registry.example.com:5000")
    return bare


def credentials(app):
    """Directory of docker's config file: the app's own, or the global one when app is empty."""
    return paths.property_dir("registry", app) if app else f"{paths.dokku_root()}/.docker"


def _login(*words, password_stdin=False, all_apps=False):
    app, rest = _scope(words, all_apps, 2 if password_stdin else 3)
    for position, name in enumerate(("server", "username") if password_stdin else ("server", "username", "password")):
        if position >= len(rest) or not rest[position]:
            raise Failure(f"Missing {name} argument")
    server, user = canonical(rest[0]), rest[1]
    password = sys.stdin.read().rstrip("\n") if password_stdin else rest[2]
    directory = _private(credentials(app))
    argv = ("docker", "login", "--username", user, "--password-stdin", "--", server)
    status, _ = run.answer(*argv, data=password, env={"DOCKER_CONFIG": directory})
    if status:
        raise Failure(f"cannot log in to {rest[0]} as {user}", "check the server's name, the user and the password")
    os.environ["DOCKER_REGISTRY_PASS"] = password
    fire("post-registry-login", server, user)
    log.info1(f"Logged in to {rest[0]} as {user}")


def _scope(words, is_global, count):
    """(app or "", the other words): an app in front makes it the app's own login (commands-b.md 13)."""
    if is_global:
        return "", list(words)
    if len(words) > count:
        return apps.verify(words[0]), list(words[1:])
    log.warn("a login without an app or --global is deprecated, it is taken as --global")
    return "", list(words)


def _private(directory):
    from dokku_min.sdk import files

    files.make_dir(directory, 0o700)
    os.chmod(directory, 0o700)
    return directory


def _logout(*words, all_apps=False):
    if not words:
        raise Failure("Missing server argument")
    app = apps.verify(words[0]) if len(words) > 1 and not all_apps else ""
    server, directory = canonical(words[-1]), credentials(app)
    if not os.path.isdir(directory):
        raise Failure(f"there are no credentials of {app or 'this server'}")
    run.capture(f"log out of {words[-1]}", "docker", "logout", "--", server, env={"DOCKER_CONFIG": directory})
    log.info1(f"Logged out of {words[-1]}")


# `global` is a word of Python, so these two take their flag under another name
for _name, _function in (("registry:login", _login), ("registry:logout", _logout)):
    plugin.commands[_name] = (_function, False, {"--global": "--all-apps"})


def check_value(_scope_, key, value):
    if key == "push-on-release" and value not in ("true", "false"):
        raise Failure(f"Invalid push-on-release specified: {value}", "use true or false")
    if key == "server":
        canonical(value)
    if key == "image-repo" and (set(value) - _REFERENCE or value[0] in "-./:"):
        raise Failure(f"Invalid image-repo specified: {value}", "as in my-team/my-app")
    if key == "push-extra-tags" and not all(_is_tag(tag) for tag in value.split(",")):
        raise Failure(f"Invalid push-extra-tags specified: {value}", "as in latest,stable")
    return value


def _is_tag(word):
    return bool(word) and word[0] not in ".-" and len(word) <= 128 and not set(word.lower()) - (_REFERENCE - set("/:"))


plugin.settable(_KEYS, check=check_value)


def repository(app):
    """The image's name without server and tag."""
    own = properties.get("registry", app, "image-repo")
    if own:
        return own
    template = properties.effective("registry", app, "image-repo-template")
    name = template.replace("{{ .AppName }}", app).replace("{{.AppName}}", app)
    return name if name and not set(name) - _REFERENCE else f"dokku/{app}"


def server_of(app):
    """The registry's host with a trailing slash, or nothing for docker's own hub."""
    server = properties.effective("registry", app, "server")
    return "" if not server or canonical(server) == HUB else f"{canonical(server)}/"


def pushes(app):
    return properties.effective("registry", app, "push-on-release", "false") == "true"


@plugin.report(legacy=True)
def rows(scope):
    found = {}
    for key in ("image-repo-template", "push-on-release", "push-extra-tags", "server"):
        default = "false" if key == "push-on-release" else ""
        if scope != names.GLOBAL:
            found[f"registry-{key}"] = properties.get("registry", scope, key)
        found[f"registry-global-{key}"] = properties.get("registry", names.GLOBAL, key)
        found[f"registry-computed-{key}"] = properties.effective("registry", scope, key, default)
    found["registry-computed-server"] = server_of(scope)
    if scope != names.GLOBAL:
        found["registry-image-repo"] = properties.get("registry", scope, "image-repo")
        found["registry-computed-image-repo"] = repository(scope)
        found["registry-tag-version"] = properties.get("registry", scope, "tag-version")
    return found


@plugin.trigger("deployed-app-image-repo")
def image_repo(app):
    return None if repository(app) == f"dokku/{app}" else repository(app)


@plugin.trigger("deployed-app-image-tag")
def image_tag(app):
    return properties.get("registry", app, "tag-version") or None if pushes(app) else None


@plugin.trigger("deployed-app-repository")
def deployed_repository(app):
    return server_of(app) or None if pushes(app) else None


@plugin.trigger("post-release-builder")
def post_release_builder(_builder, app, image):
    """Give the released image its other names, and push it where it is wanted."""
    if repository(app) != f"dokku/{app}":
        _tag(image, f"{repository(app)}:latest")
    if pushes(app):
        _push(app, image)


def _push(app, image):
    tag = str(int(properties.get("registry", app, "tag-version", "0")) + 1)
    place = f"{server_of(app)}{repository(app)}"
    extra = [word for word in properties.effective("registry", app, "push-extra-tags").split(",") if word]
    log.info1(f"Pushing {app} to {place}")
    _tag(image, f"{repository(app)}:{tag}")
    for each in [tag, *extra]:
        _tag(image, f"{place}:{each}")
        argv = ("docker", "image", "push", "--", f"{place}:{each}")
        if run.indented(*argv, env=_client(app)):
            raise Failure(f"cannot push {place}:{each}", f"log in with: dokku registry:login {app} SERVER USER")
    for each in extra:
        run.works("docker", "image", "rm", "--", f"{place}:{each}")
    properties.put("registry", app, "tag-version", tag)


def _client(app):
    """The docker client's configuration for an app: its own credentials where it has any."""
    own = credentials(app)
    return {"DOCKER_CONFIG": own} if os.path.exists(f"{own}/config.json") else {}


def _tag(image, name):
    run.check(f"name the image {name}", "docker", "image", "tag", image, name)


@plugin.trigger("registry-client-config")
def client_config(app):
    """The directory for DOCKER_CONFIG when images are built or pulled for the app; nothing: docker's usual one."""
    return _client(app).get("DOCKER_CONFIG")


if __name__ == "__main__":
    plugin.run()
