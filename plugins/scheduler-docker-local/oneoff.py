"""One-off containers: what `run` and cron tasks start (commands-b.md 10). What becomes of them: runs.py."""

import os
import sys

import client_env
import containers
import observe
import runs
import streams

from dokku_min import run
from dokku_min.sdk import Failure, ask, directory_lock, dispatch, fire, log, names, paths, properties, words

OWN = "docker-local"
DAY = 86400


def register(plugin):
    plugin.trigger("scheduler-run")(run_command)
    runs.register(plugin)


def run_command(scheduler, app, count="0", *rest):
    """Run a command in a container of the current release; the exit status is the command's.

    How comes in the environment: DOKKU_DETACH_CONTAINER, DOKKU_RUN_TTL_SECONDS, DOKKU_FORCE_TTY, DOKKU_DISABLE_TTY,
    and of a cron task DOKKU_CRON_ID and DOKKU_CONCURRENCY_POLICY.
    """
    if scheduler != OWN:
        return None
    pairs, command = rest[: int(count or 0)], list(rest[int(count or 0) :])
    streams.end_on_signals()
    one = OneOff(app, pairs, command[1:] if command[:1] == ["--"] else command)
    identity = one.create()
    try:
        fire("post-container-create", "app", identity, app, "run")
    except BaseException:
        containers.remove([identity])
        raise
    return one.detach(identity) if one.detached else one.attend(identity)


class OneOff:
    """A container for one command: what it is made of, and how it is run."""

    def __init__(self, app, pairs, command):
        self.app = app
        self.pairs = dict(pair.partition("=")[::2] for pair in pairs)
        self.cron = os.environ.get("DOKKU_CRON_ID", "")
        self.policy = os.environ.get("DOKKU_CONCURRENCY_POLICY") or "allow"
        self.detached = os.environ.get("DOKKU_DETACH_CONTAINER") in ("1", "true")
        self.tty = os.environ.get("DOKKU_FORCE_TTY") == "true" if self.detached else observe.has_tty()
        self.image, self.builder, self.init = _image(app)
        self.process = ""
        self.command = observe.in_image(self.builder, self._resolved(command))
        self.kind = "cron" if self.cron else "run"
        self.dyno = f"{self.kind}.{10000 + int.from_bytes(os.urandom(4), 'big') % 90000}"
        self.name = f"{app}.{self.dyno}"

    def _resolved(self, command):
        """A first word that is a process type of the Procfile stands for that type's command."""
        if not command:
            return observe.shell(self.app, self.builder)
        if not names.is_process_type(command[0]) or not dispatch.index().implemented("procfile-get-command"):
            return command
        found = _procfile_command(self.app, command[0])
        if not found:
            return command
        if not log.quiet():
            print(f"-----> Found '{command[0]}' in Procfile, running that command", file=sys.stderr)
        self.process = command[0]
        return [*words.split(found), *command[1:]]

    def create(self):
        """The id of the new container. A cron task that may run once at a time is looked for under a lock."""
        if not self.cron or self.policy not in ("forbid", "replace"):
            return self._create()
        with directory_lock(f"{paths.data_dir('scheduler-docker-local')}/{self.app}"):
            others = runs.listed(self.app, "cron", f"com.dokku.cron-id={self.cron}")
            if others and self.policy == "forbid":
                raise Failure(f"{self.app} currently has a cron lock in place for {self.cron}. Exiting...")
            for identity in others:
                runs.end(self.app, identity)
            return self._create()

    def _create(self):
        argv, env = self._argv()
        try:
            return run.capture(f"create a container to run in {self.app}", *argv, env=env).strip()
        except streams.Ended:
            run.works("docker", "container", "rm", "--force", self.name)
            raise

    def _argv(self):
        """docker's words and its environment. Values are in the latter, but for those that would change docker."""
        import json

        config = json.loads(ask("config-export", self.app, "false", "true", "json") or "{}")
        values = {**config, "DYNO": self.dyno, **self.pairs}
        env = client_env.harmless(values)
        told = [*(f"--env={key}" for key in ("DYNO", *self.pairs) if key in env), *client_env.told(values)]
        flags = ["--rm", f"--name={self.name}", *(["--tty"] if self.tty else []), *(["--init"] if self.init else [])]
        flags += [] if self.detached else ["--interactive"]
        flags += ["--entrypoint="] if self.builder == "pack" else []  # it would take the command for its own arguments
        labels = [f"--label={label}" for label in self._labels()]
        return ["docker", "container", "create", *flags, *self._asked(), *told, *labels, self.image, *self.command], env

    def _asked(self):
        """What plugins want docker to be told: config, options, mounts, networks."""
        run_args = ask("docker-args-run", self.app, "latest")
        return words.split(f"{run_args} {ask('docker-args-process-run', self.app, self.builder, 'latest', must=True)}")

    def _labels(self):
        found = [f"com.dokku.container-type={self.kind}", f"com.dokku.app-name={self.app}"]
        found += [f"com.dokku.active-deadline-seconds={os.environ.get('DOKKU_RUN_TTL_SECONDS') or DAY}"]
        found += [f"com.dokku.process-type={self.process}"] if self.process else []
        found += [f"com.dokku.cron-id={self.cron}", f"com.dokku.concurrency-policy={self.policy}"] if self.cron else []
        flags = os.environ.get("DOKKU_GLOBAL_FLAGS", "").split()
        asked = [flag.removeprefix("--label=") for flag in flags if flag.startswith("--label=")]
        return [label for label in asked if not label.startswith("com.dokku.")] + found

    def detach(self, identity):
        from subprocess import DEVNULL

        process = run.start("docker", "container", "start", identity, stdin=DEVNULL, stdout=DEVNULL)
        if process.wait():
            containers.remove([identity])
            raise Failure(f"cannot start a container to run in {self.app}")
        print(self.name)

    def attend(self, identity):
        """Our streams are the container's until it ends; whatever ends us ends it."""
        process, status = None, 1
        try:
            process = run.start("docker", "container", "start", "--attach", "--interactive", identity)
            status = streams.wait(process)
        except streams.Ended as ended:
            status = int(ended.code)
            raise
        finally:
            streams.ignore_signals()
            if process is None or process.poll() != 0:  # docker's client may have ended before the container
                runs.end(self.app, identity)
                streams.kill([process] if process else [])
            dispatch.trigger("scheduler-post-run", OWN, self.app, identity, str(status))
        return status


def _image(app):
    """(image id, builder type, whether docker's own PID 1 is wanted) of the current release."""
    import json

    text = ask("release-current", app)
    if not text:
        raise Failure(f"App {app} has not been deployed", "push to it first")
    image = json.loads(text)["image"]
    labels = ("com.dokku.image-stage", "org.opencontainers.image.vendor")
    forms = (f'{{{{with .Config.Labels}}}}{{{{with index . "{label}"}}}}{{{{.}}}}{{{{end}}}}{{{{end}}}}' for label in labels)
    form = "\t".join((observe.BUILDER, *forms))
    found = run.capture(f"find the image of {app}", "docker", "image", "inspect", "--format", form, "--", image)
    builder, stage, vendor = found.rstrip("\n").split("\t")
    if stage != "release":
        raise Failure(
            f"Invalid image stage detected: expected 'release', got '{stage}'", f"run: dokku ps:rebuild {app}"
        )
    init = properties.effective("scheduler-docker-local", app, "init-process")
    return image, builder, init != "false" if init else vendor != "linuxserver.io"


def _procfile_command(app, process):
    status, found = dispatch.capture("procfile-get-command", app, process, "5000")
    return "" if status else found.strip()
