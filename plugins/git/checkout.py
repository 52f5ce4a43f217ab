"""The source of one revision in a directory of its own, for the time of one deploy (commands-b.md 1.4).

`git archive` and not a worktree: it leaves no record in the repository that a killed deploy would not clean up, and it
honours export-ignore. Only submodules and keep-git-dir need a .git directory, which is then a real small repository.
"""

import os

import repo

from dokku_min import files, paths, properties, run
from dokku_min.errors import Failure


class work_dir:  # noqa: N801 - used like a function, in a with statement
    """A fresh directory below DATA/git/APP/work, mode 755, gone at the end. The caller holds the app's lock."""

    def __init__(self, app: str):
        self.app = app

    def __enter__(self) -> str:
        import tempfile

        sweep(self.app)
        sweep_uploads(self.app)
        files.make_dir(_work_root(self.app))
        self.path = tempfile.mkdtemp(prefix=f"dokku-{os.environ.get('DOKKU_PID', '')}-", dir=_work_root(self.app))
        os.chmod(self.path, 0o755)
        return self.path

    def __exit__(self, *_: object) -> None:
        sweep(self.app)


def _work_root(app: str) -> str:
    return f"{paths.data_dir('git', app)}/work"


def sweep(app: str) -> None:
    """Remove what deploys that were killed left behind: under the app's lock, whatever lies there is a leftover."""
    import shutil
    import stat

    def make_writable(_function, path, _error):  # type: ignore[no-untyped-def]
        """A checkout may hold directories that not even their owner may write."""
        for place in (os.path.dirname(path), path):
            if not os.path.islink(place):
                os.chmod(place, stat.S_IRWXU)
        shutil.rmtree(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)

    if os.path.lexists(_work_root(app)):
        shutil.rmtree(_work_root(app), onerror=make_writable)


def sweep_uploads(app: str) -> None:
    """Remove objects that killed pushes had sent; git itself keeps them for weeks. Not while another push is sending."""
    base = f"{paths.app_dir(app)}/objects"
    own = os.path.basename(os.environ.get(repo.QUARANTINE, ""))
    left = [name for name in os.listdir(base) if name.startswith("tmp_objdir-incoming-") and name != own]
    if left and _receiving(paths.app_dir(app)) <= (1 if own else 0):
        for name in left:
            files.remove_tree(f"{base}/{name}")


def _receiving(repository: str) -> int:
    """How many git processes receive a push into the repository now."""
    found = 0
    for name in os.listdir("/proc"):
        words = _command_line(name) if name.isdigit() else []
        found += "receive-pack" in words and repository in words
    return found


def _command_line(pid: str) -> list[str]:
    try:
        return files.read(f"/proc/{pid}/cmdline").split("\0")
    except OSError:  # it ended while we looked
        return []


def fill(app: str, rev: str, work: str) -> None:
    """Put the files of rev, submodules included, into work."""
    keep = properties.effective("git", app, "keep-git-dir", "false") == "true"
    _export(app, rev, work)
    if keep or os.path.lexists(f"{work}/.gitmodules"):
        _own_repository(app, rev, work)
        _submodules(app, work)
        if keep:
            _stand_alone(app, work)
        else:
            remove_git_dirs(work)


def _export(app: str, rev: str, work: str) -> None:
    archive = f"{_work_root(app)}/source.tar"
    repo.git(app, "archive", "--format=tar", f"--output={archive}", f"{rev}^{{commit}}")
    run.capture(f"unpack the source of {app}", "tar", "--extract", f"--file={archive}", f"--directory={work}")
    os.unlink(archive)


def _own_repository(app: str, rev: str, work: str) -> None:
    """A .git in work that knows rev as the deploy branch, and borrows the objects of the app's repository."""
    branch = repo.deploy_branch(app)
    _git(work, "init", "--quiet", "--template=", f"--initial-branch={branch}")
    stores = [f"{paths.app_dir(app)}/objects", os.environ.get("DOKKU_GIT_QUARANTINE", "")]
    files.make_dir(f"{work}/.git/objects/info")
    files.write(f"{work}/.git/objects/info/alternates", "".join(f"{store}\n" for store in stores if store))
    _git(work, "update-ref", "HEAD", f"{rev}^{{commit}}")
    _git(work, "reset", "--quiet")
    _git(work, "config", "gc.auto", "0")
    _git(work, "config", "receive.denyCurrentBranch", "ignore")


def _submodules(app: str, work: str) -> None:
    """Fetched with the server's own credentials (git:auth, deploy key), over the network only.

    The developer names the URLs: one that is a path, or a transport that runs programs, must not reach this host's files.
    """
    if not os.path.lexists(f"{work}/.gitmodules"):
        return
    allowed = {"GIT_ALLOW_PROTOCOL": "https:http:ssh:git", "GIT_SSH_COMMAND": "ssh -o BatchMode=yes"}
    for argv in (("sync", "--quiet", "--recursive"), ("update", "--quiet", "--init", "--recursive")):
        status = run.stream("git", "-C", work, "submodule", *argv, **repo.environment({"env": allowed}))
        if status:
            raise Failure(
                f"cannot fetch the submodules of {app}: git exited {status}",
                "see `dokku git:auth`, `dokku git:generate-deploy-key` and `dokku git:allow-host` for access",
            )


def _stand_alone(app: str, work: str) -> None:
    """Copy the borrowed objects: the directory goes into an image, where the app's repository is not."""
    _git(work, "repack", "-a", "-d", "-q")
    os.unlink(f"{work}/.git/objects/info/alternates")


def remove_git_dirs(work: str) -> None:
    """Every .git below work, be it a directory or a submodule's file."""
    for directory, below, names in os.walk(work):
        if ".git" in below:
            below.remove(".git")
            files.remove_tree(f"{directory}/.git")
        elif ".git" in names:
            os.unlink(f"{directory}/.git")


def _git(work: str, *argv: str) -> str:
    return run.capture(f"{argv[0]} in the work directory", "git", "-C", work, *argv, **repo.environment({}))
