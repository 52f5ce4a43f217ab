"""nginx-vhosts: what the vhosts say, and that nginx is never given one it would not take."""

import contextlib
import http.client
import os
import random
import select
import signal
import socket
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from dokku_min.errors import Failure
from tests.plugins.modules import plugin_module
from tests.server import run

syntax = plugin_module("nginx-vhosts", "syntax")
settings = plugin_module("nginx-vhosts", "settings")
template = plugin_module("nginx-vhosts", "template")
facts_of = plugin_module("nginx-vhosts", "facts")
sigil = plugin_module("nginx-vhosts", "sigil")


# what the vhost says


def rendered(**known):
    chosen = {key: settings.default("blog", key) for key in settings.CHECKS}
    chosen.update(known.pop("settings", {}))
    usual = {
        "app": "blog", "app_dir": "/home/dokku/blog", "error_pages": "/pages", "settings": chosen,
        "maps": [("http", 80, "5000")], "listeners": ["172.17.0.2"], "domains": ["blog.example.com"],
    }  # fmt: skip
    return template.render(template.Facts(**{**usual, **known}))


def lines(text):
    return [line.strip() for line in text.splitlines()]


def test_a_vhost_serves_its_names_from_its_containers():
    found = lines(rendered(listeners=["172.17.0.2", "172.17.0.3"]))

    assert "server_name blog.example.com;" in found
    assert [line for line in found if line.startswith("listen")] == ["listen [::]:80;", "listen 80;"]
    assert "proxy_pass http://blog-5000;" in found
    assert found[found.index("upstream blog-5000 {") :] == [
        "upstream blog-5000 {", "server 172.17.0.2:5000;", "server 172.17.0.3:5000;", "}"
    ]  # fmt: skip
    assert 'proxy_set_header X-Forwarded-For "$remote_addr";' in found


def test_without_containers_it_answers_502_and_names_no_upstream():
    found = rendered(listeners=[])

    assert "return 502;" in found
    assert "upstream" not in found and "proxy_pass" not in found


def test_with_a_certificate_http_redirects_to_https():
    plain, secure = rendered(
        maps=[("http", 80, "5000"), ("https", 443, "5000")], tls=True, version=(1, 22, 1)
    ).split("server {")[1:3]

    assert "return 301 https://$host:443$request_uri;" in plain and "proxy_pass" not in plain
    assert "include /home/dokku/blog/nginx.conf.d/*.conf;" in plain  # where letsencrypt answers its challenge
    assert "listen 443 ssl http2;" in secure and "ssl_certificate /home/dokku/blog/tls/server.crt;" in secure


def test_a_certificate_without_an_https_map_redirects_nobody():
    assert "return 301" not in rendered(tls=True)


def test_newer_nginx_is_told_of_http2_by_a_directive():
    found = lines(rendered(maps=[("https", 443, "5000")], tls=True, version=(1, 25, 1)))

    assert "listen 443 ssl;" in found and "http2 on;" in found


def test_grpc_needs_containers():
    maps = [("grpc", 50051, "9000"), ("grpcs", 50052, "9000"), ("udp", 53, "53")]

    assert lines(rendered(maps=maps, tls=True)).count("grpc_pass grpc://blog-9000;") == 2
    assert "server {" not in rendered(maps=maps, tls=True, listeners=[])


def test_an_app_without_domains_takes_its_port_whole():
    found = lines(rendered(bare=True, domains=[]))

    assert "listen 80 default_server;" in found
    assert not any(line.startswith("server_name") for line in found)


@pytest.mark.parametrize(
    "chosen, line",
    [
        ({"bind-address-ipv4": "10.0.0.1"}, "listen 10.0.0.1:80;"),
        ({"bind-address-ipv6": "::1"}, "listen [::1]:80;"),
        ({"access-log-path": "off", "access-log-format": "x"}, "access_log off;"),
        ({"access-log-path": "/l", "access-log-format": "x"}, "access_log /l x;"),
        ({"error-log-path": "off"}, "error_log /dev/null;"),
        ({"client-max-body-size": "50m"}, "client_max_body_size 50m;"),
        ({"proxy-keepalive": "16"}, "keepalive 16;"),
        ({"x-forwarded-ssl": "on"}, 'proxy_set_header X-Forwarded-Ssl "on";'),
        ({"x-forwarded-proto-value": 'a"b\\c'}, 'proxy_set_header X-Forwarded-Proto "a\\"b\\\\c";'),
    ],
)
def test_settings_reach_the_vhost(chosen, line):
    assert line in lines(rendered(settings=chosen))


