"""network: networks, their properties, and listeners that are those of live containers (commands-a.md 11)."""

import json

import pytest

from dokku_min.errors import Failure
from tests.apps import make_app, web_app
from tests.plugins.helpers import inspected, refused
from tests.plugins.modules import plugin_module

settings = plugin_module("network", "settings")


@pytest.mark.parametrize("name", ["a", "my-net", "A_b.c-1", "0"])
def test_names_that_docker_takes(name):
    assert settings.is_name(name)


@pytest.mark.parametrize("name", ["", "-x", "--driver=host", ".a", "a b", "a/b", "a,b", "a\n", "é", "x" * 129])
def test_names_that_are_refused(name):
    assert not settings.is_name(name)


@pytest.mark.parametrize("value", ["127.0.0.1:80", "[::1]:8080"])
def test_static_listeners_that_nginx_can_be_told(value):
    assert settings.checked("x", "static-web-listener", value) == value


@pytest.mark.parametrize(
    "value",
    ["127.0.0.1", "127.0.0.1:0", "127.0.0.1:65536", "127.0.0.1:80;", "::1:80", "a.b:80", "127.0.0.1:8 0", ":80"],
)
def test_static_listeners_that_are_refused(value):
    with pytest.raises(Failure):
        settings.checked("x", "static-web-listener", value)


@pytest.mark.parametrize(
    "key, value",
    [("tld", "a..b"), ("tld", "a b"), ("tld", "-a"), ("bind-all-interfaces", "yes"), ("initial-network", "a b"),
     ("initial-network", "--rm"), ("initial-network", "container:")],
)  # fmt: skip
def test_values_that_are_refused(key, value):
    with pytest.raises(Failure):
        settings.checked("x", key, value)


@pytest.fixture
def network(server):
    name = server.app("net")
    server.dokku("network:destroy", name, "--force", check=False)
    server.dokku("network:create", name)
    yield name
    server.docker("network", "rm", name, check=False)


def test_the_life_of_a_network(server, network):
    assert server.dokku("network:exists", network).stdout == "-----> Network exists\n"
    assert server.dokku("--quiet", "network:exists", network).stdout == ""
    again = server.dokku("network:create", network, check=False)
    assert again.returncode == 1 and "Unable to create network" in again.stderr
    info = server.dokku("network:info", network).stdout
    assert f"=====> {network} network information\n" in info and f"       Name:           {network}\n" in info
    found = json.loads(server.dokku("network:info", network, "--format", "json").stdout)
    assert found["DokkuManaged"] is True and found["Labels"] == {"com.dokku.network-name": network}
    assert server.docker("network", "inspect", "-f", "{{.Attachable}}", network).stdout == "true\n"
    names = server.dokku("network:list").stdout.splitlines()
    assert names[0] == "=====> Networks" and names[1:] == sorted(names[1:]) and {network, "bridge"} <= set(names)
    ours = json.loads(server.dokku("network:list", "--dokku-managed", "--format", "json").stdout)
    assert network in [n["Name"] for n in ours] and "bridge" not in [n["Name"] for n in ours]
    unsure = server.dokku("network:destroy", network, check=False, input="no\n")
    assert unsure.returncode == 1 and unsure.stdout == "> "
    gone = server.dokku("network:destroy", network, input=f"{network}\n")
    assert f"-----> Destroying network {network}" in gone.stdout
    refused(server.dokku("network:exists", network, check=False), "Network does not exist")
    refused(server.dokku("network:destroy", network, "--force", check=False), "Network does not exist")


@pytest.mark.parametrize(
    "words, status, text",
    [
        (("network:create",), 1, "No network name specified"),
        (("network:create", "a b"), 1, "Invalid network name"),
        (("network:create", "a", "--bogus"), 2, "unknown flag: --bogus"),
        (("network:create", "a", "b"), 1, "Unexpected argument(s): b"),
        (("network:exists",), 1, "No network name specified"),
        (("network:exists", "h-nosuch"), 1, "Network does not exist"),
        (("network:info", "h-nosuch"), 1, "Network does not exist"),
        (("network:info", "bridge", "--format", "xml"), 1, "Invalid format"),
        (("network:list", "--format", "xml"), 1, "Invalid format"),
        (("network:list", "--format"), 2, "flag needs an argument"),
        (("network:destroy",), 1, "No network name specified"),
        (("network:report", "nosuch"), 20, "App nosuch does not exist"),
        (("network:rebuild", "nosuch"), 20, "App nosuch does not exist"),
        (("network:rebuild",), 1, "Please specify an app"),
        (("network:set",), 1, "Please specify an app"),
        (("network:set", "nosuch", "tld", "x"), 20, "App nosuch does not exist"),
        (("network:set", "--global", "static-web-listener", "1.1.1.1:1"), 1, "cannot be specified globally"),
        (("network:set", "--global"), 1, "No property specified"),
        (("network:set", "--global", "bogus", "x"), 1, "valid properties include: attach-post-create"),
        (
            ("network:set", "--global", "attach-post-create", "host"),
            1,
            "Invalid network name specified for attach: host",
        ),
        (("network:set", "--global", "attach-post-deploy", "ok", "bridge"), 1, "specified for attach: bridge"),
    ],
)
def test_what_is_refused(server, words, status, text):
    refused(server.dokku(*words, check=False), text, status=status)


