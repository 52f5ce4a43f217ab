"""`builder-build` of herokuish: source into an image, buildpacks over it, the result is the slug (commands-b.md 5)."""

import json
import os

import slug

from dokku_min import run
from dokku_min.sdk import Failure, ask, dispatch, files, fire, fire_old, log, words

CURL = {"CURL_CONNECT_TIMEOUT": "90", "CURL_TIMEOUT": "600"}  # seconds; herokuish's own 30 and 180 are short for slow lines
# in: $1 the user. A first call of herokuish makes what it needs for the user; the source becomes the user's own.
_TAKE_OVER = 'USER="$1" TRACE= /exec true && chown -R "$1:$1" /app'
# what of the docker client's own environment an app's variables must not touch
_CLIENT = ("DOCKER_", "BUILDKIT_", "BUILDX_", "LD_")
_CLIENT_NAMES = ("PATH", "HOME", "TMPDIR")


def build(app: str, directory: str) -> None:
    image = f"dokku/{app}:latest"
    base = slug.base_image(app)
    log.info1(f"Building {app} from herokuish")
    fire("builder-create-dokku-image", "herokuish", app, directory, base)
    base = ask("builder-dokku-image", "herokuish", app, directory, base, must=True) or base
    _remove_leftovers(app)
    _with_source(app, directory, base, image)
    fire_old("pre-build-buildpack", "pre-build", app, directory)
    fire("pre-build", "herokuish", app, directory)
    _compile(app, directory, image, slug.config_of(base))
    port = ask("ports-get-property", app, "proxy-port")
    fire("ports-set-detected", app, f"http:{port if port not in ('', '0') else '80'}:5000")
    fire_old("post-build-buildpack", "post-build", app, directory)
    fire("post-build", "herokuish", app, directory)


def _remove_leftovers(app: str) -> None:
    """Build containers of deploys that were killed: the app's lock is ours, so nobody waits for them."""
    slug.remove(*build_containers(app))


def build_containers(app: str) -> list[str]:
    kept = ("--filter=label=com.dokku.image-stage=build", f"--filter=label=com.dokku.app-name={app}")
    return run.capture("list build containers", "docker", "container", "ls", "--all", "--quiet", *kept).split()


def _with_source(app: str, directory: str, base: str, image: str) -> None:
    """The base with the source in /app, which plugins may change before the buildpacks see it."""
    user = slug.user_of(app)
    argv = ["/bin/bash", "-c", _TAKE_OVER, "take-over", user]
    with slug.Container(base, argv, ["--user=root", "--entrypoint=", *_labels(app)]) as container:
        container.copy_tree(directory, "/app")
        if container.run():
            raise Failure("Failure extracting app code", f"is {base} an image with herokuish in it?")
        changes = ["WORKDIR /app", "ENV HEROKUISH_DISABLE_CHOWN=true", *slug.labels(app, "build")]
        container.commit(image, changes + slug.program(slug.config_of(base)))


def _labels(app: str) -> list[str]:
    shared = words.split(os.environ.get("DOKKU_GLOBAL_BUILD_ARGS", ""))
    own = {"image-stage": "build", "builder-type": "herokuish", "app-name": app}
    return [*shared, *(f"--label=com.dokku.{name}={value}" for name, value in own.items())]


def _compile(app: str, directory: str, image: str, base: dict) -> None:
    """Run the buildpacks with the cache of the app's earlier builds, and keep what they made of it."""
    config = json.loads(ask("config-export", app, "false", "true", "json") or "{}")
    make_cache(app)
    options = ["--user=root", "--entrypoint=", *_labels(app), *_options(app)]
    options += [f"--volume=cache-{app}:/cache", "--env=CACHE_PATH=/cache"]
    if os.environ.get("DOKKU_TRACE"):
        options += ["--env=TRACE=true", "--env=BUILDPACK_XTRACE=1"]
    with slug.Container(image, ["/build"], options, _told(config)) as container:
        fire("post-container-create", "app", container.id, app, "build")
        log.info1("Adding BUILD_ENV to build environment...")
        container.write_files(environment(_dotenv(directory), {**CURL, **config}, exported(app)))
        log.verbose("BUILD_ENV added successfully")
        status = container.run()
        if status:
            raise Failure("App build failed", f"herokuish exited {status}, its output is above")
        container.commit(image, [*slug.labels(app, "build"), *slug.program(base)])


def _dotenv(directory: str) -> str:
    """The source's own .env; a link could name any file of this host, so it is not followed."""
    path = f"{directory}/.env"
    return "" if os.path.islink(path) or not os.path.isfile(path) else files.read(path)


def exported(app: str) -> str:
    return dispatch.capture("config-export", app, "false", "true", "envfile")[1]


def environment(own: str, variables: dict[str, str], dotenv: str) -> dict[str, str]:
    """{path: text} of what tells the buildpacks the app's variables: a file for each, and a `.env` after the app's own."""
    own = own if not own or own.endswith("\n") else f"{own}\n"
    defaults = "".join(f'{key}="{value}"\n' for key, value in CURL.items())
    found = {f"/tmp/env/{key}": value for key, value in variables.items()}
    return {**found, "/app/.env": f"{defaults}{own}{dotenv}"}


def _options(app: str) -> list[str]:
    given = ask("docker-args-build", app, "herokuish") + " "
    given += ask("docker-args-process-build", app, "herokuish", must=True)
    return for_containers(words.split(given))


def for_containers(given: list[str]) -> list[str]:
    """Build-phase options less those that only `docker image build` knows."""
    kept: list[str] = []
    rest = iter(given)
    for word in rest:
        name, equals, _ = word.partition("=")
        if name not in ("--file", "-f", "--build-arg", "--build-args"):
            kept.append(word)
        elif not equals:
            next(rest, None)
    return kept


def _told(config: dict[str, str]) -> dict[str, str]:
    return {k: v for k, v in config.items() if not k.startswith(_CLIENT) and k not in _CLIENT_NAMES}


def make_cache(app: str) -> None:
    """The volume that outlives builds; one without our labels (docker makes such by itself) is no loss."""
    form = '{{index .Labels "com.dokku.app-name"}}'
    status, owner = run.answer("docker", "volume", "inspect", f"--format={form}", f"cache-{app}", quiet=True)
    if status == 0 and owner.strip() == app:
        return
    if status == 0:
        run.works("docker", "volume", "rm", f"cache-{app}")
    run.capture("make the build cache", "docker", "volume", "create", "--label=org.label-schema.schema-version=1.0",
                "--label=org.label-schema.vendor=dokku", "--label=com.dokku.builder-type=herokuish",
                f"--label=com.dokku.app-name={app}", f"cache-{app}")  # fmt: skip
