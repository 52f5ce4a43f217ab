"""plugin:*, from plugins in git repositories and archives of every kind (plugins.md 1.8)."""

import functools
import http.server
import json
import ssl
import subprocess
import tarfile
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.tree import Tree, executable

TOML = '[plugin]\ndescription = "A greeter"\nversion = "1.0.0"\n[plugin.config]\n'
HELLO = {"plugin.toml": TOML, "subcommands/hello": "#!/bin/sh\necho hello\n"}


@pytest.fixture
def tree(tmp_path):
    made = Tree(tmp_path)
    made.bundled("plugin")
    return made


def write(directory, files):
    for name, text in files.items():
        (directory / name).parent.mkdir(parents=True, exist_ok=True)
        executable(directory / name, text)
    return directory


def git(directory, *words):
    argv = ["git", "-C", str(directory), "-c", "user.name=t", "-c", "user.email=t@example.com", *words]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.strip()


def commit(directory, files):
    write(directory, files)
    git(directory, "add", "-A")
    git(directory, "commit", "-qm", "change")
    return git(directory, "rev-parse", "HEAD")


@pytest.fixture
def repo(tmp_path):
    directory = tmp_path / "dokku-greet.git"
    directory.mkdir()
    git(directory, "init", "-q", "-b", "main")
    commit(directory, HELLO)
    return directory


def names_in(tree):
    return sorted(path.name for place in (tree.available, tree.enabled) for path in place.iterdir())


