#!/usr/bin/python3
"""apps: create, list, clone, rename, lock and destroy apps (commands-a.md 2)."""

import os
import sys

import copying
import lifecycle
import locking

from dokku_min.sdk import Failure, Plugin, apps, dispatch, log, names, paths, properties, report

plugin = Plugin("apps")
main = plugin.main


@plugin.command("apps:create")
def create(name=""):
    lifecycle.create(name)


@plugin.command("apps:destroy")
def destroy(app, *, force=False):
    lifecycle.confirm_and_destroy(app, force)


@plugin.command("apps", "apps:list")
def list_(*, format="stdout"):  # noqa: A002 - the flag's name
    if format not in ("stdout", "json"):
        raise Failure('Format must be "stdout" or "json"')
    found = apps.visible()
    if format == "json":
        print(report.to_json(found))
    elif found:
        log.info2_quiet("My Apps")
        print("\n".join(found))
    else:
        log.warn("You haven't deployed any applications yet")


@plugin.command("apps:exists")
def exists(app):
    """The parameter's name says it all: it must be an app."""


@plugin.command("apps:clone")
def clone(app, new_app, *, skip_deploy=False, ignore_existing=False):
    copying.clone(app, new_app, skip_deploy, ignore_existing)


@plugin.command("apps:rename")
def rename(app, new_app, *, skip_deploy=False):
    copying.rename(app, new_app, skip_deploy)


@plugin.command("apps:lock")
def lock(app):
    locking.lock(app)
    log.info1("Deploy lock created")


@plugin.command("apps:unlock")
def unlock(app):
    locking.unlock(app)
    log.info1("Deploy lock removed")


@plugin.command("apps:locked")
def locked(app):
    if not locking.is_held(app):
        raise Failure("Deploy lock does not exist")
    log.plain_quiet("Deploy lock exists")


@plugin.report(heading="app", command="apps:report", legacy=True)
def rows(scope):
    disabled = properties.get("apps", names.GLOBAL, "disable-autocreation")
    if scope == names.GLOBAL:
        return {"app-global-disable-autocreation": disabled}
    return {
        "app-created-at": properties.get("apps", scope, "created-at"),
        "app-deploy-source": properties.get("apps", scope, "deploy-source"),
        "app-deploy-source-metadata": properties.get("apps", scope, "deploy-source-metadata"),
        "app-dir": paths.app_dir(scope),
        "app-global-disable-autocreation": disabled,
        "app-locked": lambda: locking.is_held(scope),
    }


def check(scope, key, value):
    if key == "disable-autocreation" and value not in ("true", "false"):
        raise Failure(f"{key} takes true or false, not {value}")
    return value


plugin.settable(
    {"disable-autocreation": "global", "deploy-source": "app", "deploy-source-metadata": "app"}, check=check
)


@plugin.trigger("app-create")
def app_create(app):
    lifecycle.create(app)


@plugin.trigger("app-destroy")
def app_destroy(app):
    apps.verify(app)
    lifecycle.confirm_and_destroy(app)


@plugin.trigger("app-exists")
def app_exists(app):
    apps.verify(app)


@plugin.trigger("app-list")
def app_list(filtered=""):
    found = names.all_apps() if filtered == "false" else apps.visible()
    sys.stdout.write("".join(f"{app}\n" for app in found))


@plugin.trigger("app-maybe-create")
def app_maybe_create(app):
    """Silent when all is well: git waits for its own protocol on our stdout."""
    if names.app_directory_exists(app):
        return 0
    names.check_new_app(app)
    if properties.get("apps", names.GLOBAL, "disable-autocreation") == "true":
        raise Failure("App auto-creation disabled.", f"create it first with: dokku apps:create {app}")
    status, said = dispatch.capture("app-create", app)
    if not status or names.app_directory_exists(app):  # another push may have been the first
        return 0
    os.write(2, os.fsencode(said))
    return status


@plugin.trigger("deploy-source-set")
def deploy_source_set(app, kind, metadata):
    properties.put("apps", app, "deploy-source", kind)
    properties.put("apps", app, "deploy-source-metadata", metadata)


@plugin.trigger("post-app-rename-setup")
def post_app_rename_setup(old, new):
    properties.clone("apps", old, new)


@plugin.trigger("post-delete")
def post_delete(app):
    properties.destroy("apps", app)


if __name__ == "__main__":
    plugin.run()