def test_no_ipv6_no_ipv6_listener():
    assert "[::]" not in rendered(ipv6=False)


def test_an_ipv6_container_stands_in_brackets():
    assert "server [fd00::2]:5000;" in rendered(listeners=["fd00::2"])


def test_what_an_included_file_sets_is_left_to_it():
    text = "client_max_body_size 50m; # big\nlocation /x { send_timeout 1s; }\nadd_header A b;"

    assert template.directives(text) == {"client_max_body_size", "location", "add_header"}
    assert "client_max_body_size" not in rendered(overridden=frozenset(template.directives(text)))


@pytest.mark.parametrize("name", ["a.com; }", "~^.*$", "a b", "", "a.com\n", "$host", "ä.com"])
def test_a_name_that_is_no_host_never_reaches_nginx(name):
    with pytest.raises(Failure):
        rendered(domains=[name])


@pytest.mark.parametrize("inside", ["0", "70000", "5000;", "x", ""])
def test_a_port_that_is_none_never_reaches_nginx(inside):
    with pytest.raises(Failure):
        rendered(maps=[("http", 80, inside)])


@pytest.mark.parametrize(
    "chosen, text",
    [
        ({}, "max-age=15724800; includeSubdomains"),
        ({"hsts-preload": "true", "hsts-include-subdomains": "false", "hsts-max-age": "60"}, "max-age=60; preload"),
    ],
)
def test_hsts(chosen, text):
    found = template.hsts({**settings.DEFAULTS, **chosen})

    assert found == f'add_header Strict-Transport-Security "{text}" always;\n'


def test_hsts_can_be_off():
    assert template.hsts({**settings.DEFAULTS, "hsts": "false"}) == ""


# what nginx:set takes


@pytest.mark.parametrize(
    "key, value",
    [
        ("client-max-body-size", "0"), ("client-max-body-size", "50m"), ("proxy-read-timeout", "1h30m"),
        ("proxy-read-timeout", "500ms"), ("proxy-buffers", "64 4k"), ("bind-address-ipv4", "127.0.0.1"),
        ("bind-address-ipv6", "::1"), ("access-log-path", "off"), ("access-log-path", "/var/log/nginx/a-b.log"),
        ("error-log-path", "syslog:server=unix:/dev/log,tag=nginx"), ("x-forwarded-for-value", "$http_x_real_ip, a"),
        ("nginx-conf-sigil-path", "deploy/nginx.conf.sigil"), ("proxy-keepalive", "32"), ("hsts", "false"),
        ("nginx-service-command", "/usr/local/bin/nginx-service --now"),
    ],
)  # fmt: skip
def test_sensible_values_are_taken_as_they_are(key, value):
    assert settings.checked(key, value) == value


@pytest.mark.parametrize(
    "key, value",
    [
        ("client-max-body-size", "50m; }"), ("client-max-body-size", "big"), ("proxy-read-timeout", "60 s"),
        ("proxy-buffers", "8"), ("bind-address-ipv4", "1.2.3"), ("bind-address-ipv6", "::g"),
        ("access-log-path", "relative.log"), ("access-log-path", "/a b"), ("access-log-path", "/a;"),
        ("access-log-path", "/var/../etc/x"), ("x-forwarded-for-value", "a\nb"), ("hsts", "yes"),
        ("underscore-in-headers", "true"), ("nginx-conf-sigil-path", "../x"), ("nginx-conf-sigil-path", "/etc/x"),
        ("proxy-keepalive", "-1"), ("nginx-service-command", "rm -rf"), ("hsts-max-age", "٣"),
    ],
)  # fmt: skip
def test_values_that_would_break_nginx_are_refused(key, value):
    with pytest.raises(Failure) as failure:
        settings.checked(key, value)
    assert failure.value.message.startswith(key)


