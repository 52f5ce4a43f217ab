"""Names and texts from far away reach no shell, no nginx, no git and no docker as anything but data."""

import subprocess

import pytest

from tests.apps import make_repo, web_app
from tests.server import run


@pytest.fixture(scope="module")
def made(server):
    """An app that exists, for all the tests that try to do it harm."""
    name = server.app("doors")
    server.dokku("apps:create", name)
    yield name
    server.dokku("apps:destroy", name, "--force", check=False)


@pytest.fixture
def mark(server):
    """A file that a payload would make if anything ran it as the dokku user or as root."""
    path = server.root / "pwned"
    path.unlink(missing_ok=True)
    yield path
    assert not path.exists()


def payloads(mark):
    touch = f"touch {mark}"
    return [
        f"$({touch})",
        f"`{touch}`",
        f";{touch}",
        f"|{touch}",
        f"&&{touch}",
        f"\n{touch}\n",
        f"'; {touch}; '",
        f'"; {touch}; "',
    ]


BAD_APPS = [
    "../evil",
    "a/../../evil",
    "-rf",
    "--help",
    "a b",
    "A",
    "_a",
    ".ssh",
    "a\\b",
    "é",
    "a*",
    "a'b",
    'a"b',
    "%2e%2e",
    "a:b",
]


@pytest.mark.parametrize("name", BAD_APPS)
def test_app_names(server, name):
    before = sorted(path.name for path in server.root.iterdir())
    for words in (["apps:create", name], ["apps:create", "--", name], ["git-receive-pack", f"'{name}'"]):
        done = server.dokku(*words, check=False)
        assert (done.returncode != 0 or _only_help(done)) and "Traceback" not in done.stderr
    done = server.ssh("apps:create", f'"{name}"' if "'" in name else f"'{name}'", check=False)
    assert done.returncode != 0 or _only_help(done)
    assert sorted(path.name for path in server.root.iterdir()) == before


def _only_help(done):
    """What `--help` gets, wherever it stands."""
    return "--help" in " ".join(done.args) and done.stdout == "" and done.stderr.startswith("Usage: ")


def test_app_names_with_shell_in_them(server, mark):
    for payload in payloads(mark):
        for command in ("apps:create", "apps:destroy", "config:set", "domains:add", "ps:scale", "logs", "ps:rebuild"):
            assert server.dokku(command, f"a{payload}", "x=1", check=False).returncode != 0


def test_pushes_to_bad_names(server, busybox_image, tmp_path, mark):
    repo = make_repo(tmp_path / "r", web_app())
    before = sorted(path.name for path in server.root.iterdir())
    for name in ("../evil", "a/b", "A", "-x", f"a;touch {mark}", f"$(touch${{IFS}}{mark})", ".ssh", "a'b"):
        assert server.push(repo, name, check=False).returncode != 0, name
    assert sorted(path.name for path in server.root.iterdir()) == before


@pytest.mark.parametrize(
    "line",
    [
        "git-receive-pack '../../etc'",
        "git-receive-pack 'a' 'b'",
        "git-receive-pack --help",
        "git-receive-pack '--upload-pack=x'",
        "git-upload-pack '/etc'",
        "git-upload-archive '/etc'",
        "git-shell -c id",
        "git-cvsserver",
        "git:sync",
    ],
)
def test_git_commands_over_ssh(server, line):
    done = server.ssh(line, check=False)
    assert done.returncode != 0 or _only_help(done)
    assert "uid=" not in done.stdout + done.stderr and "Traceback" not in done.stderr


def test_the_original_command(server, mark):
    for payload in payloads(mark):
        for line in (
            payload,
            f"version {payload}",
            f"apps:list {payload}",
            f"config:get --global A{payload}",
            f"'{payload}'",
        ):
            done = server.ssh(line, check=False)
            assert "Traceback" not in done.stderr


@pytest.mark.parametrize("key", ["A B", "1A", "A-B", "", "A;id", "A$(id)", "A\nB", "é", "--x", "A`id`", "A'"])
def test_config_keys(server, key, mark):
    done = server.dokku("config:set", "--global", "--no-restart", "--", f"{key}=value", check=False)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert "value" not in server.dokku("config:export", "--global").stdout


