"""`buildpacks:detect`: ask the builder image which buildpack it would choose for a branch of the app."""

import os

from dokku_min import run
from dokku_min.sdk import Failure, ask, log, paths

_DETECT = "mkdir -p /app && tar -xf - -C /app && exec /bin/herokuish buildpack detect"


def detect(app: str, branch: str) -> int:
    """Show what herokuish says, and return its exit status."""
    revision = _revision(app, branch)
    image = _image(app)
    log.info1(f"Detecting the buildpack of {app} with {image}")
    container = run.capture("make a container", "docker", "container", "create", "--interactive", "--label=dokku",
                            f"--label=com.dokku.app-name={app}", "--", image, "/bin/bash", "-c",
                            _DETECT).strip()  # fmt: skip
    try:
        return _fed(container, app, revision)
    finally:
        run.works("docker", "container", "rm", "--force", "--volumes", container)


def _revision(app: str, branch: str) -> str:
    name = branch or ask("git-deploy-branch", app) or "master"
    status, found = run.answer("git", f"--git-dir={paths.app_dir(app)}", "rev-parse", "--verify", "--quiet",
                               "--end-of-options", f"{name}^{{commit}}", quiet=True)  # fmt: skip
    if status:
        raise Failure(f"{app} has no branch {name}", "push it first")
    return found.strip()


def _image(app: str) -> str:
    image = ask("buildpack-stack-name", app) or ask("config-get", app, "DOKKU_IMAGE") or os.environ["DOKKU_IMAGE"]
    if not run.works("docker", "image", "inspect", "--", image):
        log.info1(f"Pulling {image}")
        if run.indented("docker", "image", "pull", "--quiet", "--", image):
            raise Failure(
                f"the builder image {image} is not on this server and cannot be pulled",
                f"where it can: docker pull {image} && docker save {image} | ssh SERVER docker load",
            )
    return image


def _fed(container: str, app: str, revision: str) -> int:
    import tempfile

    with tempfile.NamedTemporaryFile() as source:
        repository = f"--git-dir={paths.app_dir(app)}"
        archive = ("archive", f"--output={source.name}", "--format=tar", revision)
        run.check(f"read the source of {app}", "git", repository, *archive)
        with open(source.name, "rb") as tar:
            argv = ("docker", "container", "start", "--attach", "--interactive", container)
            return run.stream(*argv, stdin=tar.fileno())
