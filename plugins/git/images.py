"""git:from-image and git:load-image: deploy an image that was built elsewhere (commands-b.md 2)."""

import sys

import commits
import repo

from dokku_min import files, log, properties, run
from dokku_min.errors import Failure

_FIRST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789")


def from_image(app: str, image: str, build_dir: str, force: bool, who: tuple[str, ...]) -> None:
    check(image)
    source = commits.check_directory(build_dir) if build_dir else ""
    _pull(image, force)
    deploy(app, image, source, who)


def load_image(app: str, image: str, build_dir: str, who: tuple[str, ...]) -> None:
    check(image)
    source = commits.check_directory(build_dir) if build_dir else ""
    if sys.stdin is None or sys.stdin.isatty():
        raise Failure("Expecting tar archive containing docker image on STDIN",
                      f"as in: docker image save {image} | dokku git:load-image {app} {image}")  # fmt: skip
    log.info1(f"Loading {image} from stdin")
    if run.stream("docker", "image", "load", stdin=0):
        raise Failure("cannot load the image: docker does not accept what came on stdin")
    if not _is_here(image):
        raise Failure(f"the archive does not hold the image {image}", "name it as docker does above, tag included")
    deploy(app, image, source, who)


def check(image: str) -> str:
    """A reference as docker has it: [host[:port]/]name[:tag][@digest]."""
    if not image or image[0] not in _FIRST or set(image) - _FIRST - set("._-/:@"):
        raise Failure(f"not the name of an image: {image}")
    return image


def _is_here(image: str) -> bool:
    return run.works("docker", "image", "inspect", "--", image)


def _pull(image: str, force: bool) -> None:
    if not force and _is_here(image):
        log.info1("Image exists on host, skipping pull")
        return
    log.info1("Force pulling image" if force else f"Pulling image {image}")
    if run.indented("docker", "image", "pull", "--", image):
        raise Failure(f"Failed to pull image: {image}", "check its name; `dokku registry:login` gives access")


def deploy(app: str, image: str, build_dir: str, who: tuple[str, ...]) -> None:
    """source-image tells the other plugins, while they extract and build, that the files are in the image."""
    log.info1(f"Generating build context for {image}")
    before = properties.get("git", app, "source-image")
    properties.put("git", app, "source-image", image)
    try:
        commits.deploy_source(app, "docker-image", image, lambda directory: _context(directory, image, build_dir), who)
    except BaseException:
        repo.put_back(app, "source-image", before)
        raise


def _context(directory: str, image: str, build_dir: str) -> None:
    import shutil

    if build_dir:
        shutil.copytree(build_dir, directory, symlinks=True, dirs_exist_ok=True)
    label = f'com.dokku.docker-image-labeler/alternate-tags=[\\"{image}\\"]'
    files.remove(f"{directory}/Dockerfile")
    with open(f"{directory}/Dockerfile", "w") as file:
        file.write(f"FROM {image}\nLABEL {label}\n")