def test_every_setting_is_checked_and_reported():
    assert len(settings.CHECKS) == 31
    assert set(settings.DEFAULTS) <= set(settings.CHECKS)


# small pure parts


def test_listeners_are_addresses_each_once():
    assert facts_of.addresses("172.17.0.2:5000 172.17.0.3:5000\n[::1]:5000 172.17.0.2:80") == [
        "172.17.0.2", "172.17.0.3", "[::1]"
    ]  # fmt: skip


def test_a_map_for_tls_waits_for_the_certificate(capsys):
    text = "http:80:5000\nhttps:443:5000\n"

    assert facts_of.port_maps("blog", text, tls=False) == [("http", 80, "5000")]
    assert "Ignoring detected https port mapping" in capsys.readouterr().err
    assert len(facts_of.port_maps("blog", text, tls=True)) == 2


@pytest.mark.parametrize(
    "domain, covered",
    [("a.example.com", True), ("a.b.example.com", False), ("example.com", False), ("other.org", True)],
)
def test_a_star_in_a_certificate_is_one_label(domain, covered):
    assert bool(facts_of.matching([domain], ["*.example.com", "other.org"])) is covered


def test_a_template_may_use_the_documented_variables():
    facts = template.Facts(
        app="blog", app_dir="/r/blog", settings={**dict.fromkeys(settings.CHECKS, ""), "proxy-read-timeout": "5s"},
        maps=[("http", 80, "5000"), ("http", 81, "5001")], domains=["a.b"],
    )  # fmt: skip

    found = sigil.variables(facts, ["a.b"], {"web": "1.2.3.4:5000", "my-worker": ""})

    assert found["PROXY_PORT_MAP"] == "http:80:5000 http:81:5001"
    assert found["PROXY_UPSTREAM_PORTS"] == "5000 5001"
    assert found["DOKKU_APP_WEB_LISTENERS"] == "1.2.3.4:5000"
    assert found["DOKKU_APP_MY_WORKER_LISTENERS"] == ""
    assert found["PROXY_READ_TIMEOUT"] == "5s"
    assert found["NOSSL_SERVER_NAME"] == "a.b"
    assert "HSTS" not in found


# with a real nginx


