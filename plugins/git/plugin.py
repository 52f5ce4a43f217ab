#!/usr/bin/python3
"""git: the repositories of apps, and every way of bringing code into one (commands-b.md 1 and 2)."""

import os

import follow
import receive
import repo
import transport

from dokku_min.sdk import Failure, Plugin, files, log, names, paths, properties

GLOBAL = names.GLOBAL
DEFAULTS = {"deploy-branch": repo.DEFAULT_BRANCH, "keep-git-dir": "false"}
LIMITS = {"archive-max-files": "10000", "archive-max-size": "1073741824"}

plugin = Plugin("git", properties=True)
main = plugin.main


@plugin.command("git-receive-pack")
def receive_pack(*words):
    transport.receive_pack(words)


@plugin.command("git-upload-pack")
def upload_pack(*words):
    return transport.upload_pack(words)


@plugin.command("git-upload-archive")
def upload_archive(*words):
    transport.upload_archive(words)


@plugin.command("git-hook")
def git_hook(app):
    transport.hook(app)


@plugin.command("git:initialize")
def initialize(app):
    repo.initialize(app)


@plugin.command("git:status")
def status(app):
    repo.initialize(app)
    from dokku_min import run

    return run.stream("git", "-C", paths.app_dir(app), "status")


@plugin.command("git:unlock")
def unlock(app, *, force=False):
    """A command of long ago, kept so that scripts do not break: a checkout leaves no lock behind any more."""
    log.info1(f"{app} has no git lock, there is nothing to remove")


@plugin.report(heading="git")
def rows(scope):
    found = {}
    for key, default in DEFAULTS.items():
        found |= triple(scope, key, default)
    for key, default in LIMITS.items():
        found |= triple(scope, key, default)
        found.pop(f"git-{key}", None)
    if scope != GLOBAL:
        found |= {
            "git-rev-env-var": rev_env_var(scope),
            "git-source-image": properties.get("git", scope, "source-image"),
            "git-sha": lambda: repo.revision(scope),
            "git-last-updated-at": lambda: last_updated_at(scope),
        }
    return found


def triple(scope, key, default):
    found = {
        f"git-global-{key}": properties.get("git", GLOBAL, key),
        f"git-computed-{key}": properties.effective("git", scope, key, default),
    }
    return found if scope == GLOBAL else {f"git-{key}": properties.get("git", scope, key), **found}


def rev_env_var(app):
    """An empty file says "none", which is not the same as saying nothing."""
    set_ = properties.exists("git", app, "rev-env-var")
    return properties.get("git", app, "rev-env-var") if set_ else "GIT_REV"


def last_updated_at(app):
    """When the deploy branch last moved, in seconds since 1970."""
    branch = f"{paths.app_dir(app)}/refs/heads/{repo.deploy_branch(app)}"
    for path in (branch, f"{paths.app_dir(app)}/packed-refs"):
        if os.path.isfile(path) and repo.revision(app):
            return str(int(os.stat(path).st_mtime))
    return ""


def check(scope, key, value):
    if key == "deploy-branch":
        return repo.check_branch_name(value)
    if key == "keep-git-dir" and value not in ("true", "false"):
        raise Failure(f"{key} takes true or false, not {value}")
    if key == "rev-env-var" and not names.is_env_key(value):
        raise Failure(f"{value} is not the name of a variable", "names hold letters, digits and _")
    if key in LIMITS and not (value.isascii() and value.isdigit() and int(value)):
        raise Failure(f"{key} takes a number above 0, not {value}")
    return value


def changed(scope, key, value):
    if key == "rev-env-var" and not value:
        properties.put("git", scope, key, "")
    if key == "deploy-branch" and scope != GLOBAL:
        repo.set_head(scope, repo.deploy_branch(scope))


plugin.settable(
    {"deploy-branch": "both", "keep-git-dir": "both", "rev-env-var": "app", "source-image": "app",
     "archive-max-files": "both", "archive-max-size": "both"},
    word="key", check=check, changed=changed,
)  # fmt: skip


@plugin.trigger("receive-app")
def receive_app(app, rev):
    receive.receive(app, rev)


@plugin.trigger("git-deploy-branch")
def git_deploy_branch(app):
    return repo.deploy_branch(app)


@plugin.trigger("git-has-code")
def git_has_code(app, branch):
    return bool(repo.revision(app, branch))


@plugin.trigger("git-revision")
def git_revision(app):
    return repo.deployed_revision(app)


@plugin.trigger("git-get-property")
def git_get_property(app, key):
    return properties.get("git", app, key) if key == "source-image" else properties.effective("git", app, key)


@plugin.trigger("deploy-source-set")
def deploy_source_set(app, kind, metadata):
    if kind == "docker-image":
        properties.put("git", app, "source-image", metadata)
    else:
        properties.delete("git", app, "source-image")


@plugin.trigger("post-create")
def post_create(app):
    repo.initialize(app)


@plugin.trigger("post-app-clone-setup")
def post_app_clone_setup(old, new):
    follow.copy(old, new, but=("tls",))


@plugin.trigger("post-app-rename-setup")
def post_app_rename_setup(old, new):
    follow.copy(old, new)


@plugin.trigger("post-delete")
def post_delete(app):
    files.remove_tree(paths.data_dir("git", app))


if __name__ == "__main__":
    plugin.run()
