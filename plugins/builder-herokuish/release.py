"""`builder-release` of herokuish: the slug with the app's variables in it, run by its own user (commands-b.md 5)."""

import slug

from dokku_min import run
from dokku_min.sdk import Failure, dispatch, properties

# $1: the user. Only what is not the user's yet is touched: overlayfs would copy every file that chown names.
# Variables of the build go: one that is unset later must not come back from there.
_FINISH = 'rm -rf /tmp/env && find /app ! -user "$1" -exec chown -h "$1:$1" {} +'


def release(app: str, image: str) -> None:
    user = slug.user_of(app)
    source, base = _source(app, image)
    argv = ["/bin/bash", "-c", _FINISH, "finish", user]
    with slug.Container(source, argv, ["--user=root", "--entrypoint="]) as container:
        container.write_files(profile(_exports(app, "true"), _exports(app, "false")))
        if container.run():
            raise Failure(f"cannot release {app}: its files cannot be given to {user}")
        changes = [f"USER {user}", "ENV HEROKUISH_SETUIDGUID=false", *slug.labels(app, "release")]
        container.commit(image, changes + slug.program(slug.config_of(source)))
    properties.put("builder-herokuish", app, "released", f"{slug.id_of(image)} {base}")


def _source(app: str, image: str) -> tuple[str, str]:
    """(image to start from, id to remember): what we released before starts where it did then, or its layers pile up."""
    here = slug.id_of(image)
    before, _, base = properties.get("builder-herokuish", app, "released").partition(" ")
    if here == before and base and run.works("docker", "image", "inspect", "--", base):
        return base, base
    return image, here


def profile(shared: str, own: str) -> dict[str, str]:
    """{path: text}: the app's own variables are read after the global ones."""
    return {"/app/.profile.d/00-global-env.sh": shared, "/app/.profile.d/01-app-env.sh": own}


def _exports(app: str, shared: str) -> str:
    return dispatch.capture("config-export", app, shared, "false", "exports")[1]