class Backend(ThreadingHTTPServer):
    """A web server that answers with its own text and the headers it got."""

    daemon_threads = True

    def __init__(self, address: str, port: int, text: str):
        self.text = text
        super().__init__((address, port), Answer)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Answer(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = f"{self.server.text}\n{self.headers if self.path == '/headers' else ''}".encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def backends():
    """Two web servers, `one` on 127.0.0.2 and `two` on 127.0.0.3, on the same port."""
    one = Backend("127.0.0.2", 0, "one")
    two = Backend("127.0.0.3", one.server_address[1], "two")
    yield one.server_address[1]
    one.shutdown()
    two.shutdown()


@pytest.fixture
def site(server, app, backends):
    """An app of the test's own, whose vhost leads to backend `one`."""
    return make_site(server, app, backends)


@pytest.fixture(scope="module")
def shared(server, backends):
    """An app for tests that leave it as it was, but for where it leads to."""
    name = make_site(server, server.app("nginx-shared"), backends)
    yield name
    server.dokku("apps:destroy", name, "--force", check=False)


def make_site(server, name, port):
    server.dokku("apps:destroy", name, "--force", check=False)
    server.dokku("apps:create", name)
    server.dokku("network:set", name, "static-web-listener", f"127.0.0.2:{port}")
    server.dokku("ports:set", name, f"http:{server.http_port}:{port}")
    return name


def host_of(app):
    return f"{app}.test.example"


def body_of(server, app, path="/"):
    return server.curl(host_of(app), path).stdout


def switch(server, app, address, port):
    server.dokku("network:set", app, "static-web-listener", f"{address}:{port}")
    server.dokku("proxy:build-config", app)


def vhost(server, app) -> Path:
    return server.root / app / "nginx.conf"


def nginx_takes_its_configuration(server):
    return run("nginx", "-t", "-c", server.base / "nginx/nginx.conf", check=False).returncode == 0


def workers(server):
    master = (server.base / "nginx/nginx.pid").read_text().strip()
    return set(Path(f"/proc/{master}/task/{master}/children").read_text().split())


def test_a_new_app_answers_502_and_an_unknown_name_nothing(server, app):
    server.dokku("apps:create", app)

    assert server.curl(host_of(app)).stdout.endswith("\n502")
    assert server.curl("nobody.test.example").returncode == 52  # closed without an answer


def test_an_app_is_served_with_the_headers_of_a_proxy(server, shared):
    found = body_of(server, shared, "/headers")

    assert found.startswith("one\n") and found.endswith("200")
    assert f"Host: {host_of(shared)}\n" in found
    assert "X-Forwarded-For: 127.0.0.1\n" in found
    assert "X-Forwarded-Proto: http\n" in found
    assert f"X-Forwarded-Port: {server.http_port}\n" in found


def test_a_restore_first_takes_vhosts_away_that_lead_to_somebody_else(server, site, shared):
    """As after a restart of docker, which deals the addresses out anew: `site` has the address of another's container."""
    vhost(server, site).write_text(vhost(server, site).read_text().replace("server 127.0.0.2:", "server 127.0.0.3:"))
    server.dokku("nginx:reload")
    assert body_of(server, site).startswith("two\n")

    assert f"Addresses of {site} have changed" in server.dokku("ps:restore", shared).stdout

    assert server.curl(host_of(site)).returncode == 52  # closed without an answer
    assert body_of(server, shared).startswith("one\n")
    server.dokku("proxy:build-config", site)
    assert body_of(server, site).startswith("one\n")


def test_an_address_that_docker_has_dealt_out_anew_leads_to_its_new_owner_only(server, site, shared, backends):
    """The container of `site` is gone for good, and that of `shared` has got its address."""
    vhost(server, site).write_text(vhost(server, site).read_text().replace("server 127.0.0.2:", "server 127.0.0.3:"))

    switch(server, shared, "127.0.0.3", backends)

    assert body_of(server, shared).startswith("two\n")
    assert body_of(server, site).startswith("one\n")
    switch(server, shared, "127.0.0.2", backends)
    assert body_of(server, site).startswith("one\n"), "two may share an address when it is that of both"


def test_a_bad_include_is_refused_and_changes_nothing(server, site, backends):
    before = vhost(server, site).read_text()
    (server.root / site / "nginx.conf.d/bad.conf").write_text("no_such_directive on;\n")
    server.dokku("network:set", site, "static-web-listener", f"127.0.0.3:{backends}")

    failed = server.dokku("proxy:build-config", site, check=False)

    assert failed.returncode == 1
    assert 'unknown directive "no_such_directive"' in failed.stderr
    assert vhost(server, site).read_text() == before
    assert body_of(server, site).startswith("one")


def test_a_value_that_only_nginx_can_judge_is_refused_by_it(server, site):
    before = vhost(server, site).read_text()
    server.dokku("nginx:set", site, "x-forwarded-for-value", "$no_such_variable")

    failed = server.dokku("proxy:build-config", site, check=False)

    assert failed.returncode == 1
    assert 'unknown "no_such_variable" variable' in failed.stderr
    assert "the old one stays" in failed.stderr
    assert vhost(server, site).read_text() == before


@pytest.fixture
def pre_reload_hook(server):
    """Install a plugin whose nginx-pre-reload hook is the given text; it is gone afterwards."""
    place, link = server.lib / "plugins/available/edits", server.lib / "plugins/enabled/edits"

    def install(text):
        place.mkdir()
        (place / "plugin.toml").write_text('[plugin]\ndescription = "edits"\nversion = "0.1.0"\n[plugin.config]\n')
        (place / "nginx-pre-reload").write_text(f"#!/usr/bin/env bash\nset -e\n{text}\n")
        (place / "nginx-pre-reload").chmod(0o755)
        link.symlink_to(place)

    yield install
    link.unlink()
    run("rm", "-r", place)


def test_a_plugin_may_edit_the_vhost_before_it_is_used(server, shared, pre_reload_hook):
    pre_reload_hook('sed -i "s|location / {|&\\n add_header X-Edited $2;|" $DOKKU_ROOT/$1/nginx.conf')

    server.dokku("proxy:build-config", shared)

    assert "X-Edited: " in server.curl(host_of(shared), "/", "-i").stdout


def test_a_plugin_that_breaks_the_vhost_is_undone(server, shared, pre_reload_hook):
    before = vhost(server, shared).read_text()
    pre_reload_hook('echo "nonsense" >> $DOKKU_ROOT/$1/nginx.conf')

    failed = server.dokku("proxy:build-config", shared, check=False)

    assert failed.returncode == 1 and "after a plugin changed it" in failed.stderr
    assert vhost(server, shared).read_text() == before
    assert nginx_takes_its_configuration(server)


def test_a_port_of_another_program_is_told_and_given_back(server, shared):
    before = vhost(server, shared).read_text()

    failed = server.dokku("ports:add", shared, f"http:{server.ssh_port}:5000", check=False)

    assert failed.returncode == 1
    assert f"bind() to 0.0.0.0:{server.ssh_port} failed" in failed.stderr
    assert vhost(server, shared).read_text() == before
    assert body_of(server, shared).startswith("one")


def test_nothing_changed_nothing_reloaded(server, shared):
    server.dokku("proxy:build-config", shared)
    before = workers(server)

    server.dokku("proxy:build-config", shared)

    assert workers(server) == before


def test_a_changed_include_is_reloaded(server, shared):
    (server.root / shared / "nginx.conf.d/mine.conf").write_text("client_max_body_size 7m;\nadd_header X-Mine yes;\n")

    server.dokku("proxy:build-config", shared)

    assert "X-Mine: yes" in server.curl(host_of(shared), "/", "-i").stdout


class Load(threading.Thread):
    """Requests, one after the other, until stop(). Failures are what a browser or curl would not have got over."""

    def __init__(self, server, app, keep: bool):
        super().__init__()
        self.port, self.host, self.keep = server.http_port, host_of(app), keep
        self.good, self.failures, self.stopping = 0, [], False

    def run(self):
        connection, reused = None, False
        while not self.stopping:
            try:
                if connection is None or select.select([connection.sock], [], [], 0)[0]:
                    connection, reused = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10), False
                connection.request("GET", "/", headers={"Host": self.host})
                answer = connection.getresponse()
                answer.read()
                self.good += answer.status == 200
                if answer.status != 200:
                    self.failures.append(answer.status)
                reused = self.keep and answer.getheader("Connection") != "close"
                connection = connection if reused else None
            except (OSError, http.client.HTTPException) as error:
                if not reused:  # an idle connection may end at any time, and then a client opens another (RFC 9112 9.3.1)
                    self.failures.append(error)
                connection = None

    def stop(self):
        self.stopping = True
        self.join()
        return self.good, self.failures


