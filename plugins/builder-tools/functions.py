"""builder-lambda: build functions with lambda-builder (commands-b.md 4.3). State: LIB/data/builder-lambda/APP/REV.zip."""

import os

from tool import Tool

from dokku_min.sdk import Failure, ask, files, paths


def command(app, directory, image, options, env):
    where = ("--tag", image, "--working-directory", directory)
    return ["lambda-builder", "build", "--generate-image", "--write-procfile", "--port", "5000", *where, *options]


def finish(app, directory):
    """Keep the function's archive, and the Procfile that was written for it, under the revision they are made of."""
    import shutil

    if not os.path.isfile(f"{directory}/lambda.zip"):
        raise Failure("lambda-builder has made no lambda.zip", "its output is above")
    kept = paths.data_dir("builder-lambda", app)
    files.make_dir(kept)
    name = f"{kept}/{ask('git-revision', app) or 'latest'}"
    shutil.copyfile(f"{directory}/lambda.zip", f"{name}.zip.new")
    os.rename(f"{name}.zip.new", f"{name}.zip")
    if os.path.isfile(f"{directory}/Procfile"):
        files.write(f"{name}.Procfile", files.read(f"{directory}/Procfile"))


def forget(app):
    """The archives of an app that is gone."""
    files.remove_tree(paths.data_dir("builder-lambda", app))


TOOL = Tool(
    "builder-lambda", program="lambda-builder", manifest="lambda.yml", key="lambdayml-path", command=command, finish=finish,
    hint="it is one file: https://github.com/dokku/lambda-builder/releases, put it into /usr/local/bin",
)  # fmt: skip
