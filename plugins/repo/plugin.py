#!/usr/bin/python3
"""repo: upkeep of an app's git repository and of its build cache (commands-b.md 14)."""

from dokku_min.sdk import GLOBAL, Failure, Plugin, app_lock, log, names, paths

plugin = Plugin("repo")
main = plugin.main


@plugin.command("repo:gc")
def gc(app):
    """Pack the repository; branches stay files of their own, which plugins read as such."""
    import os

    from dokku_min import run

    repository = paths.app_dir(app)
    if not os.path.isdir(f"{repository}/refs"):
        raise Failure(f"{app} has no git repository yet", f"push it, or make one: dokku git:initialize {app}")
    with app_lock(app):
        log.info1(f"Packing the repository of {app}")
        argv = ("-c", "gc.packRefs=false", f"--git-dir={repository}", "gc", "--aggressive", "--quiet")
        run.check(f"pack the repository of {app}", "git", *argv)


@plugin.command("repo:purge-cache")
def purge_cache(app):
    """Docker's own status when the cache cannot go, because a build uses it."""
    status = _purge(app)
    if status:
        raise Failure(f"cannot remove the build cache of {app}", "docker says why above", status=status)


def _purge(app):
    from dokku_min import run

    kept = ("--filter=label=com.dokku.image-stage=build", f"--filter=label=com.dokku.app-name={app}")
    found = run.answer("docker", "container", "ls", "--all", "--quiet", *kept)[1].split()
    if found:
        run.works("docker", "container", "rm", "--force", "--volumes", *found)
    if not run.works("docker", "volume", "inspect", f"cache-{app}"):
        return 0
    return run.answer("docker", "volume", "rm", f"cache-{app}")[0]


@plugin.trigger("post-stack-set")
def post_stack_set(scope):
    """What one builder image has cached may not fit another one."""
    for app in names.all_apps() if scope == GLOBAL else [scope]:
        if _purge(app):
            log.warn(f"the build cache of {app} is in use, clear it later: dokku repo:purge-cache {app}")


@plugin.trigger("post-delete")
def post_delete(app):
    if _purge(app):
        log.warn(f"the build cache of {app} is still in use: docker volume rm cache-{app}")


if __name__ == "__main__":
    plugin.run()
