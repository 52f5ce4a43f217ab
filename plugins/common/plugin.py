#!/usr/bin/python3
"""common: the standard commands (commands-b.md 19), and whether an app was ever deployed."""

import vitals

from dokku_min.sdk import Failure, Plugin, apps, ask, fire, log, properties

plugin = Plugin("common")
main = plugin.main


@plugin.command("url")
def url(app):
    print(ask("domains-urls", app, "url", must=True).split("\n")[0])


@plugin.command("urls")
def urls(app):
    found = ask("domains-urls", app, "urls", must=True).split("\n")
    print("\n".join(sorted(set(filter(None, found)))))


@plugin.command("report")
def report(app_or_all="", *, all=False, format=""):  # noqa: A002 - the flags' names
    if format:
        raise Failure("--format is not supported by report", "ask a plugin, as in: dokku apps:report --format json")
    if all and app_or_all:
        raise Failure("report takes an app or --all, not both")
    chosen = apps.visible() if all else [apps.verify(app_or_all)] if app_or_all else []
    vitals.show()
    for app in chosen:
        fire("report", app)


@plugin.command("cleanup")
def cleanup(app=""):
    log.info1("Cleaning up...")
    remove_containers(app)
    remove_images(app)


def remove_containers(app):
    """Containers of ours that have ended. Nothing that runs is touched."""
    from dokku_min import run

    label = f"label=com.dokku.app-name={app}" if app else "label=dokku"
    states = ("--filter=status=exited", "--filter=status=dead")
    form = ("docker", "container", "ls", "--all", "--quiet", "--no-trunc", f"--filter={label}", *states)
    ended = run.capture("list the containers that have ended", *form).split()
    if ended:
        run.answer("docker", "container", "rm", "--", *ended, quiet=True)  # some may go meanwhile, that is fine


def remove_images(app):
    """Images without a name. An app's named ones are its releases: they go when their release does."""
    from dokku_min import run

    only = (f"--filter=label=com.dokku.app-name={app}",) if app else ()
    run.capture("remove unused images", "docker", "image", "prune", "--force", *only)


@plugin.command("deploy")
def deploy(app, tag="", process_type=""):
    fire("deploy", app, tag, process_type)


@plugin.trigger("core-post-deploy")
def core_post_deploy(app):
    properties.put("common", app, "deployed", "true")


@plugin.trigger("post-delete")
def post_delete(app):
    properties.destroy("common", app)


if __name__ == "__main__":
    plugin.run()