def test_properties_and_report(server, created):
    app = created
    done = server.dokku("network:set", app, "attach-post-create", "one", "two")
    assert done.stdout == "=====> Setting attach-post-create to one,two\n"
    refused(
        server.dokku("network:set", app, "attach-post-deploy", "two", check=False),
        "Network name already associated with this app: two",
    )
    server.dokku("network:set", app, "tld", "internal")
    report = server.dokku("network:report", app).stdout
    assert report.startswith(f"=====> {app} network information\n")
    assert "       Network attach post create:           one,two\n" in report
    assert server.dokku("network:report", app, "--network-computed-bind-all-interfaces").stdout == "false\n"
    found = json.loads(server.dokku("network:report", app, "--format", "json").stdout)
    assert found["tld"] == found["network-tld"] == found["computed-tld"] == "internal"
    assert "web-listeners" in found and found["web-listeners"] == ""
    listed = json.loads(server.dokku("network:report", "--global", "--format", "json").stdout)
    assert "computed-tld" in listed and "global-tld" in listed and "tld" not in listed
    assert server.dokku("network:set", app, "tld").stdout == "=====> Unsetting tld\n"
    assert server.dokku("network:report", app, "--network-tld").stdout == "\n"


def test_a_static_listener_is_the_only_listener(server, created):
    server.dokku("network:set", created, "static-web-listener", "127.0.0.1:8081")
    assert server.dokku("plugin:trigger", "network-get-listeners", created, "web").stdout == "127.0.0.1:8081\n"
    assert server.dokku("plugin:trigger", "network-get-ipaddr", created, "web", "abc").stdout == "127.0.0.1\n"
    assert server.dokku("plugin:trigger", "network-config-exists", created).stdout == "true\n"
    assert server.dokku("plugin:trigger", "network-get-listeners", created, "worker").stdout.strip() == ""


def test_listeners_are_those_of_live_containers(server, running):
    def listeners():
        return server.dokku("plugin:trigger", "network-get-listeners", running, "web").stdout.strip()

    address = inspected(server, f"{running}.web.1")["NetworkSettings"]["Networks"]["bridge"]["IPAddress"]
    file = server.root / running / "IP.web.1"
    before = file.read_text()
    file.write_text("10.9.8.7")  # what a crashed host leaves behind
    assert listeners() == f"{address}:5000"
    assert server.dokku("network:rebuild", running).stdout.startswith("-----> Ensuring network configuration")
    assert file.read_text() == address == before
    record = server.root / running / "CONTAINER.web.1"
    identity = record.read_text()
    other = server.docker(
        "run", "-d", "--rm", "--name", server.app("other"), "dokku-test/busybox", "sleep", "60"
    ).stdout
    try:
        record.write_text(other.strip())  # runs, but is nobody's
        assert listeners() == ""
        record.write_text("0" * 64)  # is gone
        assert listeners() == ""
    finally:
        record.write_text(identity)
        server.docker("rm", "-f", server.app("other"))
    assert listeners() == f"{address}:5000"


def test_a_deploy_joins_its_networks_under_the_apps_names(server, app, network, tmp_path):
    second, third = f"{network}2", f"{network}3"
    for name in (second, third):
        server.dokku("network:create", name)
    try:
        server.dokku("apps:create", app)
        server.dokku("network:set", app, "initial-network", network)
        server.dokku("network:set", app, "attach-post-create", second)
        server.dokku("network:set", app, "attach-post-deploy", third)
        server.dokku("network:set", app, "tld", "lan")
        make_app(server, app, web_app("networked"), tmp_path)
        found = inspected(server, f"{app}.web.1")["NetworkSettings"]["Networks"]
        assert set(found) == {network, second, third}
        for name in (second, third):
            assert f"{app}.web.lan" in found[name]["Aliases"]
        listener = server.dokku("plugin:trigger", "network-get-listeners", app, "web").stdout.strip()
        assert listener == f"{found[network]['IPAddress']}:5000"
        asked = server.dokku("run", app, "wget", "-qO-", f"http://{app}.web.lan:5000/")
        assert asked.stdout == "networked"  # one-off containers are on the same networks
        server.dokku("network:set", app, "attach-post-deploy", "gone-network")
        late = server.dokku("ps:rebuild", app, check=False)
        assert late.returncode != 0 and "Network gone-network does not exist" in late.stdout + late.stderr
        assert server.dokku("run", app, "wget", "-qO-", f"http://{app}.web.lan:5000/").stdout == "networked"
    finally:
        server.dokku("apps:destroy", app, "--force")
        for name in (second, third):
            server.docker("network", "rm", name, check=False)
