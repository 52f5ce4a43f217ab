"""PLUGIN:report as text, JSON or one value, the same for every plugin."""

import json

import pytest

from dokku_min import report
from dokku_min.errors import Failure

ROWS = {
    "nginx-port": "80", "nginx-computed-on": True, "nginx-late": lambda: "found out", "nginx-empty": "",
    "nginx-a-name-much-longer-than-the-usual": "x",
}  # fmt: skip


@pytest.fixture(autouse=True)
def apps(tmp_path, monkeypatch):
    monkeypatch.setenv("DOKKU_ROOT", str(tmp_path / "home"))
    monkeypatch.setenv("DOKKU_LIB_ROOT", str(tmp_path / "lib"))
    monkeypatch.delenv("DOKKU_QUIET_OUTPUT", raising=False)
    for name in ("web", "api"):
        (tmp_path / "home" / name).mkdir(parents=True)


def show(*argv, rows=None, legacy=False):
    report.show("nginx", "nginx", legacy, lambda scope: rows or {**ROWS, "nginx-scope": scope}, list(argv))


def test_text(capsys):
    show("web")
    assert capsys.readouterr().out.splitlines() == [
        "=====> web nginx information",
        "       Nginx a name much longer than the usual: x",
        "       Nginx computed on:" + " " * 23 + "true",
        "       Nginx empty:",
        "       Nginx late:" + " " * 30 + "found out",
        "       Nginx port:" + " " * 30 + "80",
        "       Nginx scope:" + " " * 29 + "web",
    ]


def test_every_app_without_one(capsys):
    show()
    assert [line for line in capsys.readouterr().out.splitlines() if line.startswith("=")] == [
        "=====> api nginx information", "=====> web nginx information",
    ]  # fmt: skip


def test_quiet_drops_the_heading(capsys, monkeypatch):
    monkeypatch.setenv("DOKKU_QUIET_OUTPUT", "1")
    show("web")
    assert "=====>" not in capsys.readouterr().out


@pytest.mark.parametrize(("flag", "value"), [
    ("--nginx-port", "80"), ("--nginx-computed-on", "true"), ("--nginx-late", "found out"), ("--nginx-empty", ""),
])  # fmt: skip
def test_one_value(capsys, flag, value):
    show("web", flag)
    show(flag, "web")
    assert capsys.readouterr().out == f"{value}\n" * 2


def test_json(capsys):
    show("web", "--format", "json")
    found = json.loads(capsys.readouterr().out)
    assert found["port"] == "80" and found["computed-on"] == "true" and found["scope"] == "web"
    assert "nginx-port" not in found
    show("web", "--format", "json", legacy=True)
    assert json.loads(capsys.readouterr().out)["nginx-port"] == "80"


def test_json_is_as_go_writes_it():
    assert report.to_json({"b": "<é&>", "a": ["x"]}) == '{"a":["x"],"b":"\\u003cé\\u0026\\u003e"}'


def test_global(capsys):
    show("--global", "--nginx-scope")
    assert capsys.readouterr().out == "--global\n"


@pytest.mark.parametrize(("argv", "message"), [
    (["nope"], "App nope does not exist"),
    (["web", "api"], "Unexpected argument"),
    (["web", "--nope"], "Invalid flag passed, valid flags: --nginx-a"),
    (["web", "--nginx-port", "--nginx-late"], "allows only a single flag"),
    (["web", "--format", "yaml"], "Format must be"),
    (["web", "--format", "json", "--nginx-port"], "--format flag cannot be specified"),
])  # fmt: skip
def test_refused(argv, message):
    with pytest.raises(Failure, match=message):
        show(*argv)
