"""domains: host names of apps, on a real server with a plugin that listens to what it tells others."""

import json
import subprocess

import pytest

from dokku_min.errors import Failure
from tests.conftest import DOMAIN
from tests.plugins.modules import plugin_module
from tests.plugins.spy import refused, trigger

hosts = plugin_module("domains", "hosts")
urls = plugin_module("domains", "urls")


@pytest.mark.parametrize(
    "name",
    ["_", "a.com", "localhost", "*.a.com", ".a.com", "a.*", "1.2.3.4", "xn--bcher-kva.example", "a" * 63 + ".com",
     ".".join(["a" * 62] * 4) + ".b"],
)  # fmt: skip
def test_host_names(name):
    assert hosts.is_host(name)


@pytest.mark.parametrize(
    "name",
    ["", ".", "*", "*.*", "a*b.com", "*.a.*", "..a", "a..b", "a.", "-a.com", "a_b.com", "A.com", "a b", "a;b", "a{b",
     "a}b", "$host", "a\nb", "http://a.com", "a.com:80", "a.com/", "bücher.de", "::1", "a" * 64 + ".com",
     ".".join(["a" * 62] * 4) + ".bb"],
)  # fmt: skip
def test_no_host_names(name):
    assert not hosts.is_host(name)
    with pytest.raises(Failure):
        hosts.checked([name if name != "A.com" else "A,com"])


def test_names_in_use_may_hold_underscores():
    assert hosts.is_host("my_app.a.com", underscores=True)
    assert not hosts.is_host("my;app.a.com", underscores=True)


def test_given_names_are_lower_case_and_once():
    assert hosts.checked(["A.com", "a.com", "b.com"]) == ["a.com", "b.com"]


@pytest.mark.parametrize(
    "name, address",
    [("1.2.3.4", True), ("::1", True), ("a.1.2.3.4", True), ("1.2.3.4.sslip.io", False), ("a.com", False)],
)
def test_addresses(name, address):
    assert hosts.is_address(name) is address


@pytest.mark.parametrize(
    "app, vhost, name",
    [("web", "a.com", "web.a.com"), ("b.org", "a.com", "b.org"), ("my_app", "a.com", "my-app.a.com"), ("web", "_", "")],
)
def test_default_names(app, vhost, name):
    assert hosts.default(app, vhost) == name


@pytest.mark.parametrize(
    "scheme, port, url",
    [("http", "80", "http://h"), ("https", "443", "https://h"), ("http", "443", "http://h:443"), ("udp", "53", "udp://h:53"),
     ("https", "80", "http://h")],
)  # fmt: skip
def test_urls_leave_out_default_ports(scheme, port, url):
    assert urls.url(scheme, "h", port) == url


def vhosts(server, app):
    return server.dokku("domains:report", app, "--domains-app-vhosts").stdout.split()


def is_enabled(server, app):
    return server.dokku("domains:report", app, "--domains-app-enabled").stdout.strip() == "true"


@pytest.fixture
def global_names(server):
    """The global names are the test's own; afterwards they are as before."""
    yield
    server.dokku("domains:set-global", DOMAIN)


def test_new_app_gets_the_default_name(server, fresh):
    assert vhosts(server, fresh) == [f"{fresh}.{DOMAIN}"]
    assert (server.root / fresh / "VHOST").read_text() == f"{fresh}.{DOMAIN}\n"


def test_add(server, created, spy):
    done = server.dokku("domains:add", created, "One.example", "*.two.example")
    assert done.stdout.startswith(f"-----> Added one.example to {created}\n-----> Added *.two.example to {created}\n")
    assert vhosts(server, created) == [f"{created}.{DOMAIN}", "one.example", "*.two.example"]
    assert spy.heard() == [f"post-domains-update {created} add one.example *.two.example"]
    again = server.dokku("domains:add", created, "one.example")
    assert again.stdout.startswith(f"-----> Skipping: one.example already added to {created}\n")
    assert len(vhosts(server, created)) == 3


def test_a_domain_of_two_apps_is_told(server, created, fresh):
    server.dokku("domains:add", created, "twice.example")
    for action in ("add", "set"):
        done = server.dokku(f"domains:{action}", fresh, "twice.example", "once.example")
        assert f" !     twice.example is a domain of {created} too" in done.stderr
        assert "once.example is" not in done.stderr
    assert "is a domain of" not in server.dokku("domains:add", created, "more.example").stderr