def test_no_request_is_lost_in_ten_switches_and_each_is_through_when_it_returns(server, shared, backends):
    loads = [Load(server, shared, keep) for keep in (False, False, True, True)]
    for load in loads:
        load.start()
    try:
        for number in range(10):
            address, text = (("127.0.0.3", "two"), ("127.0.0.2", "one"))[number % 2]
            switch(server, shared, address, backends)
            assert {body_of(server, shared).split("\n")[0] for _ in range(3)} == {text}
    finally:
        results = [load.stop() for load in loads]

    assert [failures for _, failures in results] == [[], [], [], []]
    assert all(good > 50 for good, _ in results)


def test_killed_at_any_instant_it_leaves_a_valid_configuration(server, shared, backends):
    argv = [str(server.bin / "dokku"), "proxy:build-config", shared]
    for number in range(8):
        address = ("127.0.0.3", "127.0.0.2")[number % 2]
        server.dokku("network:set", shared, "static-web-listener", f"{address}:{backends}")
        with subprocess.Popen(argv, env=server.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                              start_new_session=True) as build:  # fmt: skip
            time.sleep(random.uniform(0.05, 0.5))
            with contextlib.suppress(ProcessLookupError):
                os.killpg(build.pid, signal.SIGKILL)
        assert nginx_takes_its_configuration(server)
        assert body_of(server, shared).startswith(("one", "two"))
    switch(server, shared, "127.0.0.3", backends)

    assert body_of(server, shared).startswith("two")


