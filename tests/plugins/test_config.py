"""config: the ENV file, its exports, and every command (commands-a.md 3)."""

import base64
import io
import json
import subprocess
import tarfile

import pytest

from dokku_min.errors import Failure
from tests.apps import make_repo, web_app
from tests.plugins.modules import plugin_module

envfile = plugin_module("config", "envfile")

AWKWARD = {
    "PLAIN": "x",
    "EMPTY": "",
    "BLANKS": " a  b ",
    "QUOTES": "it's \"quoted\"",
    "ENDS_IN_QUOTE": 'x"',
    "BACKSLASH": "a\\",
    "BACKSLASHES": "\\n is not a newline \\\\",
    "LINES": "one\ntwo\r\n",
    "DOLLAR": "$HOME ${PATH} $(id) `id` $",
    "HASH": "a # b",
    "BANG": "wow!",
    "EQUALS": "a=b=c",
    "UTF8": "grüße ☃",
    "NUMBER": "42",
    "NEGATIVE": "-3",
    "OCTAL": "007",
    "PLUS": "+5",
    "BIG": "9" * 30,
}


@pytest.mark.parametrize("key", AWKWARD)
def test_what_is_written_is_read_back(key):
    assert envfile.parse(envfile.dump({key: AWKWARD[key]})) == {key: AWKWARD[key]}


def test_all_of_it_at_once():
    assert envfile.parse(envfile.dump(AWKWARD)) == AWKWARD


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("42", "K=42\n"),
        ("-3", "K=-3\n"),
        ("007", 'K="007"\n'),
        ("", 'K=""\n'),
        ('a"!$`\\\n\r', 'K="a\\"\\!\\$\\`\\\\\\n\\r"\n'),
    ],
)
def test_the_file_looks_as_dokku_writes_it(value, line):
    assert envfile.dump({"K": value}) == line


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("A=1\nB=2\n", {"A": "1", "B": "2"}),
        ("export A='x y'\n", {"A": "x y"}),
        ("A: yaml like\r\n", {"A": "yaml like"}),
        ("# comment\n\n  A = spaced out # tail\n", {"A": "spaced out"}),
        ('A="two\nlines" # c\nB=1', {"A": "two\nlines", "B": "1"}),
        ("A='raw $X \\n'\n", {"A": "raw $X \\n"}),
        ("A=1\nB=$A-${A}-$NOPE-$a\n", {"A": "1", "B": "1-1--$a"}),
        ('A=1\nB="$A \\$A"\n', {"A": "1", "B": "1 $A"}),
        ("bad.key=1\n9=2\nGOOD=3\n", {"GOOD": "3"}),
    ],
)
def test_envfiles_of_others(text, found):
    assert envfile.parse(text) == found


@pytest.mark.parametrize("text", ['A="open\n', "A='open\n", "no equals sign\n"])
def test_a_file_that_cannot_be_read_is_an_error(text):
    with pytest.raises(Failure):
        envfile.parse(text)


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("exports", "export A='it'\\''s'\nexport B='1'\n"),
        ("envfile", 'A="it\'s"\nB=1\n'),
        ("shell", "A='it'\\''s' B='1' "),
        ("docker-args", "--env=A='it'\\''s' --env=B='1'\n"),
        ("docker-args-keys", "--env=A --env=B\n"),
        ("pack-keys", "--env A --env B\n"),
        ("pretty", "A:  it's\nB:  1\n"),
        ("json", '{"A":"it\'s","B":"1"}\n'),
        ("json-list", '[{"name":"A","value":"it\'s"},{"name":"B","value":"1"}]\n'),
    ],
)
def test_exports(form, text):
    assert envfile.export({"B": "1", "A": "it's"}, form) == text


def test_exports_of_nothing():
    assert envfile.export({}, "json") == "{}\n" and envfile.export({}, "json-list") == "null\n"


