"""git:sync: bring a branch, tag or commit of another repository into the app's own (commands-b.md 2)."""

import os

import receive
import repo

from dokku_min import log, paths, properties, run
from dokku_min.errors import Failure
from dokku_min.locks import app_lock
from dokku_min.sdk import fire

_FETCHED = "refs/dokku/sync"
_SCHEMES = ("https://", "http://", "ssh://", "git://", "file:///")


def sync(app: str, remote: str, ref: str, build: str, skip_deploy_branch: bool) -> None:
    """build: "always", "if-changes" or "" (only move the branch). A deploy that fails leaves the branch where it was."""
    check_remote(remote)
    if ref:
        repo.check_branch_name(ref)
    with app_lock(app):
        repo.initialize(app)
        first = not repo.revision(app)
        log.info1(f"{'Cloning' if first else 'Fetching'} {app} from {shown(remote)}{f'#{ref}' if ref else ''}")
        kind, name = _resolve(app, remote, ref, first)
        rev = _fetch(app, remote, kind, name)
        branch = name if kind == "heads" and first and not skip_deploy_branch else repo.deploy_branch(app)
        _apply(app, remote, branch, rev, build)


def check_remote(remote: str) -> None:
    """Where a fetch may go: other machines, and directories of this one that are not dokku's own."""
    scp_like = ":" in remote.partition("/")[0] and "::" not in remote
    local = remote.removeprefix("file://")
    if remote.startswith("-") or not (remote.startswith((*_SCHEMES, "/")) or scp_like):
        raise Failure(f"cannot fetch from {shown(remote)}", "give a https, ssh or git URL, or user@host:path")
    if local.startswith("/"):
        real = os.path.realpath(local)
        if any(f"{real}/".startswith(f"{os.path.realpath(own)}/") for own in (paths.dokku_root(), paths.lib_root())):
            raise Failure(f"{remote} belongs to dokku itself", "clone or rename an app with: dokku apps:clone OLD NEW")


def shown(remote: str) -> str:
    """The remote without the password that may be in it."""
    scheme, mark, rest = remote.partition("://")
    host = rest.partition("/")[0]
    return f"{scheme}://{rest[host.rindex('@') + 1 :]}" if mark and "@" in host else remote


def _remote_git(app: str, *argv: str) -> str:
    allowed = {"GIT_ALLOW_PROTOCOL": "https:http:ssh:git:file", "GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}
    status, out = run.answer(*repo.argv_of(app, *argv), **repo.environment({"env": allowed}))
    if status:
        raise Failure(
            f"cannot {argv[0]} from the remote repository: git exited {status}",
            "git says why above; see `dokku git:auth`, `git:allow-host` and `git:public-key` for access",
        )
    return out


def _resolve(app: str, remote: str, ref: str, first: bool) -> tuple[str, str]:
    """("heads" or "tags", name) of what ref means over there, or ("commit", what it begins with)."""
    listed = _remote_git(app, "ls-remote", "--symref", "--", remote).splitlines()
    known = {line.split("\t")[1] for line in listed if "\t" in line and not line.startswith("ref:")}
    if not ref:
        heads = [line[5:].split("\t")[0] for line in listed if line.startswith("ref:") and line.endswith("\tHEAD")]
        default = heads[0].removeprefix("refs/heads/") if heads else repo.DEFAULT_BRANCH
        ref = default if first and not properties.effective("git", app, "deploy-branch") else repo.deploy_branch(app)
    for kind in ("heads", "tags"):
        if f"refs/{kind}/{ref}" in known:
            return kind, ref
    if len(ref) >= 4 and not set(ref) - set("0123456789abcdef"):
        return "commit", ref
    raise Failure(f"{shown(remote)} has no branch, tag or commit {ref}")


def _fetch(app: str, remote: str, kind: str, name: str) -> str:
    """Fetch it and return its commit. What came with it stays in the repository until git tidies up."""
    wanted = [f"+refs/{kind}/{name}:{_FETCHED}/one"]
    if kind == "commit":
        wanted = [f"+refs/heads/*:{_FETCHED}/heads/*", f"+refs/tags/*:{_FETCHED}/tags/*"]
    try:
        _remote_git(app, "fetch", "--quiet", "--no-tags", "--no-write-fetch-head", "--", remote, *wanted)
        place = f"{_FETCHED}/one" if kind != "commit" else name
        status, rev = repo.quiet(app, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{place}^{{commit}}")
        if status:
            raise Failure(f"{shown(remote)} has no branch, tag or commit {name}")
        return rev.strip()
    finally:
        for line in repo.git(app, "for-each-ref", "--format=%(refname)", _FETCHED).split():
            repo.git(app, "update-ref", "-d", line)


def _apply(app: str, remote: str, branch: str, rev: str, build: str) -> None:
    changed = repo.revision(app, branch) != rev
    if build and (changed or build == "always"):
        before = properties.get("git", app, "deploy-branch")
        _choose(app, branch)
        try:
            receive.receive(app, rev)
        except BaseException:
            repo.put_back(app, "deploy-branch", before)
            repo.set_head(app, repo.deploy_branch(app))
            raise
        repo.git(app, "update-ref", f"refs/heads/{branch}", rev)
        fire("deploy-source-set", app, "git-sync", f"{shown(remote)}#{rev}")
        return
    _choose(app, branch)
    repo.git(app, "update-ref", f"refs/heads/{branch}", rev)
    if build:
        log.info1("Skipping build as no changes were detected")


def _choose(app: str, branch: str) -> None:
    if branch != repo.deploy_branch(app):
        repo.set_deploy_branch(app, branch)
