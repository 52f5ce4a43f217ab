"""ports: maps of host ports to ports of an app, on a real server."""

import json
import subprocess

import pytest

from dokku_min.errors import Failure
from tests.plugins.modules import plugin_module
from tests.plugins.spy import refused, trigger

maps = plugin_module("ports", "maps")


@pytest.mark.parametrize(
    "text, found",
    [("http:80:5000", ("http", 80, 5000)), ("udp:53:65535", ("udp", 53, 65535)), ("grpcs:1:1", ("grpcs", 1, 1))],
)
def test_maps(text, found):
    assert maps.parse(text) == found
    assert maps.text(found) == text


@pytest.mark.parametrize(
    "text",
    ["", "80", "http:80", "http:80:5000:1", "http:0:5000", "http:80:65536", "http:-1:5000", "http:80:", ":80:5000",
     "HTTP:80:5000", "ht;tp:80:5000", "1x:80:5000", "http:\uff180:5000", "http: 80:5000", "http:80:5000\n"],
)  # fmt: skip
def test_no_maps(text):
    with pytest.raises(Failure, match="Invalid port map"):
        maps.parse(text)


def test_first_of_a_port_counts():
    assert maps.unique([("http", 80, 1), ("http", 81, 2), ("http", 80, 3)]) == [("http", 80, 1), ("http", 81, 2)]


@pytest.mark.parametrize(
    "plain, secured",
    [
        (["http:80:5000"], ["http:80:5000", "https:443:5000"]),
        (["http:3000:3000"], ["https:3000:3000"]),
        (["http:80:5000", "http:8080:1", "udp:5:5"], ["http:80:5000", "http:8080:1", "udp:5:5", "https:443:5000"]),
        (["http:80:5000", "https:443:7"], ["http:80:5000", "https:443:7"]),
    ],
)
def test_what_a_certificate_changes(plain, secured):
    assert maps.texts(maps.secured([maps.parse(each) for each in plain], 443)) == secured


def effective(server, app):
    return trigger(server, "ports-get", app).stdout.split()


def report(server, app, key):
    return server.dokku("ports:report", app, f"--ports-{key}").stdout.strip()


def test_new_app_is_mapped_from_the_proxys_port(server, created):
    assert effective(server, created) == [f"http:{server.http_port}:5000"]
    assert report(server, created, "map") == ""
    assert report(server, created, "map-json") == "null"


def test_add_list_and_remove(server, created, spy):
    server.dokku("ports:add", created, "http:8090:5000", "http:8091:5001")
    assert spy.heard() == [f"post-proxy-ports-update {created} add"]
    assert effective(server, created) == ["http:8090:5000", "http:8091:5001"]  # and no longer the detected one
    assert server.dokku("ports:list", created).stdout == (
        f"-----> Port mappings for {created}\n"
        "    -----> scheme  host port  container port\n"
        "    http           8090       5000\n"
        "    http           8091       5001\n"
    )
    assert server.dokku("--quiet", "ports:list", created).stdout == "    http  8090  5000\n    http  8091  5001\n"
    server.dokku("ports:remove", created, "8090", "http:9999:1")
    assert spy.heard()[-1] == f"post-proxy-ports-update {created} remove"
    assert effective(server, created) == ["http:8091:5001"]
    server.dokku("ports:remove", created, "http:8091")
    assert effective(server, created) == [f"http:{server.http_port}:5000"]


def test_set_and_clear(server, created, spy):
    server.dokku("ports:set", created, "http:8091:5001", "http:8090:5000")
    assert report(server, created, "map") == "http:8090:5000 http:8091:5001"
    server.dokku("ports:set", created, "http:8092:5000")
    assert json.loads(report(server, created, "map-json")) == [
        {"container_port": 5000, "host_port": 8092, "scheme": "http"}
    ]
    trigger(server, "ports-set-detected", created, "http:3000:3000")
    server.dokku("ports:clear", created)
    assert effective(server, created) == [f"http:{server.http_port}:5000"]
    assert spy.heard() == [f"post-proxy-ports-update {created} {action}" for action in ("set", "set", "clear")]


def test_detected_maps(server, created):
    done = trigger(server, "ports-set-detected", created, "udp:53:53 http:3000:3000", "http:0:5000", "http:x:1")
    assert "Invalid port map http:x:1" in done.stderr
    assert "http:0:5000" not in done.stderr  # what builders say for "no port"
    assert effective(server, created) == ["http:3000:3000", "udp:53:53"]
    assert json.loads(trigger(server, "ports-get", created, "json").stdout)[0]["container_port"] == 3000
    server.dokku("ports:set", created, "http:8090:5000")
    assert effective(server, created) == ["http:8090:5000"]
    assert report(server, created, "map-detected") == "http:3000:3000 udp:53:53"
    trigger(server, "ports-clear", created)
    assert effective(server, created) == [f"http:{server.http_port}:5000"]


def test_a_certificate_maps_https(server, created):
    server.dokku("proxy:set", created, "type", "elsewhere")  # nginx need not have these ports
    server.dokku("ports:set", created, "http:80:5000", "http:8090:5001")
    server.dokku("certs:generate", created, "tls.example")
    assert report(server, created, "map") == "http:8090:5001 http:80:5000 https:443:5000"
    server.dokku("certs:remove", created)
    assert report(server, created, "map") == "http:8090:5001 http:80:5000"