def test_remove(server, created, spy):
    done = server.dokku("domains:remove", created, f"{created}.{DOMAIN}", "never.example")
    assert f"-----> Removed never.example from {created}\n" in done.stdout
    assert vhosts(server, created) == []
    assert spy.heard() == [f"post-domains-update {created} remove {created}.{DOMAIN} never.example"]


def test_set(server, created, spy):
    done = server.dokku("domains:set", created, "b.example", "a.example")
    assert done.stdout.startswith(f"-----> Set b.example a.example for {created}\n")
    assert vhosts(server, created) == ["b.example", "a.example"]
    assert spy.heard() == [f"post-domains-update {created} set b.example a.example"]


def test_clear(server, created, spy):
    assert server.dokku("domains:clear", created).stdout.startswith(f"-----> Cleared domains in {created}\n")
    assert not (server.root / created / "VHOST").exists()
    assert is_enabled(server, created)
    assert spy.heard() == [f"post-domains-update {created} clear"]


def test_disable_and_enable(server, created, spy):
    server.dokku("domains:add", created, "own.example")
    spy.reset()
    server.dokku("domains:disable", created)
    assert spy.heard() == [f"pre-disable-vhost {created}", f"post-domains-update {created} disable"]
    assert not is_enabled(server, created)
    assert server.dokku("config:get", created, "NO_VHOST").stdout == "1\n"
    assert not (server.root / created / "VHOST").exists()
    assert trigger(server, "domains-vhost-enabled", created).returncode == 1
    assert trigger(server, "domains-list", created).stdout == ""
    again = server.dokku("domains:disable", created)
    assert (again.returncode, again.stderr) == (0, "")
    spy.reset()
    server.dokku("domains:enable", created)
    assert spy.heard("pre") == [f"pre-enable-vhost {created}"]
    assert spy.heard("post") == [f"post-domains-update {created} enable"]
    assert vhosts(server, created) == [f"{created}.{DOMAIN}"]  # the own one is gone (commands-a.md 4)
    assert server.dokku("config:get", created, "NO_VHOST").stdout == "0\n"
    spy.reset()
    server.dokku("domains:enable", created)
    assert spy.heard() == []


def test_all_apps_at_once(server, created):
    server.dokku("domains:disable", "--all")
    assert not is_enabled(server, created)
    server.dokku("domains:enable", "--all")
    assert is_enabled(server, created)
    server.dokku("domains:clear", "--all")
    assert vhosts(server, created) == []


def test_add_to_an_app_without_names_enables_them(server, created, spy):
    server.dokku("domains:disable", created)
    spy.reset()
    server.dokku("domains:add", created, "own.example")
    assert vhosts(server, created) == [f"{created}.{DOMAIN}", "own.example"]
    assert is_enabled(server, created)
    assert spy.heard("pre-enable") == [f"pre-enable-vhost {created}"]


def test_reset(server, created, spy):
    server.dokku("domains:set", created, "own.example")
    spy.reset()
    assert f"-----> Reset domains for {created}" in server.dokku("domains:reset", created).stdout
    assert vhosts(server, created) == [f"{created}.{DOMAIN}"]
    assert spy.heard("post") == [f"post-domains-update {created} clear", f"post-domains-update {created} reset"]


def test_setup_gives_names_only_to_an_app_without(server, created):
    server.dokku("domains:set", created, "own.example")
    server.dokku("domains:setup", created)
    assert vhosts(server, created) == ["own.example"]
    server.dokku("domains:clear", created)
    server.dokku("domains:setup", created)
    assert vhosts(server, created) == [f"{created}.{DOMAIN}"]


def test_global_names(server, global_names):
    assert server.dokku("domains:set-global", "A.example", "b.example").stdout == "-----> Set a.example b.example\n"
    assert server.dokku("domains:add-global", "c.example", "b.example").stdout == (
        "-----> Added c.example\n-----> Skipping: b.example already added\n"
    )
    assert server.dokku("domains:remove-global", "a.example").stdout == "-----> Removed a.example\n"
    assert server.dokku("domains:report", "--global", "--domains-global-vhosts").stdout == "b.example c.example\n"
    assert server.dokku("domains:clear-global").stdout == "-----> Clearing global domains\n"
    assert (server.root / "VHOST").read_text() == ""
    assert server.dokku("domains:report", "--global", "--domains-global-enabled").stdout == "false\n"


def test_new_app_without_global_names_has_none(server, app, global_names):
    server.dokku("domains:clear-global")
    done = server.dokku("apps:create", app)
    assert "-----> Global server virtual host not set, disabling app vhost...\n" in done.stdout
    assert not is_enabled(server, app)
    server.dokku("domains:set-global", "1.2.3.4", "ok.example")
    server.dokku("domains:setup", app)
    assert vhosts(server, app) == [f"{app}.ok.example"]
    assert is_enabled(server, app)


