"""Run the tasks of a deploy: predeploy changes the image, all others leave no trace in it (commands-b.md 8)."""

import json
import os

import taskargs

from dokku_min import run
from dokku_min.sdk import Failure, ask, fire, log, names, words

BASE_LABEL = "com.dokku.predeploy-base"  # the image a predeploy task started from; a second run starts there again


class Image:
    """What docker knows of an image."""

    def __init__(self, app: str, name: str):
        found = json.loads(run.capture(f"look into {name}", "docker", "image", "inspect", "--", name))[0]
        self.name, self.id = name, found["Id"]
        self.entrypoint = found["Config"].get("Entrypoint") or []
        self.cmd = found["Config"].get("Cmd") or []
        self.labels = found["Config"].get("Labels") or {}
        self.builder = self.labels.get("com.dokku.builder-type", "")
        self.tag = name.rpartition(":")[2]
        self.cnb = ask("builder-image-is-cnb", app, name) == "true"
        self.slug = not self.cnb and ask("builder-image-is-herokuish", app, name) == "true"


class Task:
    """A command of one phase of an app's deploy, on an image."""

    def __init__(self, app: str, phase: str, command: str, image: Image):
        self.app, self.phase, self.image = app, phase, image
        self.values = json.loads(ask("config-export", app, "false", "true", "json") or "{}")
        self.command = command
        self.shown = taskargs.masked(command, self.values)
        shell = ask("scheduler-get-property", app, "shell")
        self.argv = taskargs.argv(command, image.entrypoint, shell, image.slug, image.cnb)
        options = words.split(self._docker_args())
        self.env_words, self.options = taskargs.environment(taskargs.without(options))
        self.env_words, self.client_env = taskargs.safe_env(self.env_words, self.values)
        if image.slug:
            self.options += ["--volume", f"cache-{app}:/tmp/cache"]

    def _docker_args(self) -> str:
        app, tag = self.app, self.image.tag
        answers = (ask("docker-args-deploy", app, tag, must=True),
                   ask("docker-args-process-deploy", app, self.image.builder, tag, must=True))  # fmt: skip
        return " ".join(answers)

    def labels(self) -> list[str]:
        return ["--label=dokku", f"--label=com.dokku.app-name={self.app}"]

    def failed(self) -> Failure:
        return Failure(f"Execution of {self.phase} task failed: {self.shown}", "its output is above")

    def create(self, *options: str) -> str:
        argv = ("docker", "container", "create", *self.labels(), *self.options, *options)
        container = run.capture(f"make a container for the {self.phase} task", *argv, env=self.client_env).strip()
        fire("post-container-create", "app", container, self.app, self.phase)
        return container

    def show(self, container: str, *argv: str, **how) -> int:  # type: ignore[no-untyped-def]
        log.info2(f"Start of {self.app} {self.phase} task ({container[:9]}) output")
        status = run.indented(*argv, **how)
        log.info2(f"End of {self.app} {self.phase} task ({container[:9]}) output")
        return status


def remove(container: str) -> None:
    run.works("docker", "container", "rm", "--force", "--volumes", container)


def ephemeral(app: str, phase: str, command: str, image: str, source: str) -> None:
    """Run the command in a container that leaves no trace in the image."""
    task = Task(app, phase, command, Image(app, image))
    log.info1(f"Executing {phase} task from {source} in ephemeral container: {task.shown}")
    container = task.create(f"--label=dokku_phase_script={phase}", "--rm", *task.env_words, "--entrypoint=", "--",
                            image, *task.argv)  # fmt: skip
    try:
        if task.show(container, "docker", "container", "start", "--attach", container):
            raise task.failed()
    finally:
        remove(container)


def predeploy(app: str, command: str, image_name: str, source: str) -> None:
    """Run the command in a container of the image, and commit what it changed as the image.

    The container itself only waits, and the command is started in it with the app's variables: so these do not end up
    in the image, where a variable that is unset later would stay for ever.
    """
    image = Image(app, image_name)
    task = Task(app, "predeploy", command, image)
    log.info1(f"Executing predeploy task from {source}: {task.shown}")
    base = _base(image)
    name = f"{app}.predeploy.{os.getpid()}"
    _remove_leftovers(app)
    task.options = taskargs.without(task.options, ("--label", "-l", "--name"), ())
    container = task.create("--interactive", f"--name={name}", "--entrypoint=", "--", base, "/bin/sh", "-c", "read _")
    try:
        run.capture("start a container for the predeploy task (it needs /bin/sh in the image)",
                    "docker", "container", "start", container)  # fmt: skip
        argv = ("docker", "container", "exec", *task.env_words, container, *task.argv)
        if task.show(container, *argv, env=task.client_env):
            raise task.failed()
        run.works("docker", "container", "kill", container)
        _commit(container, image, base)
    finally:
        remove(container)


def _base(image: Image) -> str:
    """A redeploy of the same build starts its predeploy task where the first one did."""
    base = image.labels.get(BASE_LABEL, "")
    return base if base and run.works("docker", "image", "inspect", "--", base) else image.id


def _commit(container: str, image: Image, base: str) -> None:
    changes = (f"ENTRYPOINT {json.dumps(image.entrypoint)}", f"CMD {json.dumps(image.cmd)}",
               "LABEL com.dokku.predeploy-phase=true", f"LABEL {BASE_LABEL}={base}")  # fmt: skip
    options = [word for change in changes for word in ("--change", change)]
    argv = ("docker", "container", "commit", *options, container, image.name)
    run.capture("keep what the predeploy task changed", *argv)


def _remove_leftovers(app: str) -> None:
    """Containers of predeploy tasks that were killed; nobody else would ever end them."""
    assert names.is_app_name(app)
    found = run.capture("look for old predeploy containers", "docker", "container", "ls", "--all", "--quiet",
                        "--filter", f"name=^{app.replace('.', '[.]')}[.]predeploy[.][0-9]+$")  # fmt: skip
    for container in found.split():
        remove(container)
