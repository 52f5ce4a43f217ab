#!/usr/bin/python3
"""git: the repositories of apps, and every way of bringing code into one (commands-b.md 1 and 2)."""

import os

import access
import archives
import commits
import follow
import images
import receive
import repo
import sync
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
    """What a deploy would take. `git status` itself knows nothing to say of a repository without a working tree."""
    repo.initialize(app)
    print(f"On branch {repo.deploy_branch(app)}")
    rev = repo.revision(app)
    print(repo.git(app, "log", "-1", "--format=%h %s (%an, %ad)", rev).rstrip() if rev else "No commits yet")


@plugin.command("git:unlock")
def unlock(app, *, force=False):
    """A command of long ago, kept so that scripts do not break: a checkout leaves no lock behind any more."""
    log.info1(f"{app} has no git lock, there is nothing to remove")


@plugin.command("git:from-archive", options_first=True)
def from_archive(app, url="", *who, archive_type="tar"):
    if not url:
        raise Failure("Please specify an archive url or -- to fetch the archive from stdin")
    os.environ["DOKKU_BUILD_SOURCE"] = "git:from-archive"
    archives.deploy(app, url, archive_type, who)


@plugin.command("git:from-image")
def from_image(app, image, *who, build_dir="", force=False):
    os.environ["DOKKU_BUILD_SOURCE"] = "git:from-image"
    images.from_image(app, image, build_dir, force, who)


@plugin.command("git:load-image")
def load_image(app, image, *who, build_dir=""):
    os.environ["DOKKU_BUILD_SOURCE"] = "git:load-image"
    images.load_image(app, image, build_dir, who)


@plugin.command("git:sync")
def sync_(app, remote, ref="", *, build=False, build_if_changes=False, skip_deploy_branch=False):
    if build and build_if_changes:
        raise Failure("--build and --build-if-changes cannot be used together")
    os.environ["DOKKU_BUILD_SOURCE"] = "git:sync"
    wanted = "always" if build else "if-changes" if build_if_changes else ""
    sync.sync(app, remote, ref, wanted, skip_deploy_branch)


@plugin.command("git:auth")
def auth(host="", user="", password=""):
    access.auth(host, user, password)


@plugin.command("git:auth-status")
def auth_status(host="", user="", password=""):
    return 0 if access.auth_matches(host, user, password) else 1


@plugin.command("git:allow-host")
def allow_host(host=""):
    access.allow_host(host)


@plugin.command("git:generate-deploy-key")
def generate_deploy_key():
    access.generate_deploy_key()


@plugin.command("git:public-key")
def public_key():
    print(access.public_key())


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


@plugin.trigger("git-from-directory")
def git_from_directory(app, directory, name, email):
    """directory is the caller's: we commit a copy, which loses the .git that may be in it."""
    import shutil

    def fill(work):
        shutil.copytree(directory, work, symlinks=True, dirs_exist_ok=True)

    if not os.path.isdir(directory):
        raise Failure(f"there is no directory {directory}")
    commits.deploy_source(app, "directory", "", fill, (name, email))


@plugin.trigger("git-from-archive")
def git_from_archive(app, url, kind, name, email):
    archives.deploy(app, url, kind or "tar", (name, email))


@plugin.trigger("git-from-image")
def git_from_image(app, image, build_dir, name, email):
    images.from_image(app, image, build_dir, False, (name, email))


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


@plugin.trigger("install")
def install():
    access.secure()


@plugin.trigger("post-create")
def post_create(app):
    repo.initialize(app)


@plugin.trigger("post-app-clone-setup")
def post_app_clone_setup(old, new):
    follow.copy(old, new, but=("tls",))


@plugin.trigger("post-app-rename-setup")
def post_app_rename_setup(old, new):
    follow.copy(old, new)


@plugin.trigger("post-app-clone", "post-app-rename")
def post_app_copy(_old, new):
    if os.environ.get("SKIP_REBUILD") != "true":
        receive.receive(new)


@plugin.trigger("post-delete")
def post_delete(app):
    files.remove_tree(paths.data_dir("git", app))


if __name__ == "__main__":
    plugin.run()