def test_a_plugin_may_choose_the_default_name(server, app, spy):
    spy.hostname("chosen.example")
    server.dokku("apps:create", app)
    assert vhosts(server, app) == ["chosen.example"]
    assert spy.heard("nginx-hostname") == [f"nginx-hostname {app} {app} {DOMAIN}"]


def test_what_a_plugin_chooses_is_checked(server, created, spy):
    spy.hostname("x;return 200;")
    refused(server, ("domains:reset", created), 1, "is invalid. exiting...")


def test_when_a_plugin_cannot_follow_nothing_has_changed(server, created, spy):
    spy.fail_at("post-domains-update")
    for action, *names in (("add", "own.example"), ("set", "own.example"), ("clear",), ("disable",), ("reset",)):
        done = server.dokku(f"domains:{action}", created, *names, check=False)
        assert done.returncode == 1, action
        assert vhosts(server, created) == [f"{created}.{DOMAIN}"], action
        assert is_enabled(server, created), action


def test_report(server, created):
    text = server.dokku("domains:report", created).stdout
    assert text.splitlines() == [
        f"=====> {created} domains information",
        "       Domains app enabled:           true",
        f"       Domains app vhosts:            {created}.{DOMAIN}",
        "       Domains global enabled:        true",
        f"       Domains global vhosts:         {DOMAIN}",
    ]
    found = json.loads(server.dokku("domains:report", created, "--format", "json").stdout)
    assert sorted(found) == ["app-enabled", "app-vhosts", "global-enabled", "global-vhosts"]
    assert set(json.loads(server.dokku("domains:report", "--global", "--format", "json").stdout)) == {
        "global-enabled", "global-vhosts",
    }  # fmt: skip


def test_lines_that_others_wrote_never_reach_the_proxy(server, created):
    (server.root / created / "VHOST").write_text("Good.example\nevil.example;return\nold_name.example\n\n")
    done = trigger(server, "domains-list", created)
    assert done.stdout == "good.example\nold_name.example\n"
    assert "ignoring evil.example;return" in done.stderr


def test_urls(server, created):
    server.dokku("proxy:set", created, "type", "elsewhere")  # nginx need not have these ports
    server.dokku("domains:set", created, "a.example", "b.example")
    server.dokku("ports:set", created, "http:80:5000", "http:8080:5000", "https:443:5000", "udp:443:53")
    plain = ["http://a.example", "http://a.example:8080", "udp://a.example:443"]
    found = trigger(server, "domains-urls", created, "urls").stdout.split()
    assert found == sorted([*plain, *[url.replace("a.ex", "b.ex") for url in plain]])
    assert trigger(server, "domains-urls", created, "url").stdout == "http://a.example\n"
    server.dokku("certs:generate", created, "a.example")
    assert "https://b.example" in trigger(server, "domains-urls", created, "urls").stdout.split()
    assert trigger(server, "domains-urls", created, "url").stdout == "https://a.example\n"


def test_urls_of_an_app_without_names_are_on_the_servers(server, created):
    server.dokku("domains:disable", created)
    server.dokku("ports:set", created, "http:8080:5000")
    assert trigger(server, "domains-urls", created, "urls").stdout == f"http://{DOMAIN}:8080\n"


def test_clone_gets_names_of_its_own(server, created):
    copy = f"{created}-2"
    server.dokku("domains:add", created, "own.example")
    server.dokku("apps:clone", "--skip-deploy", created, copy)
    assert vhosts(server, copy) == [f"{copy}.{DOMAIN}"]
    server.dokku("apps:destroy", copy, "--force")


def test_clone_of_an_app_without_names_has_none(server, created):
    copy = f"{created}-2"
    server.dokku("domains:disable", created)
    server.dokku("apps:clone", "--skip-deploy", created, copy)
    ports = [server.dokku("proxy:report", each, "--proxy-proxy-port").stdout for each in (created, copy)]
    assert not is_enabled(server, copy)
    assert ports[0] == "\n" or ports[0] != ports[1]
    server.dokku("apps:destroy", copy, "--force")


def test_rename_takes_own_names_along(server, fresh):
    server.dokku("domains:add", fresh, "own.example")
    server.dokku("apps:rename", "--skip-deploy", fresh, f"{fresh}-2")
    assert vhosts(server, f"{fresh}-2") == [f"{fresh}-2.{DOMAIN}", "own.example"]
    server.dokku("apps:destroy", f"{fresh}-2", "--force")


