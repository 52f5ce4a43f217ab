"""checks: what healthy means, and what happens when it is not so (commands-a.md 9)."""

import json
import subprocess
import sys

import pytest

from dokku_min.errors import Failure
from tests.apps import STARTUP, commit, make_repo, web_app
from tests.plugins.modules import plugin_module
from tests.server import CHECKOUT

definitions = plugin_module("checks", "definitions")


def entries(app_json, process_type="web", port="5000", monkeypatch=None):
    monkeypatch.setattr(definitions, "ask", lambda *_: json.dumps(app_json))
    return definitions.of_process("x", process_type, port)


def test_without_healthchecks_uptime_decides_and_a_silent_web_is_warned_of(monkeypatch):
    found = entries({}, monkeypatch=monkeypatch)
    assert [(c.kind, c.value, c.warn) for c in found] == [("uptime", 10, False), ("listening", True, True)]
    assert [c.kind for c in entries({}, "worker", monkeypatch=monkeypatch)] == ["uptime"]


def test_fields_of_a_check(monkeypatch):
    entry = {"type": "startup", "path": "/up", "attempts": 7, "timeout": 9, "wait": 2, "initialDelay": 1, "port": 80,
             "content": "ok", "scheme": "https", "httpHeaders": [{"name": "A", "value": "b"}], "warn": True}  # fmt: skip
    (check,) = entries({"healthchecks": {"web": [entry]}}, monkeypatch=monkeypatch)
    assert (check.kind, check.value, check.attempts, check.timeout, check.wait) == ("path", "/up", 7, 9, 2)
    assert (check.delay, check.port, check.content, check.scheme, check.warn) == (1, 80, "ok", "https", True)
    assert check.headers == {"A": "b"}


def test_what_is_null_or_missing_in_a_check_is_as_usual(monkeypatch):
    entry = {"type": "startup", "path": "/", "attempts": None, "timeout": None, "port": None, "scheme": "HTTPS",
             "httpHeaders": [{"name": "A"}, {"name": "B", "value": None}]}  # fmt: skip
    (check,) = entries({"healthchecks": {"web": [entry]}}, monkeypatch=monkeypatch)
    assert (check.attempts, check.timeout, check.wait, check.port, check.scheme) == (3, 5, 5, 5000, "https")
    assert check.headers == {"A": "", "B": ""}


def test_liveness_checks_do_not_gate_a_deploy(monkeypatch):
    entry = {"type": "liveness", "path": "/"}
    assert [c.kind for c in entries({"healthchecks": {"web": [entry]}}, monkeypatch=monkeypatch)] == ["listening"]


def test_one_entry_checks_one_thing(monkeypatch):
    with pytest.raises(Failure, match="path and command"):
        entries({"healthchecks": {"web": [{"type": "startup", "path": "/", "command": ["x"]}]}}, monkeypatch=monkeypatch)


@pytest.mark.parametrize(
    ("change", "healthy"),
    [
        ({"content": "hello"}, True),
        ({"content": "goodbye", "attempts": 1}, False),
        ({"path": "", "command": ["test", "-f", "/app/web.sh"]}, True),
        ({"path": "", "command": ["false"], "attempts": 1}, False),
        ({"path": "", "listening": True}, True),
        ({"path": "", "listening": True, "port": 81, "attempts": 1}, False),
        ({"path": "", "uptime": 1}, True),
        ({"path": "/none", "attempts": 1, "warn": True}, True),
        ({"path": "", "command": ["sleep", "9"], "timeout": 1, "attempts": 1}, False),
        ({"initialDelay": 1}, True),
    ],
)
def test_kinds_of_checks(server, app, tmp_path, change, healthy):
    files = web_app("hello")
    entry = {k: v for k, v in {**STARTUP, **change}.items() if v != ""}
    files["app.json"] = json.dumps({"healthchecks": {"web": [entry]}})
    done = server.push(make_repo(tmp_path / "repo", files), app, check=False)
    assert (done.returncode == 0) is healthy, done.stderr
    if not healthy:
        assert "Could not start due to 1 failed checks (web.1)" in done.stderr
        assert server.docker("ps", "-q", "--filter", f"label=com.dokku.app-name={app}").stdout == ""