class TestInstall:
    def test_from_git_with_the_install_hooks_of_all(self, tree, repo):
        tree.hook("other", "install", "echo other installs")
        commit(repo, {"install": "#!/bin/sh\necho greet installs as $(id -un), $#\n"})
        done = tree.dokku("plugin:install", f"file://{repo}")
        expected = (
            f"Cloning plugin repo file://{repo} to {tree.available}/greet\nPlugin greet enabled\n"
            "greet installs as root, 0\nother installs\n"
        )
        assert (done.stdout, done.stderr, done.returncode) == (expected, "", 0)
        assert tree.dokku("greet:hello").stdout == "hello\n"
        assert tree.dokku("plugin:installed", "greet").returncode == 0
        assert tree.dokku("plugin:installed", "greeter").returncode == 1

    def test_name_and_skip_install_trigger(self, tree, repo):
        commit(repo, {"install": "#!/bin/sh\necho installs\n"})
        done = tree.dokku("plugin:install", f"file://{repo}", "--name", "salute", "--skip-install-trigger")
        assert (done.returncode, "installs" in done.stdout) == (0, False)
        assert tree.dokku("salute:hello").stdout == "hello\n"

    def test_committish_pins(self, tree, repo):
        first = git(repo, "rev-parse", "HEAD")
        commit(repo, {"subcommands/hello": "#!/bin/sh\necho second\n"})
        assert tree.dokku("plugin:install", f"file://{repo}", "--committish", first).returncode == 0
        assert tree.dokku("greet:hello").stdout == "hello\n"
        assert tree.dokku("plugin:update", "greet").stdout == f"Plugin greet is pinned to {first}, skipping\n"
        row = json.loads(tree.dokku("plugin:list", "--format", "json").stdout)[0]
        assert row == {
            "name": "greet", "version": "1.0.0", "enabled": True, "core": False, "description": "A greeter",
            "source_url": f"file://{repo}", "committish": first, "branch": "HEAD",
        }  # fmt: skip

    def test_the_list_shows_nobody_the_token_of_a_source(self, tree, repo):
        tree.dokku("plugin:install", f"file://{repo}")
        git(tree.available / "greet", "remote", "set-url", "origin", "https://me:token@example.com/greet@2.git")
        row = json.loads(tree.dokku("plugin:list", "--format", "json").stdout)[0]
        assert row["source_url"] == "https://example.com/greet@2.git"

    def test_two_at_once_of_one_name(self, tree, repo):
        tree.dokku("plugin:list")
        with ThreadPoolExecutor(4) as pool:
            done = list(pool.map(lambda _: tree.dokku("plugin:install", f"file://{repo}", "--skip-install-trigger"), "1234"))
        assert [each.returncode for each in done] == [0] * 4, [each.stderr for each in done]
        assert sum("Cloning plugin repo" in each.stdout for each in done) == 1
        assert tree.dokku("greet:hello").stdout == "hello\n"

    @pytest.mark.parametrize("wrapped", [True, False])
    @pytest.mark.parametrize("ending", ["tar.gz", "tgz"])
    def test_from_an_archive(self, tree, tmp_path, wrapped, ending):
        source = write(tmp_path / "src", HELLO)
        archive = tmp_path / f"dokku-greet.{ending}"
        with tarfile.open(archive, "w:gz") as tar:
            for path in source.iterdir():
                tar.add(path, f"greet-1.0/{path.name}" if wrapped else path.name)
        assert tree.dokku("plugin:install", f"file://{archive}").returncode == 0
        assert tree.dokku("greet:hello").stdout == "hello\n"

    def test_an_archive_cannot_reach_outside(self, tree, tmp_path):
        archive = tmp_path / "greet.tgz"
        source = write(tmp_path / "src", HELLO) / "plugin.toml"
        for name, target in (
            ("../../../../evil", "/etc"),
            ("../../../evil/x", ""),
            ("out", str(tmp_path)),
            ("/tmp/evil", ""),
        ):
            with tarfile.open(archive, "w:gz") as tar:
                tar.add(source, "plugin.toml")
                member = tarfile.TarInfo(name)
                member.type, member.linkname = (tarfile.SYMTYPE, target) if target else (tarfile.REGTYPE, "")
                tar.addfile(member)
                if name == "out":
                    tar.addfile(tarfile.TarInfo("out/evil"))
            tree.dokku("plugin:install", f"file://{archive}")
            found = [
                p for p in (*tmp_path.rglob("evil"), *tmp_path.parent.glob("evil")) if tree.available not in p.parents
            ]
            assert found == []
            tree.dokku("plugin:uninstall", "greet")
            assert names_in(tree) == ["plugin", "plugin"]

    def test_what_is_no_archive_leaves_no_trace(self, tree, tmp_path):
        (tmp_path / "greet.tgz").write_text("not gzip")
        for url in (f"file://{tmp_path}/greet.tgz", f"file://{tmp_path}/none.tgz", "https://127.0.0.1:1/x.tar.gz"):
            done = tree.dokku("plugin:install", url)
            assert (done.returncode, " !     cannot " in done.stderr) == (1, True)
            assert names_in(tree) == ["plugin", "plugin"]

    @pytest.mark.parametrize(
        "words", [["http://x.test/y"], ["/some/path"], ["--upload-pack=x"], ["x"], ["ext::sh -c true"]]
    )
    def test_other_addresses_are_refused(self, tree, words):
        done = tree.dokku("plugin:install", "--", *words)
        assert (done.returncode, done.stderr.splitlines()[0]) == (1, " !     Please retry with valid arguments")

    @pytest.mark.parametrize("name", ["../x", "a b", "-x", ".git", "a/b"])
    def test_bad_names_are_refused(self, tree, repo, name):
        done = tree.dokku("plugin:install", f"file://{repo}", f"--name={name}")
        assert (done.returncode, done.stderr.splitlines()[0]) == (1, " !     Invalid plugin name specified")

    @pytest.mark.parametrize(
        "case", ["no repository", "no such commit", "bad manifest", "no plugin", "program missing"]
    )
    def test_all_or_nothing(self, tree, repo, case):
        url, extra = f"file://{repo}", []
        if case == "no repository":
            url += ".none/dokku-greet"
        elif case == "no such commit":
            extra = ["--committish", "0123abc"]
        elif case == "bad manifest":
            commit(repo, {"plugin.toml": "[plugin"})
        elif case == "program missing":
            commit(repo, {"plugin.toml": TOML.replace("[plugin.config]", 'exec = "none"')})
        else:
            git(repo, "rm", "-rq", ".")
            commit(repo, {"README.toml": "not a plugin"})
        done = tree.dokku("plugin:install", url, *extra)
        assert done.returncode == 1
        assert " !     cannot " in done.stderr
        assert names_in(tree) == ["plugin", "plugin"]
        assert tree.dokku("plugin:installed", "greet").returncode == 1

    def test_a_plugin_of_the_old_days_without_manifest(self, tree, repo):
        git(repo, "rm", "-q", "plugin.toml")
        commit(repo, {"commands": '#!/bin/sh\n[ "$1" = old ] && echo old || exit 10\n'})
        assert tree.dokku("plugin:install", f"file://{repo}").returncode == 0
        assert tree.dokku("old").stdout == "old\n"

    def test_again_from_the_same_place(self, tree, repo):
        first = git(repo, "rev-parse", "HEAD")
        tree.dokku("plugin:install", f"file://{repo}")
        commit(repo, {"install": "#!/bin/sh\necho installs\n"})
        done = tree.dokku("plugin:install", f"file://{repo}")
        assert (done.stdout, done.returncode) == (f"Plugin greet is already installed from file://{repo}\n", 0)
        tree.dokku("plugin:disable", "greet")
        assert tree.dokku("plugin:install", f"file://{repo}").stdout.endswith("Plugin greet enabled\n")
        assert tree.dokku("plugin:install", f"file://{repo}", "--committish", first).returncode == 0
        assert tree.dokku("plugin:update", "greet").stdout == f"Plugin greet is pinned to {first}, skipping\n"

    def test_a_name_that_is_taken(self, tree, repo, tmp_path):
        tree.plugin("greet", HELLO)
        done = tree.dokku("plugin:install", f"file://{repo}")
        assert done.stderr.splitlines()[0] == " !     Plugin greet is already installed, not from git"
        assert done.returncode == 1
        done = tree.dokku("plugin:install", f"file://{repo}", "--name", "plugin")
        assert (done.returncode, done.stderr.splitlines()[0]) == (1, " !     Plugin plugin is a core plugin")
        other = tmp_path / "other"
        subprocess.run(["git", "clone", "-q", repo, other], check=True)
        tree.dokku("plugin:install", f"file://{repo}", "--name", "mine")
        done = tree.dokku("plugin:install", f"file://{other}", "--name", "mine")
        assert (done.returncode, "already installed, from file://" in done.stderr) == (1, True)

    def test_what_a_killed_install_left_is_no_hindrance(self, tree, repo):
        write(tree.available / ".greet.new", HELLO)
        assert ".greet" not in tree.dokku("plugin:list").stdout
        assert tree.dokku("plugin:install", f"file://{repo}").returncode == 0
        assert not (tree.available / ".greet.new").exists()

    def test_a_failing_hook_is_named_and_its_plugin_can_be_disabled(self, tree, repo):
        commit(repo, {"install": "#!/bin/sh\necho half done\nexit 4\n"})
        tree.hook("zzz", "install", "echo never")
        done = tree.dokku("plugin:install", f"file://{repo}")
        assert (done.returncode, "never" in done.stdout) == (1, False)
        assert done.stderr == (
            " !     the install hook of plugin greet failed\n"
            " !     mend it, or disable it with: dokku plugin:disable greet\n"
        )
        assert tree.dokku("plugin:disable", "greet").stdout == "Plugin greet disabled\n"
        assert tree.dokku("plugin:install").stdout == "never\n"

    def test_hooks_alone(self, tree):
        tree.hook("core-one", "install", "echo core", core=True)
        tree.hook("other", "install", "echo other")
        tree.hook("other", "dependencies", "echo depends")
        assert tree.dokku("plugin:install").stdout == "core\nother\n"
        assert tree.dokku("plugin:install", "--core").stdout == "core\n"
        assert tree.dokku("plugin:install-dependencies").stdout == "depends\n"

    def test_everything_belongs_to_the_dokku_user(self, tree, repo):
        commit(repo, {"install": '#!/bin/sh\numask 077\nmkdir "$(dirname "$(readlink -f "$0")")/built"\n'})
        env = {"DOKKU_SYSTEM_USER": "games"}
        tree.run("chmod", "o+x", tree.base, tree.base.parent)
        done = tree.run("sh", "-c", f"umask 077; dokku plugin:install file://{repo}", env=env)
        assert done.returncode == 0, done.stderr
        found = [tree.available / "greet", *(tree.available / "greet").rglob("*"), tree.enabled / "greet"]
        assert {path.lstat().st_uid for path in found} == {5}
        assert any(path.name == "built" for path in found)
        commit(repo, {"subcommands/hello": "#!/bin/sh\necho new\n"})
        done = tree.dokku("plugin:update", "greet", env=env)
        assert done.returncode == 0, done.stderr
        assert "new" in (tree.available / "greet/subcommands/hello").read_text()