def test_domains_add_by_trigger(server, created, spy):
    assert trigger(server, "domains-add", created, "own.example").returncode == 0
    assert spy.heard("post") == [f"post-domains-update {created} add own.example"]
    assert trigger(server, "domains-add", created, "no;host").returncode == 1
    assert "own.example" in vhosts(server, created)


def test_domains_disable_and_enable_by_trigger(server, created):
    trigger(server, "domains-disable", created, "false")
    assert not is_enabled(server, created)
    trigger(server, "domains-enable", created, "false")
    assert is_enabled(server, created)


def test_bare_addresses_and_the_stock_site_of_nginx(server, created):
    stock = server.base / "nginx/sites-enabled/default"
    server.dokku("domains:add", created, "10.1.2.3")
    warning = "Detected IPv4 domain name with nginx proxy enabled."
    assert warning not in trigger(server, "core-post-deploy", created, "", "", "latest").stderr
    stock.parent.mkdir()
    stock.touch()
    try:
        assert warning in trigger(server, "core-post-deploy", created, "", "", "latest").stderr
        server.dokku("domains:set", created, "a.example")
        assert warning not in trigger(server, "core-post-deploy", created, "", "", "latest").stderr
    finally:
        stock.unlink()
        stock.parent.rmdir()


def test_adding_at_the_same_time_loses_nothing(server, created):
    running = [
        subprocess.Popen([server.bin / "dokku", "domains:add", created, f"n{n}.example"], env=server.env,
                         stdout=subprocess.DEVNULL)
        for n in range(6)
    ]  # fmt: skip
    assert [each.wait() for each in running] == [0] * 6
    assert set(vhosts(server, created)) >= {f"n{n}.example" for n in range(6)}


BAD = [
    (("domains:add",), 1, "app"),
    (("domains:add", "no-such-app", "a.com"), 20, "App no-such-app does not exist"),
    (("domains:add", "APP"), 1, "Please specify a domain name"),
    (("domains:add", "APP", "http://a.com"), 1, "http://a.com is invalid. exiting..."),
    (("domains:add", "APP", "ok.example", "a.com;"), 1, "a.com; is invalid. exiting..."),
    (("domains:add", "APP", "--bogus"), 2, "unknown flag: --bogus"),
    (("domains:remove", "APP"), 1, "Please specify a domain name"),
    (("domains:remove", "no-such-app", "a.com"), 20, "does not exist"),
    (("domains:set", "APP"), 1, "Please specify a domain name"),
    (("domains:set", "APP", "a b"), 1, "a b is invalid. exiting..."),
    (("domains:set", "no-such-app", "a.com"), 20, "does not exist"),
    (("domains:clear",), 1, "app"),
    (("domains:clear", "no-such-app"), 20, "does not exist"),
    (("domains:clear", "--all", "APP"), 1, "not both"),
    (("domains:enable",), 1, "app"),
    (("domains:enable", "no-such-app"), 20, "does not exist"),
    (("domains:disable",), 1, "app"),
    (("domains:disable", "no-such-app"), 20, "does not exist"),
    (("domains:disable", "--bogus"), 2, "unknown flag"),
    (("domains:reset",), 1, "app"),
    (("domains:reset", "no-such-app"), 20, "does not exist"),
    (("domains:setup", "no-such-app"), 20, "does not exist"),
    (("domains:add-global",), 1, "Please specify a domain name"),
    (("domains:add-global", "a/b"), 1, "a/b is invalid. exiting..."),
    (("domains:set-global",), 1, "Please specify a domain name"),
    (("domains:set-global", "a/b"), 1, "a/b is invalid. exiting..."),
    (("domains:remove-global",), 1, "Please specify a domain name"),
    (("domains:clear-global", "surplus"), 1, "Unexpected argument"),
    (("domains:report", "no-such-app"), 20, "does not exist"),
    (("domains:report", "APP", "--bogus"), 1, "Invalid flag passed"),
    (("domains:report", "APP", "--format", "xml"), 1, "Format must be"),
]


def test_bad_input_is_refused_and_changes_nothing(server, created):
    for argv, status, part in BAD:
        refused(server, tuple(created if word == "APP" else word for word in argv), status, part)
    assert vhosts(server, created) == [f"{created}.{DOMAIN}"]
    assert server.dokku("domains:report", "--global", "--domains-global-vhosts").stdout.strip() == DOMAIN