def test_https(server, site, backends, tmp_path):
    port = free_port()
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "9", "-subj", f"/CN={host_of(site)}"[:64],
        "-addext", f"subjectAltName=DNS:{host_of(site)}", "-keyout", tmp_path / "server.key",
        "-out", tmp_path / "server.crt")  # fmt: skip
    run("tar", "-C", tmp_path, "-cf", tmp_path / "pair.tar", "server.key", "server.crt")
    server.dokku("proxy:set", site, "proxy-ssl-port", str(port))
    server.dokku("proxy:set", "--global", "proxy-ssl-port", str(port))
    server.dokku("ports:set", site, f"http:{server.http_port}:{backends}", f"https:{port}:{backends}")
    try:
        with open(tmp_path / "pair.tar") as pair:
            server.dokku("certs:add", site, stdin=pair)

        plain = server.curl(host_of(site), "/x?y=1", "-i").stdout
        secure = https(host_of(site), port)
        unknown = https("nobody.test.example", port)
        server.dokku("certs:remove", site)

        assert "301 Moved" in plain and f"Location: https://{host_of(site)}:{port}/x?y=1" in plain
        assert "X-Forwarded-Proto: https" in secure.stdout and secure.stdout.startswith("HTTP/2 200")
        assert "strict-transport-security: max-age=15724800; includeSubdomains" in secure.stdout
        assert unknown.returncode == 35  # the handshake was refused
        assert body_of(server, site).startswith("one")
        assert not (server.root / site / "nginx.conf.d/hsts.conf").exists()
    finally:
        server.dokku("proxy:set", "--global", "proxy-ssl-port", str(server.https_port))


def https(host, port):
    return run("curl", "-ski", "--http2", "-m", "10", "--resolve", f"{host}:{port}:127.0.0.1",
               f"https://{host}:{port}/headers", check=False)  # fmt: skip


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1] - 12000  # below the range of outgoing connections


def test_without_domains_an_app_has_a_port_of_its_own(server, site):
    server.dokku("ports:clear", site)
    server.dokku("domains:disable", site)
    port = server.dokku("proxy:report", site, "--proxy-proxy-port").stdout.strip()

    assert int(port) >= 1025
    assert run("curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", f"http://127.0.0.1:{port}/").stdout in ("200", "502")
    assert server.curl(host_of(site)).returncode == 52


def test_an_app_without_domains_may_have_the_servers_own_port(server, site, backends):
    server.dokku("domains:disable", site)
    server.dokku("ports:set", site, f"http:{server.http_port}:{backends}")

    assert body_of(server, "whatever").startswith("one")

    server.dokku("domains:enable", site)
    assert server.curl(host_of("whatever")).returncode == 52


def test_a_name_that_another_app_has_is_told(server, site, shared):
    done = server.dokku("domains:add", site, host_of(shared), check=False)

    assert host_of(shared) in done.stderr


def test_a_broken_vhost_of_another_app_does_not_bar_apps_from_coming_and_going(server, site):
    other = f"{site}-two"
    vhost(server, site).write_text("nonsense;\n")

    made = server.dokku("apps:create", other)
    gone = server.dokku("apps:destroy", other, "--force")

    assert "nginx refuses its configuration" in made.stderr and site in made.stderr
    assert "nginx refuses its configuration" in gone.stderr or not gone.stderr


def test_builds_at_once_take_turns(server, site, shared, backends):
    switch_all = [["proxy:build-config", app] for app in (site, shared) * 3]
    for app in (site, shared):
        server.dokku("network:set", app, "static-web-listener", f"127.0.0.3:{backends}")
    running = [subprocess.Popen([server.bin / "dokku", *argv], env=server.env, stdout=subprocess.DEVNULL)
               for argv in switch_all]  # fmt: skip

    assert [process.wait() for process in running] == [0] * 6
    assert body_of(server, site).startswith("two") and body_of(server, shared).startswith("two")


