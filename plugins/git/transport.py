"""git push and git fetch: what sshd's forced command and the repository's hook call (commands-b.md 1.1 and 1.2)."""

import os
import sys

import receive
import repo

from dokku_min import apps, dispatch, log, names, paths, properties, run
from dokku_min.errors import Failure
from dokku_min.locks import app_lock
from dokku_min.sdk import fire


def receive_pack(words: tuple[str, ...]) -> None:
    """Serve a push; the app is made when there is none. stdout belongs to git's protocol."""
    app = _app_of(words)
    if not names.app_directory_exists(app):
        fire("app-maybe-create", app)
    _serve(app, "receive-pack")


def upload_pack(words: tuple[str, ...]) -> int:
    """Serve a fetch or a clone."""
    app = apps.verify(_app_of(words))
    _prepare(app)
    if not (dispatch.index().handlers("git-pre-pull") or dispatch.index().handlers("git-post-pull")):
        _serve(app, "upload-pack")
    _notify("git-pre-pull", app)
    status = run.stream("git", "upload-pack", paths.app_dir(app), stdin=0)
    _notify("git-post-pull", app)
    return status


def upload_archive(words: tuple[str, ...]) -> None:
    _serve(_app_of(words), "upload-archive")


def _app_of(words: tuple[str, ...]) -> str:
    """The app in `'app'`, `'/app'` or `app`; git quotes the path for a shell, and we are none."""
    name = " ".join(words).strip("'\"").lstrip("/")
    if not names.is_app_name(name):
        names.check_new_app(name)
    return name


def _serve(app: str, service: str) -> None:
    apps.verify(app)
    _prepare(app)
    run.become("git", service, paths.app_dir(app))


def _prepare(app: str) -> None:
    if not repo.exists(app):
        repo.initialize(app)
    else:
        repo.write_hook(app)


def _notify(trigger: str, app: str) -> None:
    """What hooks print must not run into git's protocol."""
    status = dispatch.trigger(trigger, app, stdout=2)
    if status:
        raise Failure("", status=status)


def hook(app: str) -> None:
    """pre-receive: stdin lists the refs that the push wants to change. A failure here rejects all of it."""
    repo.leave_quarantine()
    os.environ.setdefault("DOKKU_BUILD_SOURCE", "git-hook")
    done: set[str] = set()
    wanted = repo.deploy_branch(app)
    updates = map(_update, sys.stdin.read().splitlines())
    for new, ref in sorted(updates, key=lambda update: _rank(update[1], wanted)):
        if new not in done:
            done |= _receive(app, new, ref, bool(done))


def _rank(ref: str, wanted: str) -> tuple[bool, bool, bool]:
    """Of several refs in one push the deploy branch comes first, then what people call their main branch, tags last."""
    name = ref.rpartition("/")[2]
    return ref not in (f"refs/heads/{wanted}", f"refs/tags/{wanted}"), name not in ("main", "master"), "/tags/" in ref


def _update(line: str) -> tuple[str, str]:
    words = line.split(" ", 2)
    if len(words) != 3 or not repo.is_revision(words[1]):
        raise Failure("git-hook reads lines of `old new ref`, as git gives them to a pre-receive hook")
    return words[1], words[2]


def _receive(app: str, new: str, ref: str, deployed: bool) -> set[str]:
    """Deploy the update if it is for us; the revision that was deployed. deployed: this push has brought one already."""
    branch = ref.removeprefix("refs/heads/").removeprefix("refs/tags/")
    if branch == ref or not repo.is_branch_name(branch):
        log.warn(f"{ref} is neither a branch nor a tag, nothing is deployed")
        return set()
    wanted = repo.deploy_branch(app)
    if not new.strip("0"):
        if ref == f"refs/heads/{wanted}":
            raise Failure(
                f"{branch} is the deploy branch of {app} and cannot be deleted",
                f"deploy another one first: dokku git:set {app} deploy-branch BRANCH",
            )
        return set()
    if branch != wanted:
        if dispatch.index().implemented("receive-branch"):
            fire("receive-branch", app, new, ref)
            fire("deploy-source-set", app, "git-push", new)
            return {new}
        if deployed:
            return set()
        if not _is_first(app):
            log.warn(f"WARNING: deploy did not complete, you must push to {wanted}.")
            log.warn(f"for example, try 'git push <remote> {branch}:{wanted}'")
            return set()
        log.info1(f"Set {branch} as deploy-branch")
    _deploy(app, new, branch)
    return {new}


def _is_first(app: str) -> bool:
    """Nobody has said what to deploy, and nothing has been deployed yet: then it is what comes first."""
    chosen = properties.effective("git", app, "deploy-branch")
    return not chosen and not repo.revision(app)


def _deploy(app: str, new: str, branch: str) -> None:
    run.preload()
    with app_lock(app, wait=False):
        before = properties.get("git", app, "deploy-branch")
        if branch != repo.deploy_branch(app):
            repo.set_deploy_branch(app, branch)
        try:
            receive.receive(app, new)
        except BaseException:
            repo.put_back(app, "deploy-branch", before)
            repo.set_head(app, repo.deploy_branch(app))
            raise
        fire("deploy-source-set", app, "git-push", new)
