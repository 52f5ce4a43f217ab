"""builder-pack: build apps with Cloud Native Buildpacks (commands-b.md 4.3)."""

import os

from tool import Tool, is_clients

from dokku_min.sdk import ask


def command(app, directory, image, options, env):
    builder = ask("buildpack-stack-name", app) or os.environ.get("DOKKU_CNB_BUILDER") or "heroku/builder:24"
    told = [f"--env={key}={env[key]}" if is_clients(key) else f"--env={key}" for key in sorted(env)]
    argv = ["pack", "build", image, "--builder", builder, "--path", directory, "--default-process", "web"]
    return [*argv, *buildpacks(directory, env), *options, *told]


def buildpacks(directory, env):
    """BUILDPACK_URL, else every line of .buildpacks."""
    found = [env["BUILDPACK_URL"]] if env.get("BUILDPACK_URL") else []
    path = f"{directory}/.buildpacks"
    if not found and os.path.isfile(path) and not os.path.islink(path):
        with open(path, encoding="utf-8", errors="replace") as file:
            found = [line.strip() for line in file if line.strip() and not line.strip().startswith("#")]
    return [word for each in found for word in ("--buildpack", each)]


TOOL = Tool(
    "builder-pack", program="pack", manifest="project.toml", key="projecttoml-path", command=command,
    hint="it is one file: https://buildpacks.io/docs/install-pack, put it into /usr/local/bin",
)  # fmt: skip