def test_without_a_proxy_there_is_no_vhost(server, site, backends):
    server.dokku("proxy:disable", site)
    assert not vhost(server, site).exists()
    assert server.curl(host_of(site)).returncode == 52

    server.dokku("proxy:enable", site)
    server.dokku("ports:set", site, f"http:{server.http_port}:{backends}")
    assert body_of(server, site).startswith("one")


def test_another_proxy_is_left_alone(server, shared):
    server.dokku("proxy:set", shared, "type", "caddy")
    server.dokku("proxy:clear-config", shared)
    server.dokku("proxy:build-config", shared)

    assert vhost(server, shared).exists()
    failed = server.dokku("nginx:show-config", shared, check=False)
    server.dokku("proxy:set", shared, "type")
    assert failed.returncode == 1 and "only available for apps with the nginx proxy type" in failed.stderr


def test_clear_config_takes_the_vhost_away(server, site):
    server.dokku("proxy:clear-config", site)

    assert server.curl(host_of(site)).returncode == 52
    assert server.dokku("nginx:show-config", site, check=False).stderr.startswith(f" !     No nginx.conf exists for {site}")


def test_a_destroyed_app_is_served_no_more(server, site):
    server.dokku("apps:destroy", site, "--force")

    assert server.curl(host_of(site)).returncode == 52
    assert not (server.lib / f"data/nginx-vhosts/app-{site}").exists()


def test_a_clone_has_its_own_settings_and_not_the_old_vhost(server, site):
    other = f"{site}-two"
    server.dokku("nginx:set", site, "client-max-body-size", "9m")
    try:
        server.dokku("apps:clone", "--skip-deploy", site, other)

        assert server.dokku("nginx:report", other, "--nginx-client-max-body-size").stdout == "9m\n"
        assert nginx_takes_its_configuration(server)
        assert body_of(server, site).startswith("one")
        assert f"server_name {host_of(other)};" in vhost(server, other).read_text()
    finally:
        server.dokku("apps:destroy", other, "--force", check=False)


def test_a_renamed_app_is_served_under_its_new_name_only(server, site, backends):
    other = f"{site}-two"
    try:
        server.dokku("apps:rename", "--skip-deploy", site, other)

        assert body_of(server, other).startswith("one")
        assert server.curl(host_of(site)).returncode == 52
    finally:
        server.dokku("apps:destroy", other, "--force", check=False)


def test_set_refuses_what_nginx_could_not_take(server, shared):
    failed = server.dokku("nginx:set", shared, "client-max-body-size", "1m; } server {", check=False)
    assert failed.returncode == 1 and "is not a size" in failed.stderr

    failed = server.dokku("nginx:set", shared, "colour", "red", check=False)
    assert failed.returncode == 1 and "Invalid key specified, valid keys include: access-log-format, " in failed.stderr

    assert server.dokku("nginx:set", shared, check=False).stderr == " !     No key specified\n"
    assert server.dokku("nginx:set", "no-such-app", "hsts", "false", check=False).returncode == 20


def test_report(server, shared):
    server.dokku("nginx:set", "--global", "send-timeout", "42s")
    server.dokku("nginx:set", shared, "proxy-read-timeout", "43s")
    try:
        found = server.dokku("nginx:report", shared).stdout
        assert found.startswith(f"=====> {shared} nginx information\n")
        assert server.dokku("nginx:report", shared, "--nginx-computed-send-timeout").stdout == "42s\n"
        assert server.dokku("nginx:report", shared, "--nginx-send-timeout").stdout == "\n"
        assert server.dokku("nginx:report", shared, "--nginx-computed-proxy-read-timeout").stdout == "43s\n"
        assert '"global-send-timeout":"42s"' in server.dokku("nginx:report", shared, "--format", "json").stdout
    finally:
        server.dokku("nginx:set", "--global", "send-timeout")


