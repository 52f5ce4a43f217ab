"""Code that does not come by git: commit a directory onto the deploy branch, and deploy it (commands-b.md 2)."""

import os

import checkout
import receive
import repo

from dokku_min import files
from dokku_min.errors import Failure
from dokku_min.locks import app_lock

NAME, EMAIL = "Dokku", "automated@dokku.sh"


def deploy_directory(app: str, directory: str, name: str = "", email: str = "") -> str:
    """Commit what is in directory and deploy it; the revision. The branch moves only when the deploy has succeeded."""
    with app_lock(app):
        repo.initialize(app)
        branch = repo.deploy_branch(app)
        parent = repo.revision(app, branch)
        rev = _commit(app, directory, parent, name or NAME, email or EMAIL)
        receive.receive(app, rev)
        repo.git(app, "update-ref", f"refs/heads/{branch}", rev)
        repo.set_head(app, branch)
    return rev


def _commit(app: str, directory: str, parent: str, name: str, email: str) -> str:
    import time

    tree = _tree(app, directory)
    if parent and repo.git(app, "rev-parse", f"{parent}^{{tree}}").strip() == tree:
        raise Failure("No changes detected, skipping git commit", f"deploy it again with: dokku ps:rebuild {app}")
    message = f"Automated commit @ {int(time.time())}" if parent else "Initial commit"
    people = {f"GIT_{who}_{what}": value
              for who in ("AUTHOR", "COMMITTER") for what, value in (("NAME", name), ("EMAIL", email))}  # fmt: skip
    onto = ("-p", parent) if parent else ()
    return repo.git(app, "commit-tree", *onto, "-m", message, tree, env=people).strip()


def _tree(app: str, directory: str) -> str:
    """All files count, ignored ones too; a .git that came with them does not, it would hide what is beside it."""
    checkout.remove_git_dirs(directory)
    index = f"{directory}.index"
    try:
        aside = {"GIT_INDEX_FILE": index, "GIT_WORK_TREE": directory}
        repo.git(app, "add", "--all", "--force", "--", ".", env=aside, cwd=directory)
        return repo.git(app, "write-tree", env=aside).strip()
    finally:
        files.remove(index)


def deploy_source(app: str, kind: str, where: str, fill, who: tuple[str, ...]) -> None:  # type: ignore[no-untyped-def]
    """Deploy what fill(directory) puts into a fresh directory, or into one below it, whose name it returns."""
    from dokku_min.sdk import fire

    if len(who) > 2:
        raise Failure(f"Unexpected argument(s): {' '.join(who[2:])}", "after the source come a name and an e-mail address")
    with app_lock(app), checkout.work_dir(app) as directory:
        source = fill(directory) or directory
        deploy_directory(app, source, *who)
        fire("deploy-source-set", app, kind, where)


def check_directory(path: str) -> str:
    """A directory of this server that the dokku user can read and that is not one of dokku's own."""
    from dokku_min import paths

    real = os.path.realpath(path)
    if not os.path.isdir(real) or not os.access(real, os.R_OK | os.X_OK):
        raise Failure(f"there is no directory {path} that the dokku user can read", "name one on the server itself")
    for own in (paths.dokku_root(), paths.lib_root()):
        if f"{real}/".startswith(f"{os.path.realpath(own)}/") or os.path.realpath(own).startswith(f"{real}/"):
            raise Failure(f"{path} is not for deploying: dokku keeps its own files there")
    return real
