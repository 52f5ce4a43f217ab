"""Every report has the keys and defaults of Dokku's, and every `:set` takes its properties (tests/data)."""

import json
import re

import pytest

from tests.server import CHECKOUT

ROWS = [
    line.split("\t")
    for line in (CHECKOUT / "tests/data/dokku-properties.tsv").read_text().splitlines()
    if line[0] != "#"
]
PLUGINS = list(dict.fromkeys(row[0] for row in ROWS))
SETTERS = list(dict.fromkeys(row[0] for row in ROWS if row[4] != "-"))
PREFIX = {"r": "", "g": "global-", "c": "computed-"}
ONLY_GLOBAL_VALUES = ("apps", "builds", "domains", "nginx")  # the server's report has no computed- ones of these
# those that keep the key with the prefix of the plugin beside the short one
LEGACY = ("app-json", "apps", "builder", "buildpacks", "builds", "cron", "docker-options", "logs", "network", "ports",
          "proxy", "ps", "registry", "scheduler", "storage")  # fmt: skip
WORD = {"apps": "app"}  # of the plugins whose flags do not begin with their name
WITHOUT_PREFIX = {"ps": ("deployed", "processes", "restore", "running")}
# the latest build has words of its own, and so have lists in JSON
LATEST = ("exit-code", "finished-at", "id", "kind", "pid", "source", "started-at", "status")
BESIDE = {
    "builds": {f"build-{key}" for key in LATEST},
    "docker-options": {"build-list", "deploy-list", "run-list"},
}
SET = {"buildpacks": "buildpacks:set-property"}


def keys(plugin: str, forms_of) -> set[str]:
    short = {PREFIX[form] + key for name, key, forms, *_ in ROWS if name == plugin for form in forms_of(forms)}
    if plugin not in LEGACY:
        return short
    bare = WITHOUT_PREFIX.get(plugin, ())
    return short | {f"{WORD.get(plugin, plugin)}-{key}" for key in short if key not in bare}


@pytest.fixture(scope="module")
def new_app(server):
    name = server.app("properties")
    server.dokku("apps:destroy", name, "--force", check=False)
    server.dokku("apps:create", name)
    yield name
    server.dokku("apps:destroy", name, "--force")


@pytest.mark.parametrize("plugin", PLUGINS)
def test_report_of_an_app(server, new_app, plugin):
    found = json.loads(server.dokku(f"{plugin}:report", new_app, "--format", "json").stdout)
    assert set(found) == keys(plugin, lambda forms: forms) | BESIDE.get(plugin, set())
    for name, key, forms, value, _ in ROWS:
        if name == plugin and value != "*":
            effective = found[PREFIX["c" if "c" in forms else forms[0]] + key]
            assert effective == ("" if value == "-" else value), key
            assert "c" not in forms or "r" not in forms or found[key] == "", key


@pytest.mark.parametrize("plugin", [plugin for plugin in PLUGINS if plugin != "storage"])  # which lists its entries
def test_report_of_the_server(server, plugin):
    wanted = "g" if plugin in ONLY_GLOBAL_VALUES else "gc"
    found = json.loads(server.dokku(f"{plugin}:report", "--global", "--format", "json").stdout)
    assert set(found) == keys(plugin, lambda forms: set(forms) & set(wanted) if "g" in forms else "")


@pytest.fixture
def own_settings(server):
    """The server's own ports, which are not those of any other."""
    kept = {path: path.read_text() for path in (server.lib / "config/proxy/--global").iterdir()}
    yield
    for path, text in kept.items():
        server.dokku("proxy:set", "--global", path.name, text)


@pytest.mark.parametrize("plugin", SETTERS)
def test_set(server, new_app, own_settings, plugin):
    """The refusal of an unknown key names all others; each has its scope."""
    command = SET.get(plugin, f"{plugin}:set")
    known = {key: scope for name, key, _, _, scope in ROWS if name == plugin and scope != "-"}
    done = server.dokku(command, new_app, "no-such-key", "x", check=False)
    named = re.search("include: (.*)", done.stderr)[1].split(", ")
    assert set(named) - {"detected", "maintenance.ID"} == set(known) and named == sorted(named), done.stderr
    for key, scope in known.items():
        for where in (new_app, "--global"):
            done = server.dokku(command, where, key, check=False)
            allowed = scope == "both" or (scope == "global") == (where == "--global")
            assert (done.returncode == 0) == allowed, (key, where, done)
            assert not allowed or done.stdout.startswith(f"=====> Unsetting {key}\n"), done
            assert allowed or "globally" in done.stderr, done