def test_logs(server, site):
    server.curl(host_of(site), "/seen-in-the-log")

    assert "/seen-in-the-log" in server.dokku("nginx:access-logs", site).stdout
    assert server.dokku("nginx:error-logs", site).returncode == 0
    server.dokku("nginx:set", site, "access-log-path", "off")
    failed = server.dokku("nginx:access-logs", site, check=False)
    assert failed.returncode == 1 and "access logs are disabled for this app" in failed.stderr


def test_validate_config_names_the_vhost_at_fault_and_cleans_it(server, site):
    assert server.dokku("nginx:validate-config").stdout == ""
    vhost(server, site).write_text("server { listen 0.0.0.0:nope; }\n")

    found = server.dokku("nginx:validate-config", check=False)
    assert found.returncode == 1 and f"The nginx.conf of {site} is not valid" in found.stderr
    assert server.dokku("nginx:reload", check=False).returncode == 1
    assert vhost(server, site).exists()

    server.dokku("nginx:validate-config", "--clean")
    assert not vhost(server, site).exists()
    server.dokku("nginx:reload")


def test_stopped_it_stays_stopped_until_started(server, shared, backends):
    server.dokku("nginx:stop")
    try:
        assert server.curl(host_of(shared)).returncode == 7
        switch(server, shared, "127.0.0.3", backends)
        assert server.curl(host_of(shared)).returncode == 7
    finally:
        server.dokku("nginx:start")

    assert body_of(server, shared).startswith("two")


def test_the_dokku_user_may_ask_root_for_nothing_else_of_nginx(server):
    nginx, conf = "/usr/sbin/nginx", server.base / "nginx/nginx.conf"

    def may(*argv):
        return run("runuser", "-u", server.user, "--", "sudo", "-n", *argv, check=False).returncode == 0

    assert may(nginx, "-t", "-c", conf)
    assert not may(nginx, "-t", "-c", "/etc/passwd")
    assert not may(nginx, "-t", "-c", conf, "-g", "load_module /tmp/x.so;")
    assert not may(nginx, "-s", "stop", "-c", conf)
    assert not may("/bin/true")


def test_setup_again_changes_nothing(server):
    done = run(server.base / "dokku.build", "setup", env=server.env)

    assert "nothing had to be changed" in done.stdout


def extracted(server, app, source):
    """What a deploy of the source does first, as far as nginx is concerned; run as the dokku user."""
    for directory in (source, source.parent, source.parent.parent):
        directory.chmod(0o755)
    env = {**server.env, "DOKKU_PID": "1"}
    return run(server.bin / "plugn", "trigger", "core-post-extract", app, source, "", check=False, env=env)


def test_a_template_of_the_apps_own_is_tried_before_anything_is_built(server, shared, tmp_path):
    text = "server { listen {{ $.PROXY_PORT }}; server_name {{ $.NOSSL_SERVER_NAME }}; add_header X-Own {{ $.APP }}; }"
    (tmp_path / "nginx.conf.sigil").write_text(text)

    done = extracted(server, shared, tmp_path)

    if run("which", "sigil", env=server.env, check=False).returncode:  # no Debian package has it
        assert done.returncode == 1 and "needs the program sigil, which is not installed" in done.stderr
        return
    assert done.returncode == 0
    (tmp_path / "nginx.conf.sigil").write_text("server { nonsense }")
    assert "Custom nginx.conf.sigil failed" in extracted(server, shared, tmp_path).stderr


def test_a_template_that_is_not_wanted_needs_no_sigil(server, shared, tmp_path):
    (tmp_path / "nginx.conf.sigil").write_text("server { nonsense }")
    server.dokku("nginx:set", shared, "disable-custom-config", "true")
    try:
        assert extracted(server, shared, tmp_path).returncode == 0
    finally:
        server.dokku("nginx:set", shared, "disable-custom-config")


def test_a_template_that_links_out_of_the_source_is_refused(server, shared, tmp_path):
    (tmp_path / "nginx.conf.sigil").symlink_to("/etc/passwd")

    done = extracted(server, shared, tmp_path)

    assert done.returncode == 1 and "leads out of the app's source" in done.stderr
