"""The bare repository of an app, which lives in the app's own directory (commands-b.md 2)."""

import os

from dokku_min import files, names, paths, properties, run, words
from dokku_min.errors import Failure

DEFAULT_BRANCH = "master"
QUARANTINE = "DOKKU_GIT_QUARANTINE"  # objects of a push that is not accepted yet; see leave_quarantine
_DEPLOYING = "DOKKU_GIT_DEPLOYING"  # "app=revision" that this process tree deploys
_HEX = frozenset("0123456789abcdef")


def git(app: str, *argv: str, **how) -> str:
    """What git says about the app's repository. The purpose of the call is its first word."""
    return run.capture(f"{argv[0]} in the repository of {app}", *argv_of(app, *argv), **environment(how))


def quiet(app: str, *argv: str, **how) -> tuple[int, str]:
    return run.answer(*argv_of(app, *argv), quiet=True, **environment(how))


def argv_of(app: str, *argv: str) -> tuple[str, ...]:
    return ("git", f"--git-dir={paths.app_dir(app)}", *argv)


def environment(how: dict) -> dict:
    """Nothing of a calling hook's git, but for where to read the objects of the push; and never a question."""
    env = {"GIT_TERMINAL_PROMPT": "0", **how.pop("env", {})}
    if os.environ.get(QUARANTINE):
        env["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = os.environ[QUARANTINE]
    return {"env": env, "unset": run.GIT_HOOK_ENV, **how}


def leave_quarantine() -> None:
    """In a hook: no program we start shall take our git's variables for its own. The push's objects stay readable."""
    quarantine = os.environ.get("GIT_QUARANTINE_PATH", "")
    if quarantine:
        os.environ[QUARANTINE] = os.path.abspath(quarantine)
    for name in run.GIT_HOOK_ENV:
        os.environ.pop(name, None)


def is_branch_name(name: str) -> bool:
    """The rules of git-check-ref-format(1) for what follows refs/heads/, and no dash that git takes for a flag."""
    parts = name.split("/")
    return (
        bool(name)
        and name[0] != "-"
        and name != "@"
        and name[-1] != "."
        and not any(ord(c) < 33 or ord(c) == 127 or c in "~^:?*[\\" for c in name)
        and ".." not in name
        and "@{" not in name
        and all(part and part[0] != "." and not part.endswith(".lock") for part in parts)
    )


def check_branch_name(name: str) -> str:
    if not is_branch_name(name):
        raise Failure(f"not a name for a branch: {name}", "see `git help check-ref-format`")
    return name


def is_revision(text: str) -> bool:
    """A full object name, as git writes it."""
    return len(text) in (40, 64) and not set(text) - _HEX


def deploy_branch(app: str) -> str:
    return properties.effective("git", app, "deploy-branch", DEFAULT_BRANCH)


def revision(app: str, branch: str = "") -> str:
    """The commit that the branch (default: the deploy branch) is at, or nothing. Read as git stores it: no process."""
    name = f"refs/heads/{branch or deploy_branch(app)}"
    path = f"{paths.app_dir(app)}/{name}"
    loose = "" if os.path.isdir(path) else files.read(path).strip()
    if loose:
        return loose
    for line in files.read(f"{paths.app_dir(app)}/packed-refs").splitlines():
        found, _, ref = line.partition(" ")
        if ref == name:
            return found
    return ""


def deployed_revision(app: str) -> str:
    """The revision that is being deployed right now, else what the deploy branch is at."""
    deploying, _, rev = os.environ.get(_DEPLOYING, "").partition("=")
    return rev if deploying == app else revision(app)


def note_deploying(app: str, rev: str) -> None:
    os.environ[_DEPLOYING] = f"{app}={rev}"


def exists(app: str) -> bool:
    base = paths.app_dir(app)
    return all(os.path.exists(f"{base}/{part}") for part in ("HEAD", "refs", "objects", "config"))


def initialize(app: str) -> None:
    """Make the repository and its hook, or complete what is there of them."""
    base = paths.app_dir(app)
    if not exists(app):
        argv = ("git", "init", "--quiet", "--bare", "--template=", f"--initial-branch={deploy_branch(app)}", base)
        run.capture(f"make the repository of {app}", *argv, **environment({}))
    write_hook(app)


def write_hook(app: str) -> None:
    root = words.quote(paths.dokku_root())
    text = f'#!/bin/sh\nDOKKU_ROOT={root} exec dokku git-hook "{_checked(app)}"\n'
    path = f"{paths.app_dir(app)}/hooks/pre-receive"
    if files.read(path) != text or not os.access(path, os.X_OK):
        files.make_dir(os.path.dirname(path))
        files.write(path, text, 0o755)


def _checked(app: str) -> str:
    if not names.is_app_name(app):
        raise Failure(f"not the name of an app: {app}")
    return app


def set_head(app: str, branch: str) -> None:
    """What a clone of the repository checks out."""
    if exists(app):
        files.write(f"{paths.app_dir(app)}/HEAD", f"ref: refs/heads/{check_branch_name(branch)}\n", 0o644)


def set_deploy_branch(app: str, branch: str) -> None:
    properties.put("git", app, "deploy-branch", check_branch_name(branch))
    set_head(app, branch)


def put_back(app: str, key: str, value: str) -> None:
    """The property as it was before a deploy that failed; unset when it was."""
    if value:
        properties.put("git", app, key, value)
    else:
        properties.delete("git", app, key)
