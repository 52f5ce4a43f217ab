#!/usr/bin/python3
"""builder-herokuish: build apps with Heroku's buildpacks, in the herokuish image (commands-b.md 4.2 and 5)."""

import os

from dokku_min.sdk import GLOBAL, Failure, Plugin, ask, properties

plugin = Plugin("builder-herokuish", properties=True)
main = plugin.main


def _machine_default():
    return "true" if os.uname().machine in ("x86_64", "amd64") else "false"


def allowed(scope):
    return properties.effective("builder-herokuish", scope, "allowed", _machine_default())


def _check_allowed(_scope, _key, value):
    if value not in ("true", "false"):
        raise Failure(f"Invalid allowed specified: {value}", "use true or false")
    return value


plugin.settable({"allowed": "both"}, word="key", check=_check_allowed)


@plugin.report(heading="builder-herokuish")
def rows(scope):
    found = {
        "builder-herokuish-global-allowed": properties.get("builder-herokuish", GLOBAL, "allowed"),
        "builder-herokuish-computed-allowed": allowed(scope),
    }
    own = {} if scope == GLOBAL else {"builder-herokuish-allowed": properties.get("builder-herokuish", scope, "allowed")}
    return {**own, **found}


@plugin.trigger("builder-herokuish-allowed")
def builder_herokuish_allowed(app):
    return allowed(app) == "true"


@plugin.trigger("builder-names")
def builder_names():
    return "herokuish"


@plugin.trigger("builder-detect")
def builder_detect(app, directory):
    """Ours when the source or the app's config names a buildpack."""
    if allowed(app) != "true":
        return None
    named = os.path.isfile(f"{directory}/.buildpacks") or _env_file_names_buildpack(directory)
    return "herokuish" if named or ask("config-get", app, "BUILDPACK_URL") else None


def _env_file_names_buildpack(directory):
    try:
        with open(f"{directory}/.env", encoding="utf-8", errors="replace") as file:
            return "BUILDPACK_URL" in file.read()
    except OSError:
        return False


@plugin.trigger("builder-build")
def builder_build(builder, app, directory):
    if builder == "herokuish":
        import build

        build.build(app, directory)


@plugin.trigger("builder-release")
def builder_release(builder, app, tag):
    if builder == "herokuish":
        import release

        release.release(app, f"dokku/{app}:{tag or 'latest'}")


@plugin.trigger("docker-args-build", "docker-args-deploy", "docker-args-run")
def docker_args(app, *_):
    """herokuish wants to know whom to become, in every container of the app."""
    if ask("builder-get-property", app, "detected") != "herokuish":
        return None
    import slug

    return f" --env=USER={slug.user_of(app)}"


@plugin.trigger("post-app-clone-setup", "post-app-rename-setup")
def post_app_copy(_old, new):
    """What we released for the old app says nothing of the new one's image."""
    properties.delete("builder-herokuish", new, "released")


for _verb in ("report", "set"):  # the short name that Dokku knows them by, too
    plugin.commands[f"herokuish:{_verb}"] = plugin.commands[f"builder-herokuish:{_verb}"]

if __name__ == "__main__":
    plugin.run()
