"""Command lines bound to function signatures: a table of lines and what the function gets, or the error."""

import pytest

from dokku_min import args, words
from dokku_min.args import HelpWanted, Usage
from dokku_min.errors import NO_SUCH_APP, Failure


@pytest.fixture
def apps(tmp_path, monkeypatch):
    """Two apps, web and api, and no plugins."""
    monkeypatch.setenv("DOKKU_ROOT", str(tmp_path / "home"))
    monkeypatch.setenv("DOKKU_LIB_ROOT", str(tmp_path / "lib"))
    for name in ("web", "api"):
        (tmp_path / "home" / name).mkdir(parents=True)


def verb(app, key="", *rest, loud=False, name="", count=1, tag=()):
    """Every kind of parameter."""


def scoped(scope, key=""):
    pass


def two(old, new_name):
    pass


FLAGS = {"loud": False, "name": "", "count": 1, "tag": ()}


@pytest.mark.parametrize(("line", "found", "flags"), [
    ("web", ["web"], {}),
    ("web k a b", ["web", "k", "a", "b"], {}),
    ("--loud web", ["web"], {"loud": True}),
    ("web --loud", ["web"], {"loud": True}),
    ("web --loud=false", ["web"], {"loud": False}),
    ("web --loud=true", ["web"], {"loud": True}),
    ("web --name x", ["web"], {"name": "x"}),
    ("web --name=x=y", ["web"], {"name": "x=y"}),
    ("web --name=", ["web"], {"name": ""}),
    ("web --name --loud", ["web"], {"name": "--loud"}),
    ("web --count 5", ["web"], {"count": 5}),
    ("web --count=-2", ["web"], {"count": -2}),
    ("web --tag a --tag=b", ["web"], {"tag": ("a", "b")}),
    ("web -n x", ["web"], {"name": "x"}),
    ("web -- --loud -n", ["web", "--loud", "-n"], {}),
    ("web -", ["web", "-"], {}),
    ("web --quiet --trace --force", ["web"], {}),
    ("web ''", ["web", ""], {}),
    ("web 'a b' '*' \"it's\"", ["web", "a b", "*", "it's"], {}),
])  # fmt: skip
def test_bound(apps, line, found, flags):
    assert args.bind(verb, words.split(line), short={"-n": "--name"}) == (found, {**FLAGS, **flags})


@pytest.mark.parametrize(("line", "message"), [
    ("web --louder", "unknown flag: --louder"),
    ("web -x", "unknown flag: -x"),
    ("web --x-y=1", "unknown flag: --x-y"),
    ("web --name", "flag needs an argument: --name"),
    ("web --loud=maybe", "--loud takes no value but true or false"),
    ("web --count many", "--count takes a number, not many"),
])  # fmt: skip
def test_usage_errors_exit_2(apps, line, message):
    with pytest.raises(Usage) as error:
        args.bind(verb, line.split())
    assert (error.value.message, error.value.status) == (message, 2)


@pytest.mark.parametrize(("function", "line", "message", "status"), [
    (verb, "", "Please specify an app to run the command on", 1),
    (verb, "''", "Please specify an app to run the command on", 1),
    (verb, "nope", "App nope does not exist", NO_SUCH_APP),
    (verb, "../web", "App ../web does not exist", NO_SUCH_APP),
    (verb, "--global", "unknown flag: --global", 2),
    (scoped, "nope", "App nope does not exist", NO_SUCH_APP),
    (scoped, "web k more", "Unexpected argument(s): more", 1),
    (two, "a", "Missing argument: <new-name>", 1),
    (two, "a b c d", "Unexpected argument(s): c d", 1),
])  # fmt: skip
def test_refused(apps, function, line, message, status):
    with pytest.raises(Failure) as error:
        args.bind(function, words.split(line))
    assert (error.value.message, error.value.status) == (message, status)


@pytest.mark.parametrize("line", ["--global key", "key --global"])
def test_global_is_the_scope_wherever_it_stands(apps, line):
    assert args.bind(scoped, line.split()) == (["--global", "key"], {})


def command(app, *words_, detach=False):
    pass


@pytest.mark.parametrize(("line", "found", "detach"), [
    ("web ls -l --detach", ["web", "ls", "-l", "--detach"], False),
    ("--detach web ls", ["web", "ls"], True),
    ("web -- ls", ["web", "--", "ls"], False),
])  # fmt: skip
def test_options_first_leaves_the_rest_alone(apps, line, found, detach):
    assert args.bind(command, line.split(), options_first=True) == (found, {"detach": detach})


@pytest.mark.parametrize("line", ["--help", "web --help", "-h"])
def test_asking_for_help_comes_before_anything_is_checked(apps, line):
    with pytest.raises(HelpWanted):
        args.bind(two, line.split())
    assert args.bind(command, ["web", "--help"], options_first=True)[0] == ["web", "--help"]
