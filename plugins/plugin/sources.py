"""Where plugins come from: git repositories and archives, into available/, all of it or no trace of it (plugins.md 1.8)."""

import os
import shutil

from dokku_min import plugins as core
from dokku_min import run
from dokku_min.sdk import Failure, files, log, names, paths

_SOURCES = ("https:", "git", "ssh:", "file:")
_ARCHIVES = (".tar.gz", ".tgz")
_PINNED = ".plugin_committish"
# Plugin trees belong to the dokku user, and git as root would refuse them; their own git hooks are not for us to run.
_GIT = ("git", "-c", "safe.directory=*", "-c", "core.hooksPath=/dev/null")
_QUIETLY = {"GIT_TERMINAL_PROMPT": "0"}  # a mistyped address must not ask for a user name


def path_of(name: str) -> str:
    return f"{paths.available_path()}/{name}"


def default_name(url: str) -> str:
    name = url.rstrip("/").rpartition("/")[2].rpartition(":")[2]
    for ending in (".git", *_ARCHIVES):
        name = name.removesuffix(ending)
    return name.removeprefix("dokku-")


def check_url(url: str) -> None:
    if url.startswith("-") or not (url.startswith(_SOURCES) or url.endswith(_ARCHIVES)):
        raise Failure("Please retry with valid arguments", "give a https, ssh, git or file URL, or a .tar.gz")


def origin(name: str) -> str:
    return git_says(name, "config", "--get", "remote.origin.url")


def shown_origin(name: str) -> str:
    """The same for everybody's eyes: what stands before the @ of a web address can be a token."""
    scheme, between, rest = origin(name).partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host.rpartition('@')[2]}{slash}{path}" if scheme in ("http", "https") else scheme + between + rest


def git_says(name: str, *words: str) -> str:
    """What git says about an installed plugin; nothing when it did not come from git."""
    if not os.path.isdir(f"{path_of(name)}/.git"):
        return ""
    return run.answer(*_GIT, "-C", path_of(name), *words, quiet=True)[1].strip()


def pinned_to(name: str) -> str:
    return files.read(f"{path_of(name)}/{_PINNED}").strip()


def fetch(url: str, name: str, committish: str) -> None:
    """Put a plugin into available/NAME, which is free; it is whole and its manifest can be read, or nothing is there."""
    fresh = f"{paths.available_path()}/.{name}.new"
    files.remove_tree(fresh)  # of an install that was killed
    try:
        (_fetch_archive if url.endswith(_ARCHIVES) else _clone)(url, fresh, committish)
        _must_be_a_plugin(fresh, f"install {name}")
        own(fresh)
        os.rename(fresh, path_of(name))
    finally:
        files.remove_tree(fresh)


def _must_be_a_plugin(directory: str, purpose: str) -> None:
    if os.path.exists(f"{directory}/plugin.toml"):
        problem = core.manifest_error(directory)
        if problem:
            raise Failure(f"cannot {purpose}: {problem}")
    elif not any(os.access(f"{directory}/{n}", os.X_OK) for n in os.listdir(directory) if n not in (".git", ".github")):
        raise Failure(f"cannot {purpose}: it has neither a plugin.toml nor hooks", "is it a dokku plugin?")


def _clone(url: str, target: str, committish: str) -> None:
    run.check("clone the plugin", *_GIT, "clone", "--quiet", "--", url, target, env=_QUIETLY)
    if committish:
        _check_out(target, committish)


def _check_out(path: str, committish: str) -> None:
    if committish.startswith("-"):
        raise Failure(f"Invalid committish specified: {committish}")
    git = (*_GIT, "-C", path)
    branch = f"refs/remotes/origin/{committish}"
    to_branch = ("-B", committish, branch) if run.works(*git, "rev-parse", "--verify", "--quiet", branch) else (committish,)
    run.check(f"check out {committish}", *git, "checkout", "--quiet", *to_branch, "--")
    files.write(f"{path}/{_PINNED}", f"{committish}\n", mode=0o644)


def _fetch_archive(url: str, target: str, committish: str) -> None:
    import tempfile
    from urllib.request import urlopen

    if committish:
        raise Failure("--committish is for git repositories, not for archives")
    with tempfile.TemporaryFile() as packed:
        try:
            with urlopen(url, timeout=60) as source:
                shutil.copyfileobj(source, packed)
        except (OSError, ValueError) as error:
            raise Failure(f"cannot fetch the plugin: {error}", "is the address right?") from None
        packed.seek(0)
        os.mkdir(target)
        # GNU tar keeps inside the target whatever the names and links of the archive say
        argv = ("tar", "--extract", "--gzip", "--file=-", "--no-same-owner", "--directory", target)
        run.check("unpack the plugin", *argv, stdin=packed.fileno())
    inside = os.listdir(target)
    if len(inside) == 1 and os.path.isdir(f"{target}/{inside[0]}"):  # the one directory that archives wrap it in
        os.rename(f"{target}/{inside[0]}", f"{target}.inner")
        os.rmdir(target)
        os.rename(f"{target}.inner", target)


def update(name: str, committish: str = "") -> None:
    """Pull the plugin's branch, or check out and pin another commit; back to where it was if that is no plugin."""
    path = path_of(name)
    if not os.path.isdir(f"{path}/.git"):
        return log.plain(f"Plugin {name} is not a git checkout, skipping")
    pinned = pinned_to(name)
    if pinned and not committish:
        return log.plain(f"Plugin {name} is pinned to {pinned}, skipping")
    git, before = (*_GIT, "-C", path), git_says(name, "rev-parse", "HEAD")
    try:
        if committish:
            run.check(f"fetch plugin {name}", *git, "fetch", "--quiet", "--all", "--tags", env=_QUIETLY)
            _check_out(path, committish)
        else:
            run.check(f"update plugin {name}", *git, "pull", "--quiet", "--ff-only", env=_QUIETLY)
        _must_be_a_plugin(path, f"update {name}")
    except Failure:
        if git_says(name, "rev-parse", "HEAD") != before:
            run.answer(*git, "reset", "--quiet", "--hard", before, quiet=True)
        if committish and not pinned:
            files.remove(f"{path}/{_PINNED}")
        elif pinned:
            files.write(f"{path}/{_PINNED}", f"{pinned}\n", mode=0o644)
        raise
    finally:
        own(path)
    return None


def own(tree: str) -> None:
    """Give a tree to the dokku user, who must be able to read what root has made under any umask."""
    if os.geteuid() != 0:
        return
    uid, gid = files.owner_ids()
    os.lchown(tree, uid, gid)
    if os.path.islink(tree):
        return
    for _, directories, names_, here in os.fwalk(tree):
        for entry in (*directories, *names_):
            info = os.stat(entry, dir_fd=here, follow_symlinks=False)
            linked_twice = entry in names_ and info.st_nlink > 1  # what it is besides, we cannot know
            if (info.st_uid, info.st_gid) != (uid, gid) and not linked_twice:
                os.chown(entry, uid, gid, dir_fd=here, follow_symlinks=False)


def own_all() -> None:
    for base in (paths.available_path(), paths.enabled_path()):
        for entry in os.listdir(base) if os.path.isdir(base) else ():
            if not names.is_plugin_name(entry):
                continue
            own(f"{base}/{entry}")
