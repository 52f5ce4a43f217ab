"""Containers that make an image: from a base, through what runs in them, to a commit (commands-b.md 5)."""

import json
import os

from dokku_min import run
from dokku_min.sdk import Failure, ask, log

DEFAULT_USER = "herokuishuser"
_NAME = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")


def user_of(app: str) -> str:
    """The account inside the image that builds and runs the app."""
    name = ask("config-get", app, "DOKKU_APP_USER") or DEFAULT_USER
    if set(name) - _NAME or name[0] == "-":
        raise Failure(f"DOKKU_APP_USER is no user name: {name}", f"drop it: dokku config:unset {app} DOKKU_APP_USER")
    return name


def base_image(app: str) -> str:
    """The image with herokuish in it: the stack, the old variable, or the default; pulled when it is not here."""
    old = ask("config-get", app, "DOKKU_IMAGE")
    stack = ask("buildpack-stack-name", app)
    if old and not stack:
        log.warn(f"DOKKU_IMAGE is deprecated, use: dokku buildpacks:set-property {app} stack {old}")
    image = stack or old or os.environ.get("DOKKU_IMAGE") or "gliderlabs/herokuish:latest-24"
    if image.startswith("-"):
        raise Failure(f"not the name of an image: {image}")
    if not present(image):
        _pull(image)
    return image


def present(image: str) -> bool:
    return run.works("docker", "image", "inspect", "--", image)


def _pull(image: str) -> None:
    log.info1(f"Pulling {image}")
    if run.indented("docker", "image", "pull", "--quiet", "--", image):
        raise Failure(
            f"the builder image {image} is not on this server and cannot be pulled",
            f"where it can: docker pull {image} && docker save {image} | ssh SERVER docker load\n"
            "or choose one that is here: dokku buildpacks:set-property APP stack IMAGE",
        )


def config_of(image: str) -> dict:
    return json.loads(_inspected(image, "{{json .Config}}"))


def id_of(image: str) -> str:
    return _inspected(image, "{{.Id}}").strip()


def _inspected(image: str, form: str) -> str:
    return run.capture(f"look into {image}", "docker", "image", "inspect", f"--format={form}", "--", image)


class Container:
    """`with Container(...) as c`: a container made of an image, gone at the end."""

    def __init__(self, image: str, argv: list[str], options: list[str], env: dict[str, str] | None = None):
        self.image, self.argv, self.options, self.env = image, argv, options, env or {}

    def __enter__(self) -> "Container":
        argv = ("docker", "container", "create", *self.options, "--", self.image, *self.argv)
        self.id = run.capture("make a build container", *argv, env=self.env).strip()
        return self

    def __exit__(self, *_: object) -> None:
        remove(self.id)

    def copy_tree(self, directory: str, target: str) -> None:
        self._copy("the source", f"{directory}/.", f"{self.id}:{target}")

    def write_files(self, found: dict[str, str]) -> None:
        """Put files, given by their absolute path, into the container."""
        tar = os.fsdecode(tar_of(found))
        self._copy("the environment", "-", f"{self.id}:/", data=tar)

    def _copy(self, what: str, *argv: str, **how) -> None:  # type: ignore[no-untyped-def]
        if run.answer("docker", "container", "cp", *argv, quiet=True, **how)[0]:  # it tells of success on stderr
            raise Failure(f"cannot copy {what} into a container of {self.image}")

    def run(self) -> int:
        """Start it, show what it says, and return its exit status."""
        return run.stream("docker", "container", "start", "--attach", self.id)

    def commit(self, image: str, changes: list[str]) -> None:
        options = [word for change in changes for word in ("--change", change)]
        run.capture("keep the image", "docker", "container", "commit", *options, self.id, image)


def tar_of(found: dict[str, str]) -> bytes:
    import io
    import tarfile
    import time

    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        for path, text in found.items():
            data = os.fsencode(text)
            member = tarfile.TarInfo(path.lstrip("/"))
            member.size, member.mode, member.mtime = len(data), 0o644, int(time.time())
            tar.addfile(member, io.BytesIO(data))
    return packed.getvalue()


def remove(*containers: str) -> None:
    if containers:
        run.works("docker", "container", "rm", "--force", "--volumes", *containers)


def labels(app: str, stage: str) -> list[str]:
    """As words of a LABEL change."""
    from dokku_min import words

    shared = [w.removeprefix("--label=") for w in words.split(os.environ.get("DOKKU_GLOBAL_BUILD_ARGS", ""))]
    own = [f"com.dokku.image-stage={stage}", "com.dokku.builder-type=herokuish", f"com.dokku.app-name={app}"]
    return [f"LABEL {each if '=' in each else each + '='}" for each in [*shared, *own]]


def program(config: dict) -> list[str]:
    """Changes that give an image the entrypoint and command of another one's configuration."""
    return [f"ENTRYPOINT {json.dumps(config.get('Entrypoint') or [])}", f"CMD {json.dumps(config.get('Cmd') or [])}"]
