"""What builders have in common that run one outside program: everything but the program's own command line."""

import os

from dokku_min import files, log, properties, run, words
from dokku_min.errors import Failure
from dokku_min.names import GLOBAL
from dokku_min.sdk import ask, fire, fire_old


class Tool:
    """A builder named builder-NAME, whose properties are kept under that name.

    command(app, directory, image, options, env) gives the argv that makes the image; options are the app's docker
    options of the build phase, env its variables, which the program also finds in its environment. dockerfile(image)
    may add lines to what the release image is made with; finish(app, directory) runs after the build. port is the
    container port that such images serve at, "" if only the program knows.
    """

    def __init__(self, store: str, program: str, hint: str, manifest: str, key: str, command,
                 dockerfile=None, finish=None, port: str = "5000"):  # type: ignore[no-untyped-def]  # fmt: skip
        self.plugin, self.name = store, store.removeprefix("builder-")
        self.program, self.hint, self.manifest, self.key = program, hint, manifest, key
        self.command, self.dockerfile, self.finish, self.port = command, dockerfile, finish, port

    def register(self, plugin) -> None:  # type: ignore[no-untyped-def]
        """Serve set, report, detection, build and release on the plugin."""
        store = self.plugin
        plugin.settable({self.key: "both"}, command=f"{store}:set", store=store, word="key", check=_relative)
        plugin.report(command=f"{store}:report", heading=store)(self.rows)
        plugin.trigger("core-post-extract")(self.place_manifest)
        plugin.trigger("builder-names")(lambda: self.name)
        plugin.trigger("builder-detect")(self.detect)
        plugin.trigger("builder-build")(self.build)
        plugin.trigger("builder-release")(self.release)
        plugin.trigger("post-app-clone-setup", "post-app-rename-setup")(self.follow)
        plugin.trigger("post-delete")(self.forget)

    def follow(self, old: str, new: str) -> None:
        properties.clone(self.plugin, old, new)

    def forget(self, app: str) -> None:
        properties.destroy(self.plugin, app)

    def path(self, scope: str) -> str:
        return properties.effective(self.plugin, scope, self.key, self.manifest)

    def rows(self, scope: str) -> dict:
        own = {} if scope == GLOBAL else {f"{self.plugin}-{self.key}": properties.get(self.plugin, scope, self.key)}
        shared = properties.get(self.plugin, GLOBAL, self.key)
        return {**own, f"{self.plugin}-global-{self.key}": shared, f"{self.plugin}-computed-{self.key}": self.path(scope)}

    def place_manifest(self, app: str, directory: str) -> None:
        """The chosen file takes the usual one's place; when it is missing there is none (commands-b.md 1.5)."""
        chosen = self.path(app)
        if os.path.normpath(chosen) == self.manifest:
            return
        files.remove(f"{directory}/{self.manifest}")
        found = os.path.realpath(f"{directory}/{chosen}")
        if os.path.isfile(found) and found.startswith(os.path.realpath(directory) + "/"):
            os.replace(found, f"{directory}/{self.manifest}")

    def detect(self, _app: str, directory: str) -> str | None:
        return self.name if os.path.isfile(f"{directory}/{self.manifest}") else None

    def build(self, builder: str, app: str, directory: str) -> None:
        if builder != self.name:
            return
        if not run.installed(self.program):
            raise Failure(f"Missing {self.program}, install it", self.hint)
        log.info1(f"Building {app} with {self.program}")
        fire_old(f"pre-build-{self.name}", "pre-build", app, directory)
        fire("pre-build", self.name, app, directory)
        image = f"dokku/{app}:latest"
        env = self._env(app)
        argv = self.command(app, directory, image, self._options(app), env)
        if run.indented(*argv, env={k: v for k, v in env.items() if not is_clients(k)}):
            raise Failure("App build failed", f"the output of {self.program} is above")
        self._relabel(app, image, "build")
        if self.finish:
            self.finish(app, directory)
        if self.port:
            port = ask("ports-get-property", app, "proxy-port")
            fire("ports-set-detected", app, f"http:{port if port not in ('', '0') else '80'}:{self.port}")
        fire_old(f"post-build-{self.name}", "post-build", app, directory)
        fire("post-build", self.name, app, directory)

    def release(self, builder: str, app: str, tag: str) -> None:
        if builder == self.name:
            self._relabel(app, f"dokku/{app}:{tag or 'latest'}", "release")

    def _env(self, app: str) -> dict[str, str]:
        import json

        return json.loads(ask("config-export", app, "false", "true", "json") or "{}")

    def _options(self, app: str) -> list[str]:
        given = ask("docker-args-build", app, self.name) + " "
        return words.split(given + ask("docker-args-process-build", app, self.name, must=True))

    def _relabel(self, app: str, image: str, stage: str) -> None:
        """Labels, and what dockerfile() says of how the image is started; the image's files are not touched."""
        form = '--format={{index .Config.Labels "com.dokku.image-stage"}}'
        if run.capture(f"look into {image}", "docker", "image", "inspect", form, "--", image).strip() == stage:
            return
        own = {"image-stage": stage, "builder-type": self.name, "app-name": app}
        labels = words.split(os.environ.get("DOKKU_GLOBAL_BUILD_ARGS", ""))
        labels += [f"--label=com.dokku.{name}={value}" for name, value in own.items()]
        lines = f"FROM {image}\n" + (self.dockerfile(image) if self.dockerfile and stage == "build" else "")
        argv = ("docker", "image", "build", "--quiet", *labels, f"--tag={image}", "-")
        status, said = run.answer(*argv, data=lines, quiet=True)  # quiet: docker advertises buildx there
        if status:
            raise Failure(f"cannot label the image of {app}: docker exited {status}", said.strip())


def is_clients(key: str) -> bool:
    """Would this variable of an app change how the docker client, or the program itself, works on this host?"""
    return key.startswith(("DOCKER_", "BUILDKIT_", "BUILDX_", "LD_")) or key in ("HOME", "PATH", "TMPDIR")


def _relative(_scope: str, key: str, value: str) -> str:
    path = value.strip("/")
    if not path or ".." in path.split("/"):
        raise Failure(f"{key} must be a file of the source, not {value}")
    return path