@pytest.fixture
def site(tmp_path):
    """(URL, certificate): files below tmp_path/www, over https from a server that only its own certificate vouches for."""
    (tmp_path / "www").mkdir()
    pair = [f"{tmp_path}/cert.pem", f"{tmp_path}/key.pem"]
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj",
         "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out", pair[0], "-keyout", pair[1]],
        check=True, capture_output=True,
    )  # fmt: skip
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path / "www")
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*pair)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield f"https://localhost:{server.server_port}", pair[0]
    server.shutdown()
    thread.join()
    server.server_close()


class TestOverHttps:
    def test_a_repository(self, tree, repo, site, tmp_path):
        address, certificate = site
        git(repo, "tag", "v1")
        commit(repo, {"subcommands/hello": "#!/bin/sh\necho second\n"})
        copy = tmp_path / "www/dokku-greet.git"
        subprocess.run(["git", "clone", "-q", "--bare", repo, copy], check=True)
        git(copy, "update-server-info")
        url, trusting = f"{address}/dokku-greet.git", {"GIT_SSL_CAINFO": certificate}
        stranger = tree.dokku("plugin:install", url)
        assert (stranger.returncode, "certificate verif" in stranger.stderr) == (1, True)
        assert stranger.stderr.endswith(" !     cannot clone the plugin: git exited 128\n")
        assert names_in(tree) == ["plugin", "plugin"]
        done = tree.dokku("plugin:install", url, "--committish", "v1", env=trusting)
        assert (done.returncode, done.stderr) == (0, "")
        assert tree.dokku("greet:hello").stdout == "hello\n"
        assert tree.dokku("plugin:update", "greet", "main", env=trusting).returncode == 0
        assert tree.dokku("greet:hello").stdout == "second\n"

    def test_an_archive(self, tree, site, tmp_path):
        address, certificate = site
        with tarfile.open(tmp_path / "www/greet.tgz", "w:gz") as tar:
            tar.add(write(tmp_path / "src", HELLO), "greet-1.0")
        stranger = tree.dokku("plugin:install", f"{address}/greet.tgz")
        assert (stranger.returncode, "certificate verify failed" in stranger.stderr) == (1, True)
        missing = tree.dokku("plugin:install", f"{address}/none.tgz", env={"SSL_CERT_FILE": certificate})
        assert (missing.returncode, "HTTP Error 404" in missing.stderr) == (1, True)
        assert names_in(tree) == ["plugin", "plugin"]
        assert tree.dokku("plugin:install", f"{address}/greet.tgz", env={"SSL_CERT_FILE": certificate}).returncode == 0
        assert tree.dokku("greet:hello").stdout == "hello\n"


