#!/usr/bin/python3
"""network: which docker networks an app is on, and where its containers listen (commands-a.md 11)."""

import addresses
import attach
import docker_networks
import settings

from dokku_min import confirm
from dokku_min.sdk import Failure, Plugin, apps, log

plugin = Plugin("network", properties=True)
main = plugin.main


@plugin.command("network:create")
def create(network=""):
    settings.check_name(network)
    log.info1_quiet(f"Creating network {network}")
    docker_networks.create(network)


@plugin.command("network:destroy")
def destroy(network="", *, force=False):
    settings.check_name(network)
    if not docker_networks.exists(network):
        raise Failure("Network does not exist", "see which there are: dokku network:list")
    confirm.destructive("network", network, force)
    log.info1_quiet(f"Destroying network {network}")
    docker_networks.remove(network)


@plugin.command("network:exists")
def exists(network=""):
    settings.check_name(network)
    if not docker_networks.exists(network):
        raise Failure("Network does not exist")
    log.info1_quiet("Network exists")


@plugin.command("network:info")
def info(network="", *, format="text"):  # noqa: A002 - the flag's name
    settings.check_format(format)
    settings.check_name(network)
    found = docker_networks.inspect([network])
    if not found:
        raise Failure("Network does not exist")
    docker_networks.show(found[0], format)


@plugin.command("network:list")
def list_(*, format="text", dokku_managed=False):  # noqa: A002
    settings.check_format(format)
    docker_networks.list_all(format, dokku_managed)


@plugin.command("network:rebuild")
def rebuild(app):
    log.info1_quiet(f"Ensuring network configuration is in sync for {app}")
    addresses.write_ips(app)


@plugin.command("network:rebuildall")
def rebuild_all():
    for app in apps.visible():
        rebuild(app)


@plugin.report(legacy=True)
def rows(scope):
    return settings.rows(scope)


plugin.settable(settings.KEYS, check=settings.checked)


@plugin.trigger("network-get-property")
def get_property(app, key):
    return settings.computed(app, key)


@plugin.trigger("network-get-listeners")
def get_listeners(app, proc):
    return " ".join(addresses.listeners(app, proc or "web"))


@plugin.trigger("network-get-static-listeners")
def get_static_listeners(app, proc):
    return addresses.static_listener(app, proc or "web")


@plugin.trigger("network-get-ipaddr")
def get_ipaddr(app, proc, cid):
    return addresses.of_container(app, proc, cid)


@plugin.trigger("network-write-ipaddr")
def write_ipaddr(app, proc, index, ip):
    addresses.write(app, "IP", proc, index, ip)


@plugin.trigger("network-write-port")
def write_port(app, proc, index, port):
    addresses.write(app, "PORT", proc, index, port)


@plugin.trigger("network-config-exists")
def config_exists(app):
    return "true" if addresses.config_exists(app) else "false"


@plugin.trigger("network-build-config")
def build_config(app):
    addresses.write_ips(app)


@plugin.trigger("network-clear-config")
def clear_config(app):
    """Only what network-build-config can find out again: the ports are known to the deploy alone."""
    addresses.clear(app, "IP")


@plugin.trigger("docker-args-process-build")
def args_build(app, builder):
    """A Dockerfile is built by the engine's own builder, which attaches to no network of ours."""
    return None if builder == "dockerfile" else settings.network_flag(app)


@plugin.trigger("docker-args-process-deploy", "docker-args-process-run")
def args_container(app):
    return settings.network_flag(app)


@plugin.trigger("post-release-builder")
def check_networks(_builder, app):
    """A network that is gone must stop the deploy while the old version still serves."""
    attach.check_all(app)


@plugin.trigger("post-container-create")
def post_container_create(kind, cid, app, phase, proc):
    if kind == "app":
        attach.attach(app, cid, proc, settings.networks(app, "attach-post-create"), aliases=phase == "deploy")


@plugin.trigger("core-post-deploy")
def core_post_deploy(app):
    networks = settings.networks(app, "attach-post-deploy")
    if not networks:
        return
    log.info1(f"Associating app with network {', '.join(networks)}")
    for cid, (proc, _) in addresses.recorded(app).items():
        attach.attach(app, cid, proc, networks, aliases=True, running=True)


@plugin.trigger("post-app-clone-setup", "post-app-rename-setup")
def forget_addresses(_old, new):
    """The files were copied with the app's directory, but its containers were not."""
    addresses.clear(new, "IP")
    addresses.clear(new, "PORT")


if __name__ == "__main__":
    plugin.run()