def test_certificate_and_no_port_80_turn_http_into_https(server, created):
    server.dokku("proxy:set", created, "type", "elsewhere")  # nginx need not have these ports
    trigger(server, "ports-set-detected", created, "http:3000:3000")
    server.dokku("certs:generate", created, "tls.example")
    assert effective(server, created) == ["https:3000:3000"]


def test_losing_the_host_names_gives_up_shared_ports(server, created):
    server.dokku("ports:set", created, f"http:{server.http_port}:5000", "http:8090:5001")
    server.dokku("domains:disable", created)
    (only,) = effective(server, created)
    assert only.endswith(":5000") and only != f"http:{server.http_port}:5000"


def test_winning_host_names_keeps_what_the_image_exposes(server, created):
    server.dokku("domains:disable", created)
    own = server.dokku("proxy:report", created, "--proxy-proxy-port").stdout.strip()
    trigger(server, "ports-set-detected", created, "http:3000:3000", f"http:{own}:5000")
    server.dokku("domains:add", created, "own.example")
    assert sorted(effective(server, created)) == sorted([f"http:{server.http_port}:5000", "http:3000:3000"])


def test_clone_and_rename_keep_maps(server, fresh):
    server.dokku("proxy:set", fresh, "type", "elsewhere")  # nginx need not have these ports
    new = f"{fresh}-2"
    server.dokku("ports:set", fresh, "http:8090:5000", "https:443:5000")
    server.dokku("apps:clone", "--skip-deploy", fresh, new)
    assert report(server, new, "map") == "http:8090:5000"  # a clone has no certificate
    server.dokku("apps:destroy", new, "--force")
    server.dokku("apps:rename", "--skip-deploy", fresh, new)
    assert report(server, new, "map") == "http:8090:5000 https:443:5000"
    server.dokku("apps:destroy", new, "--force")
    assert not (server.lib / "config/ports" / new).exists()


def test_when_a_plugin_cannot_follow_nothing_has_changed(server, created, spy):
    server.dokku("ports:set", created, "http:8090:5000")
    spy.fail_at("post-proxy-ports-update")
    for action, *words in (("add", "http:8091:5000"), ("set", "http:8091:5000"), ("remove", "8090"), ("clear",)):
        assert server.dokku(f"ports:{action}", created, *words, check=False).returncode == 1
        assert report(server, created, "map") == "http:8090:5000", action


def test_adding_at_the_same_time_loses_nothing(server, created):
    running = [
        subprocess.Popen(
            [server.bin / "dokku", "ports:add", created, f"http:{8100 + n}:5000"],
            env=server.env,
            stdout=subprocess.DEVNULL,
        )
        for n in range(4)
    ]
    assert [each.wait() for each in running] == [0] * 4
    assert set(effective(server, created)) == {f"http:{8100 + n}:5000" for n in range(4)}


def test_report(server, created):
    server.dokku("ports:set", created, "http:8090:5000")
    lines = server.dokku("ports:report", created).stdout.splitlines()
    assert lines[:2] == [f"=====> {created} ports information", "       Ports map:                     http:8090:5000"]
    found = json.loads(server.dokku("ports:report", created, "--format", "json").stdout)
    assert found["map"] == found["ports-map"] == "http:8090:5000"
    assert server.dokku("ports:report", "--global", "--format", "json").stdout == "{}\n"


BAD = [
    (("ports:list",), 1, "app"),
    (("ports:list", "no-such-app"), 20, "App no-such-app does not exist"),
    (("ports:list", "APP", "surplus"), 1, "Unexpected argument"),
    (("ports:add", "APP"), 1, "No port mapping specified"),
    (("ports:add", "no-such-app", "http:80:5000"), 20, "does not exist"),
    (("ports:add", "APP", "http:8090:5001"), 1, "The same scheme:host-port is being reused: http:8090"),
    (("ports:add", "APP", "http:1:1", "http:1:2"), 1, "The same scheme:host-port is being reused: http:1"),
    (("ports:add", "APP", "http:80"), 1, "Invalid port map http:80"),
    (("ports:add", "APP", "http:80:70000"), 1, "Invalid port map http:80:70000"),
    (("ports:add", "APP", "--bogus"), 2, "unknown flag: --bogus"),
    (("ports:set", "APP"), 1, "No port mapping specified"),
    (("ports:set", "APP", "x"), 1, "Invalid port map x"),
    (("ports:set", "no-such-app", "http:80:5000"), 20, "does not exist"),
    (("ports:remove", "APP"), 1, "No port mapping specified"),
    (("ports:remove", "APP", "http"), 1, "Invalid port map http"),
    (("ports:remove", "no-such-app", "80"), 20, "does not exist"),
    (("ports:clear",), 1, "app"),
    (("ports:clear", "no-such-app"), 20, "does not exist"),
    (("ports:report", "no-such-app"), 20, "does not exist"),
    (("ports:report", "APP", "--bogus"), 1, "Invalid flag passed"),
]


def test_bad_input_is_refused_and_changes_nothing(server, created):
    refused(server, ("ports:list", created), 1, "No port mappings configured for app")
    server.dokku("ports:add", created, "http:8090:5000")
    for argv, status, part in BAD:
        refused(server, tuple(created if word == "APP" else word for word in argv), status, part)
    assert report(server, created, "map") == "http:8090:5000"