class TestUpdate:
    @pytest.fixture
    def greet(self, tree, repo):
        tree.dokku("plugin:install", f"file://{repo}")
        return tree

    def test_pulls_and_fires_update(self, greet, repo):
        commit(repo, {"subcommands/hello": "#!/bin/sh\necho new\n", "update": "#!/bin/sh\necho updates\n"})
        assert greet.dokku("plugin:update", "greet").stdout == "updates\n"
        assert greet.dokku("greet:hello").stdout == "new\n"

    def test_all_but_the_core(self, greet, repo):
        greet.plugin("by-hand", HELLO)
        commit(repo, {"subcommands/hello": "#!/bin/sh\necho new\n"})
        assert greet.dokku("plugin:update").stdout == "Plugin by-hand is not a git checkout, skipping\n"
        assert greet.dokku("greet:hello").stdout == "new\n"

    def test_one_whose_source_is_gone_is_named_and_keeps_no_other_from_its_own(self, greet, repo, tmp_path):
        other = tmp_path / "dokku-absent"
        subprocess.run(["git", "clone", "-q", repo, other], check=True)
        greet.dokku("plugin:install", f"file://{other}")
        other.rename(tmp_path / "moved")
        commit(repo, {"subcommands/hello": "#!/bin/sh\necho new\n", "update": "#!/bin/sh\necho updates\n"})
        done = greet.dokku("plugin:update")
        assert (done.returncode, done.stdout) == (1, "updates\n")
        assert " !     cannot update plugin absent: git exited 1\n" in done.stderr
        assert greet.dokku("greet:hello").stdout == "new\n"

    def test_to_a_committish_and_on(self, greet, repo):
        first = git(repo, "rev-parse", "HEAD")
        commit(repo, {"subcommands/hello": "#!/bin/sh\necho new\n"})
        git(repo, "tag", "v2")
        assert greet.dokku("plugin:update", "greet", "v2").returncode == 0
        assert greet.dokku("greet:hello").stdout == "new\n"
        assert greet.dokku("plugin:update", "greet", first).returncode == 0
        assert greet.dokku("greet:hello").stdout == "hello\n"

    def test_a_broken_version_is_not_taken(self, greet, repo):
        before = git(repo, "rev-parse", "HEAD")
        commit(repo, {"plugin.toml": "[plugin", "subcommands/hello": "#!/bin/sh\necho broken\n"})
        for words in (["greet"], ["greet", "main"], ["greet", "no-such"]):
            done = greet.dokku("plugin:update", *words)
            assert (done.returncode, done.stderr.count(" !     cannot ")) == (1, 1)
            assert greet.dokku("greet:hello").stdout == "hello\n"
            assert git(greet.available / "greet", "rev-parse", "HEAD") == before
            assert not (greet.available / "greet/.plugin_committish").exists()

    @pytest.mark.parametrize("name, message", [
        ("../x", "Invalid plugin name specified"), ("none", "Specified plugin not enabled or installed"),
        ("plugin", "plugin is a core plugin, please update Dokku instead"),
    ])  # fmt: skip
    def test_errors(self, greet, name, message):
        done = greet.dokku("plugin:update", name)
        assert (done.returncode, done.stderr.splitlines()[0]) == (1, f" !     {message}")


