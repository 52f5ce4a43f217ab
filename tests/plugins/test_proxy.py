"""proxy: which proxy serves an app, and on which ports, on a real server."""

import json
import os
import socket

import pytest

from tests.plugins.modules import plugin_module
from tests.plugins.spy import refused, trigger

listening = plugin_module("proxy", "listening")


def report(server, app, key):
    return server.dokku("proxy:report", app, f"--proxy-{key}").stdout.strip()


def test_a_free_port_is_not_in_use(monkeypatch, tmp_path):
    monkeypatch.setenv("DOKKU_LIB_ROOT", str(tmp_path))
    (tmp_path / "config/proxy").mkdir(parents=True)
    port = listening.available()
    assert 1024 < port < 32768
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        with socket.socket(family) as taken:
            taken.bind((address, 0))
            taken.listen()
            assert not listening._is_free(taken.getsockname()[1])


def test_a_port_of_another_app_is_not_given_away(monkeypatch, tmp_path):
    monkeypatch.setenv("DOKKU_LIB_ROOT", str(tmp_path))
    (tmp_path / "config/proxy/other").mkdir(parents=True)
    (tmp_path / "config/proxy/other/proxy-port").write_text("1026")
    drawn = iter([b"\0\0\0\1", b"\0\0\0\2"])  # 1026, then 1027
    monkeypatch.setattr(os, "urandom", lambda _: next(drawn))
    monkeypatch.setattr(listening, "_is_free", lambda _: True)
    assert listening.available() == 1027


@pytest.fixture
def bare(server, created):
    """An app without host names."""
    server.dokku("domains:disable", created)
    return created


def test_type(server, created):
    assert trigger(server, "proxy-type", created).stdout == "nginx\n"
    done = server.dokku("proxy:set", created, "type", "caddy")
    assert done.stdout == "=====> Setting type to caddy\n"
    assert "no enabled plugin proxies for the type caddy" in done.stderr
    assert trigger(server, "proxy-type", created).stdout == "caddy\n"
    assert server.dokku("proxy:set", created, "type").stdout == "=====> Unsetting type\n"
    server.dokku("proxy:set", created, "caddy")  # the older form
    assert report(server, created, "type") == "caddy"
    server.dokku("proxy:set", created, "type", "nginx")


def test_type_of_all_apps(server, created):
    server.dokku("proxy:set", "--global", "type", "caddy")
    try:
        assert report(server, created, "computed-type") == "caddy"
        assert report(server, created, "type") == ""
        server.dokku("proxy:set", created, "type", "nginx")
        assert trigger(server, "proxy-type", created).stdout == "nginx\n"
    finally:
        server.dokku("proxy:set", "--global", "type")


def test_disable_and_enable(server, created, spy):
    assert trigger(server, "proxy-is-enabled", created).stdout == "true\n"
    assert server.dokku("proxy:disable", created).stdout.startswith("-----> Disabling proxy for app\n")
    assert spy.heard("proxy") == [f"proxy-disable {created}"]
    assert trigger(server, "proxy-is-enabled", created).stdout == "false\n"
    assert [report(server, created, key) for key in ("disabled", "computed-disabled", "enabled")] == [
        "true",
        "true",
        "false",
    ]
    assert server.dokku("proxy:disable", created).stdout == "-----> Proxy is already disabled for app\n"
    assert server.dokku("proxy:enable", created).stdout.startswith("-----> Enabling proxy for app\n")
    assert server.dokku("proxy:enable", created).stdout == "-----> Proxy is already enabled for app\n"
    assert spy.heard("proxy") == [f"proxy-disable {created}", f"proxy-enable {created}"]
    assert report(server, created, "enabled") == "true"


def test_disabled_may_be_set(server, created):
    server.dokku("proxy:set", created, "disabled", "true")
    assert report(server, created, "enabled") == "false"
    server.dokku("proxy:set", created, "disabled", "false")
    assert report(server, created, "disabled") == ""


def test_build_and_clear_config(server, created, spy):
    conf = server.root / created / "nginx.conf"
    server.dokku("proxy:clear-config", created)
    assert spy.heard("proxy") == [f"proxy-clear-config {created}"]
    assert not conf.exists()
    server.dokku("proxy:build-config", created)
    assert f"server_name {created}" in conf.read_text()
    server.dokku("proxy:clear-config", "--all")
    assert not conf.exists()
    done = server.dokku("proxy:build-config", "--all", "--parallel", "2")
    assert f"-----> Running command against {created}\n" in done.stdout
    assert conf.exists()


