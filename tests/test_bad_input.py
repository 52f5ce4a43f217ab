"""Every command of every manifest against bad input: a clear message on stderr, the right status, nothing changed.

What each does with good input: test_every_command.py; this goes through the whole table (commands-a.md 1.4).
"""

import json
import re

import pytest

from tests.conftest import DOMAIN
from tests.test_manifests import MANIFESTS

COMMANDS = sorted(
    (line.partition(" ")[0], line.partition(" ")[2])
    for manifest in MANIFESTS.values()
    for line, text in manifest.get("commands", {}).items()
    if text and not line.startswith(("setup", "plugin:", "apps:create "))
)
REPORTS = [name for name, _ in COMMANDS if name.endswith(":report") and not re.search("annotations|labels", name)]


def filled(usage: str, app: str) -> list[str]:
    """Plausible words for the required arguments of a usage line; the app is `app`."""
    required = re.sub(r"\[[^\[\]]*(\[[^\[\]]*\][^\[\]]*)*\]", "", usage)
    words = [w for w in re.findall(r"<[^>]+>|[A-Z0-9]+=[A-Z0-9a-z]+|\S+", required) if not w.startswith(("--", "(", "|"))]
    return [app if w.startswith("<app") else "x" for w in words]


TAKES_APP = [(name, usage) for name, usage in COMMANDS if "APP" in filled(usage, "APP")]
OPTIONAL_APP = [n for n, u in COMMANDS if "<app" in u and (n, u) not in TAKES_APP and not n.startswith("registry:log")]
SETTERS = [n for n, u in TAKES_APP if n.endswith(":set") and re.search("<(key|property)>", u)]

# flags with a value, as the usage lines have them: [--format stdout|json], [-n|--num N], --index N
VALUED = [(n, flag) for n, u in COMMANDS for flag in re.findall(r"(--(?!global)[a-z-]+)[= ](?!<(?:app|name))[A-Za-z<]", u)]
# what a command without arguments changes for the whole server, and so for the tests that come after
UNDONE_BY = {"nginx:stop": ["nginx:start"], "trace:on": ["trace:off"], "events:on": ["events:off"],
             "domains:clear-global": ["domains:set-global", DOMAIN]}  # fmt: skip


def assert_clear(done) -> None:
    """A message in Dokku's form, and no sign of a crash."""
    assert " !     " in done.stderr, done
    assert "this is a bug" not in done.stderr and "Traceback" not in done.stderr + done.stdout, done.stderr


@pytest.fixture
def unchanged(server):
    """No property, variable, app or file of an app is another one after the test."""
    before = settings(server)
    yield
    assert settings(server) == before


def settings(server) -> dict[str, tuple[int, int]]:
    places = [*(server.lib / "config").rglob("*"), *server.root.glob("*"), *server.root.glob("*/[A-Z]*"),
              *server.root.glob(".dokkurc/*"), *(server.lib / "plugins/enabled").glob("*")]  # fmt: skip
    found = {str(path): path.lstat() for path in places if not path.is_dir() and path.name != "deployed"}  # a cache
    return {name: (stat.st_mtime_ns, stat.st_size) for name, stat in found.items()}


@pytest.mark.parametrize(("name", "usage"), TAKES_APP, ids=[name for name, _ in TAKES_APP])
def test_missing_app_is_status_20(server, unchanged, name, usage):
    done = server.dokku(name, *filled(usage, "no-such-app"), check=False)
    assert_clear(done)
    assert done.returncode == 20, done
    assert "App no-such-app does not exist" in done.stderr


@pytest.mark.parametrize("name", OPTIONAL_APP)
def test_optional_app_that_does_not_exist_is_status_20(server, unchanged, name):
    done = server.dokku(name, "no-such-app", check=False)
    assert_clear(done)
    assert done.returncode == 20, done


@pytest.mark.parametrize(("name", "usage"), TAKES_APP, ids=[name for name, _ in TAKES_APP])
def test_bad_app_name(server, unchanged, name, usage):
    done = server.dokku(name, *filled(usage, "../Etc"), check=False)
    assert_clear(done)
    assert done.returncode in (1, 20), done