class TestManaging:
    def test_enable_and_disable(self, tree):
        tree.plugin("greet", HELLO)
        assert tree.dokku("plugin:disable", "greet").stdout == "Plugin greet disabled\n"
        assert tree.dokku("greet:hello").returncode == 1
        assert tree.dokku("plugin:disable", "greet").stderr.splitlines()[0] == " !     Plugin already disabled"
        assert tree.dokku("plugin:enable", "greet").stdout == "Plugin greet enabled\n"
        assert tree.dokku("greet:hello").stdout == "hello\n"
        assert tree.dokku("plugin:enable", "greet").stderr.splitlines()[0] == " !     Plugin already enabled"

    @pytest.mark.parametrize("words, message", [
        (["disable", "plugin"], "Cannot disable a core plugin"), (["uninstall", "plugin"], "Cannot uninstall a core plugin"),
        (["disable", "none"], "Plugin does not exist"), (["enable", "none"], "Plugin does not exist"),
        (["uninstall", "none"], "Plugin (none) is not currently installed"),
        (["uninstall", "../plugin"], "Plugin (../plugin) is not currently installed"),
        (["list", "--format", "xml"], "Invalid output format specified: xml"),
    ])  # fmt: skip
    def test_errors(self, tree, words, message):
        done = tree.dokku(f"plugin:{words[0]}", *words[1:])
        assert (done.returncode, done.stderr.splitlines()[0]) == (1, f" !     {message}")

    def test_uninstall_tells_everybody_first(self, tree):
        tree.plugin("greet", HELLO)
        tree.hook("other", "uninstall", f'echo "$1 goes"; ls {tree.available} | grep -x "$1"')
        assert tree.dokku("plugin:uninstall", "greet").stdout == "greet goes\ngreet\nPlugin greet uninstalled\n"
        assert names_in(tree) == ["other", "other", "plugin", "plugin"]

    def test_a_hook_can_veto(self, tree):
        tree.plugin("greet", HELLO)
        tree.hook("other", "uninstall", "exit 1")
        assert tree.dokku("plugin:uninstall", "greet").returncode == 1
        assert tree.dokku("greet:hello").stdout == "hello\n"

    def test_a_linked_plugin_loses_the_link_only(self, tree, tmp_path):
        source = write(tmp_path / "src", HELLO)
        (tree.available / "greet").symlink_to(source)
        tree.dokku("plugin:enable", "greet")
        assert tree.dokku("plugin:uninstall", "greet").returncode == 0
        assert (source / "plugin.toml").exists()

    def test_list(self, tree):
        tree.plugin("greet", HELLO, enabled=False)
        lines = tree.dokku("plugin:list").stdout.splitlines()
        assert lines[0].startswith("plugn: ")
        assert lines[1] == "  greet                1.0.0 disabled   A greeter"
        assert lines[2].startswith("  plugin               0.1.0 enabled    ")

    def test_trigger(self, tree):
        tree.hook("greet", "ping", 'echo "$#$*"; exit 9')
        done = tree.dokku("plugin:trigger", "ping", "--all", "a b")
        assert (done.stdout, done.returncode) == ("2--all a b\n", 9)

    def test_only_root_manages(self, tree):
        tree.plugin("greet", HELLO)
        for path in (tree.base, *tree.base.rglob("*")):
            if not path.is_symlink() and path.is_relative_to(tree.base):
                path.chmod(path.stat().st_mode | (0o005 if path.is_dir() else 0o004))
        tree.run("chmod", "o+x", tree.base.parent, tree.base.parent.parent)
        env = {"DOKKU_SYSTEM_USER": "games"}
        argv = ["setpriv", "--reuid", "games", "--clear-groups", "--regid", "games", str(tree.base / "bin/dokku")]
        for words in (["plugin:disable", "greet"], ["plugin:install"], ["plugin:uninstall", "greet"]):
            done = tree.run(*argv, *words, env=env)
            assert (done.returncode, done.stderr) == (1, " !     This command must be run as root\n"), words

    def test_plugn_does_the_same(self, tree):
        tree.plugin("greet", HELLO, enabled=False)
        assert tree.plugn("enable", "greet").returncode == 0
        assert tree.dokku("greet:hello").stdout == "hello\n"
        assert tree.plugn("list").stdout == tree.dokku("plugin:list").stdout
        assert tree.plugn("version").stdout == "0.17.0\n"