def test_ports_are_chosen_once(server, created):
    trigger(server, "ports-configure", created)
    assert report(server, created, "proxy-port") == str(server.http_port)  # the global one, kept for the app
    assert trigger(server, "ports-get-property", created, "proxy-port").stdout == f"{server.http_port}\n"
    assert trigger(server, "ports-get-property", created, "proxy-ssl-port").stdout == f"{server.https_port}\n"
    assert report(server, created, "proxy-ssl-port") == ""


def test_a_port_that_is_not_set_is_0(server, created):
    server.dokku("proxy:set", "--global", "proxy-ssl-port")
    try:
        assert trigger(server, "ports-get-property", created, "proxy-ssl-port").stdout == "0\n"
    finally:
        server.dokku("proxy:set", "--global", "proxy-ssl-port", str(server.https_port))


def test_an_app_without_host_names_gets_a_port_of_its_own(server, bare):
    trigger(server, "ports-configure", bare)
    port = report(server, bare, "proxy-port")
    assert 1024 < int(port) < 32768
    assert trigger(server, "ports-configure", bare).stdout == ""
    assert report(server, bare, "proxy-port") == port
    server.dokku("domains:enable", bare)
    trigger(server, "ports-configure", bare)
    assert report(server, bare, "proxy-port") == str(server.http_port)


def test_the_operators_own_port_survives_the_loss_of_host_names(server, created):
    server.dokku("proxy:set", created, "proxy-port", "8123")
    server.dokku("domains:disable", created)
    assert report(server, created, "proxy-port") == "8123"


def test_a_port_for_whoever_asks(server):
    assert 1024 < int(trigger(server, "ports-get-available").stdout) < 32768


def test_report(server, created):
    found = json.loads(server.dokku("proxy:report", created, "--format", "json").stdout)
    assert found["computed-type"] == found["proxy-computed-type"] == "nginx"
    lines = server.dokku("proxy:report", "--global").stdout.splitlines()
    assert lines[0] == "=====> --global proxy information"
    assert {line.split(":")[0].strip() for line in lines[1:]} == {
        f"Proxy {which} {key}" for which in ("computed", "global") for key in ("type", "proxy port", "proxy ssl port")
    }


BAD = [
    (("proxy:set",), 1, "app"),
    (("proxy:set", "APP"), 1, "No property specified"),
    (("proxy:set", "no-such-app", "type", "nginx"), 20, "App no-such-app does not exist"),
    (
        ("proxy:set", "APP", "bogus", "value"),
        1,
        "Invalid property specified, valid properties include: disabled, ",
    ),
    (("proxy:set", "APP", "http:80:5000"), 1, "Detected potential port mapping instead of proxy type"),
    (("proxy:set", "APP", "type", "a/b"), 1, "a/b is no proxy type"),
    (("proxy:set", "APP", "proxy-port", "eighty"), 1, "eighty is no port"),
    (("proxy:set", "APP", "proxy-ssl-port", "65536"), 1, "65536 is no port"),
    (("proxy:set", "APP", "disabled", "maybe"), 1, "disabled is true or false"),
    (("proxy:set", "--global", "disabled", "true"), 1, "Property cannot be specified globally"),
    (("proxy:build-config",), 1, "app"),
    (("proxy:build-config", "no-such-app"), 20, "does not exist"),
    (("proxy:build-config", "--all", "APP"), 1, "not both"),
    (("proxy:build-config", "--all", "--parallel", "-2"), 1, "Invalid value -2 for --parallel flag"),
    (("proxy:build-config", "--all", "--parallel", "x"), 2, "--parallel takes a number"),
    (("proxy:build-config", "--all", "--parallel"), 2, "flag needs an argument"),
    (("proxy:clear-config",), 1, "app"),
    (("proxy:clear-config", "no-such-app"), 20, "does not exist"),
    (("proxy:clear-config", "--all", "APP"), 1, "not both"),
    (("proxy:enable",), 1, "app"),
    (("proxy:enable", "no-such-app"), 20, "does not exist"),
    (("proxy:disable", "--bogus"), 2, "unknown flag: --bogus"),
    (("proxy:disable", "no-such-app"), 20, "does not exist"),
    (("proxy:report", "no-such-app"), 20, "does not exist"),
    (("proxy:report", "APP", "--bogus"), 1, "Invalid flag passed"),
]


def test_bad_input_is_refused_and_changes_nothing(server, created):
    before = server.dokku("proxy:report", created).stdout
    for argv, status, part in BAD:
        refused(server, tuple(created if word == "APP" else word for word in argv), status, part)
    assert server.dokku("proxy:report", created).stdout == before