def test_config_values_are_only_data(server, app, mark, busybox_image, tmp_path):
    server.dokku("apps:create", app)
    values = [*payloads(mark), "a b", "$HOME", "\\", "'", '"', "*", "é", " x ", "a=b", "-n", "two\nlines", "#"]
    words = [f"K{number}={value}" for number, value in enumerate(values)]
    server.dokku("config:set", "--no-restart", app, *words)
    server.push(make_repo(tmp_path / "r", web_app()), app)
    for number, value in enumerate(values):
        assert server.dokku("config:get", app, f"K{number}").stdout == f"{value}\n"
        seen = run("docker", "exec", f"{app}.web.1", "sh", "-c", f'printf %s "$K{number}"').stdout
        assert seen == value
    script = server.dokku("config:export", app).stdout + '\nprintf "%s\\0" "$K0" "$K5" "$K17"\n'
    shown = subprocess.run(["bash", "-c", script], capture_output=True, text=True).stdout.split("\0")[:-1]
    assert shown == [values[0], values[5], values[17]]


@pytest.mark.parametrize(
    "domain",
    [
        "a b.example",
        "a;b.example",
        "a.example;",
        "{x}",
        "a.example {",
        "$host",
        "-a.example",
        "a..b",
        "a/b",
        "a'b",
        "a\nb",
        "`id`",
        "",
    ],
)
def test_domains(server, made, domain, mark):
    app = made
    for words in (["domains:add", app, "--", domain], ["domains:add", app, domain], ["domains:set", app, domain]):
        done = server.dokku(*words, check=False)
        assert done.returncode != 0 and "Traceback" not in done.stderr, words
    assert server.dokku("domains:report", app, "--domains-app-vhosts").stdout.split() in ([], [f"{app}.test.example"])


@pytest.mark.parametrize(
    "ref", ["refs/heads/a;id", "refs/heads/$(id)", "refs/heads/-x", "refs/heads/a'b", "refs/tags/`id`"]
)
def test_refs(server, made, busybox_image, tmp_path, ref, mark):
    app, repo = made, make_repo(tmp_path / "r", web_app())
    server.dokku("git:set", app, "deploy-branch", "main")
    done = server.push(repo, app, ref=f"HEAD:{ref}", check=False)
    assert "uid=" not in done.stderr and "Traceback" not in done.stderr
    assert not (server.root / app / "CONTAINER.web.1").exists()


@pytest.mark.parametrize("branch", ["-x", "a b", "../x", "a..b", "a~1", "@{-1}"])
def test_deploy_branches(server, made, branch):
    app = made
    done = server.dokku("git:set", app, "deploy-branch", branch, check=False)
    assert done.returncode != 0 and "Traceback" not in done.stderr
    assert server.dokku("git:report", app, "--git-deploy-branch").stdout.strip() != branch


def test_process_types_from_a_procfile(server, app, busybox_image, tmp_path, mark):
    odd = f"../evil: true\n-x: true\na;b: true\nw: sh -c 'echo $(echo inside)'\n$(touch {mark}): true\n"
    procfile = f"web: sh /app/web.sh\n{odd}"
    repo = make_repo(tmp_path / "r", {**web_app(), "Procfile": procfile})
    done = server.push(repo, app, check=False)
    assert "Traceback" not in done.stderr
    assert not (server.root / app.replace(app, "evil")).exists()


@pytest.mark.parametrize(
    "words",
    [
        ["storage:mount", "{app}", "/etc:/data:z;id"],
        ["storage:mount", "{app}", "-v:/data"],
        ["docker-options:add", "{app}", "deploy", "--privileged; id"],
        ["ports:set", "{app}", "http:80;id:5000"],
        ["ports:set", "{app}", "http:80:5000 }"],
        ["nginx:set", "{app}", "client-max-body-size", "1m; } server { listen 81"],
        ["nginx:set", "{app}", "proxy-read-timeout", "60s;\nreturn 200"],
        ["nginx:set", "{app}", "access-log-path", "/tmp/x; include /etc/passwd"],
        ["network:create", "--attachable"],
        ["network:create", "a b"],
        ["checks:set", "{app}", "wait-to-retire", "$(id)"],
        ["ps:scale", "{app}", "web=1;id"],
        ["ps:scale", "{app}", "--x=1"],
        ["git:from-image", "{app}", "--help"],
        ["git:sync", "{app}", "--upload-pack=id"],
        ["git:sync", "{app}", "ext::sh -c id"],
        ["plugin:install", "--name", "../x", "https://example.com/x.git"],
        ["enter", "{app}", "web.1;id"],
        ["logs", "{app}", "--num", "1;id"],
        ["apps:rename", "{app}", "../x"],
        ["apps:clone", "{app}", "a b"],
    ],
)
def test_other_doors(server, made, words, mark):
    app = made
    done = server.dokku(*(word.replace("{app}", app) for word in words), check=False)
    assert "uid=" not in done.stdout + done.stderr and "Traceback" not in done.stderr
    if words[0] != "docker-options:add":  # its text is docker's to judge: it is never a shell's
        assert done.returncode != 0 or _only_help(done), done.stdout
    assert run("nginx", "-t", "-c", server.base / "nginx/nginx.conf", check=False).returncode == 0
