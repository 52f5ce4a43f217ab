"""From a revision in an app's repository to its release: `receive-app` (commands-b.md 1.5)."""

import os

import checkout
import repo

from dokku_min import dispatch, log, properties, run
from dokku_min.errors import Failure
from dokku_min.locks import app_lock
from dokku_min.recording import build_record
from dokku_min.sdk import ask, fire, holds


def receive(app: str, rev: str = "") -> None:
    """Build and deploy rev, or what the deploy branch is at. A failure leaves the app as it was."""
    if not repo.exists(app):
        return
    run.preload()  # once for all the hooks below, which are forks of this process
    with app_lock(app), build_record(app, os.environ.get("DOKKU_BUILD_SOURCE", "ps:rebuild")):
        found = rev or _stored(app)
        _use_credentials(app)
        _check_commit(app, found)
        repo.note_deploying(app, found)
        with _RevisionInConfig(app, rev), checkout.work_dir(app) as work:
            checkout.fill(app, found, work)
            _deploy(app, found, work)


def _use_credentials(app: str) -> None:
    """Images are built and pulled with the app's own registry credentials where it has any (commands-b.md 4)."""
    directory = ask("registry-client-config", app)
    if directory:
        os.environ["DOCKER_CONFIG"] = directory


def _stored(app: str) -> str:
    branch = repo.deploy_branch(app)
    found = repo.revision(app, branch)
    if not found:
        raise Failure(
            f"Cannot build from '{branch}' as there are no commits stored at that branch.",
            f"push it, or deploy another one: dokku git:set {app} deploy-branch BRANCH",
        )
    return found


def _check_commit(app: str, rev: str) -> None:
    if not repo.is_revision(rev):
        raise Failure(f"not a revision: {rev}", "give the full object name of a commit")
    if repo.quiet(app, "cat-file", "-e", f"{rev}^{{commit}}")[0]:
        raise Failure(f"{app} has no commit {rev}")


def _deploy(app: str, rev: str, work: str) -> None:
    fire("core-post-extract", app, work, rev)
    os.chdir(work)
    fire("post-extract", app, work, rev)
    os.chdir("/")
    builder = detect(app, work)
    fire("pre-receive-app", app, builder, work, rev)
    fire("builder-set-property", app, "detected", builder)
    try:
        fire("builder-build", builder, app, work)
        fire("release-and-deploy", app, "", os.environ.get("DOKKU_BUILD_SOURCE", "ps:rebuild"))
    except BaseException:
        dispatch.capture("release-retag", app)  # its name is on the new image, which nobody runs
        raise


def detect(app: str, work: str) -> str:
    """The builder for this source: the first line that a plugin prints, else herokuish (plugins.md 2)."""
    found = ask("builder-detect", app, work).split("\n")[0].strip()
    if not found:
        found = "herokuish"
        if os.uname().machine in ("aarch64", "arm64") and not holds("builder-herokuish-allowed", app):
            log.warn("herokuish needs an amd64 machine, building with pack instead")
            found = "pack"
    if not _is_known(found):
        raise Failure(f"no plugin builds with {found}", f"choose a builder: dokku builder:set {app} selected NAME")
    return found


def _is_known(builder: str) -> bool:
    """Does a plugin build under this name? Its own says so, or that it has others; one outside the core may have any."""
    plugins = [plugin for plugin, _ in dispatch.index().handlers("builder-build")]
    known = any(plugin.name == f"builder-{builder}" or not plugin.core for plugin in plugins)
    return known or builder in ask("builder-names").split()


class _RevisionInConfig:
    """The app sees its revision in GIT_REV, or what `rev-env-var` names; a deploy that fails puts the old one back."""

    def __init__(self, app: str, rev: str):
        own = properties.get("git", app, "rev-env-var")
        disabled = properties.exists("git", app, "rev-env-var") and not own
        self.app, self.rev, self.key = app, rev, own or "GIT_REV"
        self.idle = disabled or not rev

    def __enter__(self) -> None:
        if not self.idle:
            self.before = ask("config-get", self.app, self.key)
            status, said = self._set(self.rev)
            if status:
                raise Failure(f"cannot note the revision of {self.app} in its config", said.strip(), status)

    def __exit__(self, kind: object, *_: object) -> None:
        if kind and not self.idle:
            self._set(self.before)

    def _set(self, rev: str) -> tuple[int, str]:
        if not rev:
            return dispatch.capture("config-unset", "--no-restart", self.app, self.key)
        return dispatch.capture("config-set", "--no-restart", self.app, f"{self.key}={rev}")