def test_headers_reach_the_app_and_failure_tells_somebody(server, app, tmp_path):
    """The Host header is the app's own; onFailure posts to a URL."""
    files = web_app("hello")
    files["www/cgi-bin/host"] = '#!/bin/sh\necho; echo "$HTTP_HOST $HTTP_X_PROBE"\n'
    files["Dockerfile"] += "RUN chmod +x /app/www/cgi-bin/host\n"
    entry = {"type": "startup", "path": "/cgi-bin/host", "content": f"{app}.test.example yes", "attempts": 5, "wait": 1,
             "httpHeaders": [{"name": "X-Probe", "value": "yes"}]}  # fmt: skip
    files["app.json"] = json.dumps({"healthchecks": {"web": [entry]}})
    repo = make_repo(tmp_path / "repo", files)
    server.push(repo, app)
    heard = subprocess.Popen(
        [sys.executable, "-c", LISTENER], stdout=subprocess.PIPE, text=True, cwd=CHECKOUT, stdin=subprocess.DEVNULL
    )
    port = heard.stdout.readline().strip()
    entry |= {"path": "/none", "attempts": 1, "name": "gone", "onFailure": {"url": f"http://127.0.0.1:{port}/"}}
    commit(repo, {"app.json": json.dumps({"healthchecks": {"web": [entry]}})})
    assert server.push(repo, app, check=False).returncode
    assert '{"check_name":"gone"}' in heard.communicate(timeout=10)[0]


LISTENER = """
import http.server
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        print(self.rfile.read(int(self.headers["Content-Length"])).decode(), flush=True)
        self.send_response(204); self.end_headers()
    def log_message(self, *_): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
server.timeout = 30
server.handle_request()
"""


def test_lists_hold_whole_items_in_order(server, app):
    server.dokku("apps:create", app)
    server.dokku("checks:disable", app, "web,web2,notifications")
    server.dokku("checks:enable", app, "web")
    assert server.dokku("checks:report", app, "--checks-disabled-list").stdout == "web2,notifications\n"
    done = server.dokku("checks:skip", app, "web2")
    assert done.stdout == f"-----> Skipping zero downtime for app's ({app}) proctypes (web2)\n"
    assert server.dokku("checks:report", app, "--checks-disabled-list").stdout == "notifications\n"
    assert server.dokku("checks:disable", app).stdout == f"-----> Disabling zero downtime for app ({app})\n"
    assert server.dokku("checks:report", app, "--checks-disabled-list").stdout == "_all_\n"
    assert server.dokku("checks:report", app, "--checks-skipped-list").stdout == "none\n"
    server.dokku("checks:enable", app)
    assert server.dokku("checks:report", app, "--checks-disabled-list").stdout == "none\n"


@pytest.mark.parametrize(
    ("words", "status", "why"),
    [
        (["checks:disable", "no-such-app"], 20, "App no-such-app does not exist"),
        (["checks:set", "APP", "wait-to-retire", "soon"], 1, "Invalid wait-to-retire"),
        (["checks:set", "APP", "nope", "1"], 1, "Invalid key specified, valid keys include: wait-to-retire"),
        (["checks:set", "APP"], 1, "No key specified"),
        (["checks:report", "APP", "--nope"], 1, "Invalid flag passed"),
        (["checks:disable", "APP", "a b"], 1, "Invalid process type specified"),
        (["checks:run", "APP", "web"], 1, "Invalid process type specified"),
    ],
)
def test_bad_input(server, app, words, status, why):
    server.dokku("apps:create", app)
    done = server.dokku(*(app if word == "APP" else word for word in words), check=False)
    assert done.returncode == status and why in done.stderr


def test_run_checks_live_containers(server, app, tmp_path):
    server.push(make_repo(tmp_path / "repo", web_app()), app)
    done = server.dokku("checks:run", app)
    assert f"-----> Running checks for app ({app}.web.1)" in done.stdout
    done = server.dokku("checks:run", app, "web.7", check=False)
    assert done.returncode == 1 and f"Invalid container index specified ({app}.web.7)" in done.stderr


def test_disabled_checks_stop_the_old_one_first(server, app, tmp_path):
    repo = make_repo(tmp_path / "repo", web_app())
    server.push(repo, app)
    server.dokku("checks:disable", app)
    done = server.dokku("ps:restart", app)
    assert "stopping the old containers first" in done.stdout
    assert "Attempting pre-flight checks" not in done.stdout
    names = server.docker("ps", "--filter", f"label=com.dokku.app-name={app}", "--format", "{{.Names}}").stdout
    assert names == f"{app}.web.1\n"