def test_a_shell_reads_the_exports_back():
    env = {key: value for key, value in AWKWARD.items() if key != "LINES"}
    script = envfile.export(env, "exports") + "".join(f'printf "%s\\0" "${key}"\n' for key in env)
    done = subprocess.run(["bash", "-c", script], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == list(env.values())


@pytest.fixture(scope="module")
def owned(server):
    name = server.app("config")
    server.dokku("apps:destroy", name, "--force", check=False)
    server.dokku("apps:create", name)
    yield name
    server.dokku("apps:destroy", name, "--force", check=False)


def test_set_get_show_unset(server, owned):
    done = server.dokku("config:set", owned, "A=1", "B=x = y")
    assert done.stdout == "-----> Setting config vars\n       A:  1\n       B:  x = y\n"
    assert server.dokku("config:get", owned, "B").stdout == "x = y\n"
    assert server.dokku("config:get", "--quoted", owned, "B").stdout == "'x = y'\n"
    assert server.dokku("config:show", owned).stdout == f"=====> {owned} env vars\nA:  1\nB:  x = y\n"
    assert server.dokku("--quiet", "config:show", owned).stdout == "A:  1\nB:  x = y\n"
    assert server.dokku("config:keys", owned).stdout == "A\nB\n"
    assert server.dokku("config", owned).stdout.endswith("A:  1\nB:  x = y\n")
    old = server.dokku("config", owned, "--export")
    assert old.stdout.startswith("export A='1'\n") and "deprecated" in old.stderr
    assert oct((server.lib / f"config/{owned}/ENV").stat().st_mode)[-3:] == "600"
    done = server.dokku("config:unset", owned, "A", "NOPE")
    assert done.stdout == "-----> Unsetting A\n-----> Skipping NOPE, it is not set in the environment\n"
    assert server.dokku("plugin:trigger", "config-get", owned, "B").stdout == "x = y"
    assert server.dokku("plugin:trigger", "config-get", owned, "A").stdout == ""
    missing = server.dokku("config:get", owned, "A", check=False)
    assert (missing.returncode, missing.stdout, missing.stderr) == (1, "", "")
    assert server.dokku("config:clear", owned).stdout == "-----> Unsetting B\n"
    assert server.dokku("config:export", "--format", "json", owned).stdout == "{}\n"


def test_global_and_merged(server, owned):
    server.dokku("config:set", "--global", "SHARED=g", "BOTH=g")
    server.dokku("config:set", "--no-restart", owned, "BOTH=a")
    assert server.dokku("config:export", "--merged", "--format", "json", owned).stdout == '{"BOTH":"a","SHARED":"g"}\n'
    assert server.dokku("config:get", "--global", "BOTH").stdout == "g\n"
    assert server.dokku("config:show", "--global").stdout.startswith("=====> global env vars\n")
    server.dokku("config:unset", "--global", "SHARED", "BOTH")
    server.dokku("config:clear", owned)


def test_encoded_import_and_bundle(server, owned, tmp_path):
    value = "two\nlines"
    server.dokku("config:set", "--encoded", owned, "E=" + base64.b64encode(value.encode()).decode())
    assert server.dokku("config:get", owned, "E").stdout == f"{value}\n"
    source = tmp_path / "env"
    source.write_text("A=1\nB='x y'\n")
    source.chmod(0o644)
    for directory in (tmp_path, *tmp_path.parents[:2]):
        directory.chmod(0o755)
    done = server.dokku("config:import", "--no-restart", owned, source)
    assert "-----> Setting config var A=1" in done.stdout and source.read_text() == "A=1\nB='x y'\n"
    source.write_text("bad.key=1\nC=3\n")
    done = server.dokku("config:import", "--no-restart", owned, source)
    assert done.stdout.startswith(f"-----> Deleting invalid key bad.key from config for {owned}\n")
    assert server.dokku("config:keys", owned).stdout == "A\nB\nC\nE\n" and source.read_text() == "bad.key=1\nC=3\n"
    server.dokku("config:import", "--format", "json", "--replace", owned, "-", input='{"J": "1", "N": 2}')
    assert server.dokku("config:export", "--format", "json", owned).stdout == '{"J":"1","N":"2"}\n'
    bundle = subprocess.run([server.bin / "dokku", "config:bundle", owned], env=server.env, capture_output=True, check=True)
    with tarfile.open(fileobj=io.BytesIO(bundle.stdout)) as archive:
        assert {m.name: archive.extractfile(m).read() for m in archive} == {"J": b"1", "N": b"2"}
    server.dokku("config:clear", owned)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["config:set", "APP"], "At least one env pair must be given"),
        (["config:set", "APP", "NOEQUALS"], "Invalid env pair: NOEQUALS"),
        (["config:set", "APP", "A=1", "9B=2"], "Invalid key name: '9B'"),
        (["config:set", "APP", "A-B=2"], "Invalid key name: 'A-B'"),
        (["config:set", "APP", "A;id=2"], "Invalid key name: 'A;id'"),
        (["config:set", "--encoded", "APP", "A=%%"], "the value of A is not base64"),
        (["config:unset", "APP"], "At least one key must be given"),
        (["config:unset", "APP", "9"], "Invalid key name: '9'"),
        (["config:get", "APP"], "Expected: key"),
        (["config:get", "APP", "A", "B"], "Unexpected argument(s): B"),
        (["config:export", "--format", "xml", "APP"], "Unknown export format: xml"),
        (["config:import", "--format", "xml", "APP", "-"], "Unknown format: xml"),
        (["config:import", "APP", "/no/such/file"], "cannot read /no/such/file"),
        (["config:import", "APP", "-"], "No config vars to set"),
    ],
)
def test_bad_input_changes_nothing(server, owned, words, why):
    before = server.dokku("config:export", owned).stdout
    done = server.dokku(*(owned if word == "APP" else word for word in words), check=False)
    assert done.returncode == 1 and why in done.stderr
    assert server.dokku("config:export", owned).stdout == before


def test_values_reach_the_app_but_no_command_line(server, app, tmp_path):
    server.dokku("apps:create", app)
    server.dokku("config:set", "--no-restart", app, 'SECRET=s3 cr"et')
    server.push(make_repo(tmp_path / "repo", web_app()), app)
    env = json.loads(server.docker("inspect", "-f", "{{json .Config.Env}}", f"{app}.web.1").stdout)
    assert 'SECRET=s3 cr"et' in env and "DYNO=web.1" in env and "PORT=5000" in env
    before = server.docker("inspect", "-f", "{{.Id}}", f"{app}.web.1").stdout
    server.dokku("config:set", "--no-restart", app, "LATER=1")
    assert server.docker("inspect", "-f", "{{.Id}}", f"{app}.web.1").stdout == before
    done = server.dokku("config:set", app, "NOW=1")
    assert f"-----> Restarting app {app}" in done.stdout
    env = json.loads(server.docker("inspect", "-f", "{{json .Config.Env}}", f"{app}.web.1").stdout)
    assert "LATER=1" in env and "NOW=1" in env