@pytest.mark.parametrize("bad", ["Bad", "-x", "a b", "a;b", ""])
@pytest.mark.parametrize("name", ["apps:destroy", "config:set", "domains:add", "ps:scale", "logs", "git:set", "nginx:set"])
def test_other_bad_app_names(server, unchanged, name, bad):
    done = server.dokku(name, bad, "x", "y", check=False)
    assert_clear(done)
    assert done.returncode in (1, 2, 20)


@pytest.fixture(scope="module")
def some_app(server):
    """A report of all apps reads its flags only if there is one."""
    name = server.app("some-app")
    server.dokku("apps:create", name)
    yield name
    server.dokku("apps:destroy", name, "--force")


@pytest.mark.parametrize(("name", "usage"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_unknown_flag(server, some_app, unchanged, name, usage):
    """Wherever flags are read, one that does not exist is refused before anything happens."""
    done = server.dokku(name, "--no-such-flag", check=False)
    assert_clear(done)
    assert done.returncode in (1, 2), done
    assert done.returncode == 1 or f"usage: dokku {name}" in done.stderr


@pytest.mark.parametrize(("name", "usage"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_help_is_no_mistake(server, unchanged, name, usage):
    """`COMMAND --help` says on stderr what it takes; `PLUGIN --help` is the help of the plugin (commands-a.md 1.4, 1.7)."""
    done = server.dokku(name, "--help")
    if ":" in name:
        assert done.stdout == "" and done.stderr.startswith(f"Usage: dokku {name} {usage}".strip()), done
    else:
        assert done.stdout == server.dokku(f"{name}:help").stdout and done.stderr == ""


@pytest.mark.parametrize(("name", "usage"), COMMANDS, ids=[name for name, _ in COMMANDS])
def test_no_arguments(server, name, usage):
    """What needs an argument says so; what needs none works or says why not. Nothing crashes."""
    done = server.dokku(name, check=False, timeout=60)
    if name in UNDONE_BY:
        server.dokku(*UNDONE_BY[name])
    required = filled(usage, "x")
    assert "this is a bug" not in done.stderr, done.stderr
    if required:
        assert done.returncode in (1, 2, 20), done
        assert_clear(done)


SHOWS_WITHOUT = ("ps:scale", "run:logs")
NEED_MORE = [(name, usage) for name, usage in TAKES_APP if len(filled(usage, "x")) > 1 and name not in SHOWS_WITHOUT]


@pytest.mark.parametrize(("name", "usage"), NEED_MORE, ids=[name for name, _ in NEED_MORE])
def test_missing_argument(server, some_app, unchanged, name, usage):
    """The app alone does not do: it is told what is missing."""
    done = server.dokku(name, some_app, check=False)
    assert_clear(done)
    assert done.returncode in (1, 2), done


@pytest.mark.parametrize(("name", "flag"), VALUED, ids=[" ".join(each) for each in VALUED])
def test_flag_without_its_value(server, some_app, unchanged, name, flag):
    done = server.dokku(name, flag, check=False)
    assert_clear(done)
    assert done.returncode in (1, 2), done


@pytest.mark.parametrize("name", SETTERS)
def test_unknown_property_is_refused(server, app, name):
    server.dokku("apps:create", app)
    done = server.dokku(name, app, "no-such-property", "x", check=False)
    assert_clear(done)
    assert done.returncode == 1 and re.search(r"Invalid (property|key) specified, valid", done.stderr), done.stderr


@pytest.mark.parametrize("name", REPORTS)
def test_reports(server, app, name):
    """Text, JSON, one value, a flag that does not exist, two flags, and a flag with JSON (commands-a.md 1.8)."""
    server.dokku("apps:create", app)
    text = server.dokku(name, app).stdout
    assert text.startswith(f"=====> {app} "), text
    flags = re.findall(r"--[a-z0-9.-]+", server.dokku(name, app, "--nope", check=False).stderr.partition("valid flags:")[2])
    found = json.loads(server.dokku(name, app, "--format", "json").stdout)
    assert found is not None
    if flags:
        assert server.dokku(name, flags[0], app).returncode == 0
        assert server.dokku(name, app, flags[0], "--format", "json", check=False).returncode == 1
        two = server.dokku(name, app, flags[0], flags[-1], check=False)
        assert two.returncode == 1 and "only a single flag" in two.stderr
    assert server.dokku(name, app, "--format", "yaml", check=False).returncode == 1
    assert server.dokku(name, "--global").returncode == 0
