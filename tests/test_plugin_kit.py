"""What plugin authors get: plugin:new, plugin:test, trigger --explain."""

import json
import subprocess

import pytest

from tests.tree import Tree, executable

LANGUAGES = ["bash", "go", "python"]


@pytest.fixture
def tree(tmp_path):
    made = Tree(tmp_path)
    made.bundled("plugin", "common", "config", "apps")
    return made


def checks(done):
    """{check: (level, detail)} of a `plugin:test --format json`."""
    return {row["check"]: (row["level"], row["detail"]) for row in json.loads(done.stdout)["checks"]}


class TestNew:
    @pytest.mark.parametrize("language", LANGUAGES)
    def test_passes_its_test_at_once(self, tree, tmp_path, language):
        done = tree.dokku("plugin:new", "wave-2", "--lang", language, "--dir", f"{tmp_path}/dokku-wave-2")
        assert (done.returncode, done.stderr) == (0, "")
        text = "".join(p.read_text() for p in (tmp_path / "dokku-wave-2").rglob("*") if p.is_file())
        assert "greet:" not in text
        assert "wave-2:hello" in text
        done = tree.dokku("plugin:test", f"{tmp_path}/dokku-wave-2", "--format", "json", timeout=300)
        assert (done.returncode, done.stderr) == (0, ""), done.stdout
        found = checks(done)
        assert {level for level, _ in found.values()} == {"ok"}, found
        for check in (
            "plugin.toml",
            "post-deploy blog",
            "wave-2:hello no-such-app",
            "transcript 7: wave-2:hello no-such-app",
        ):
            assert check in found

    @pytest.mark.parametrize("language", LANGUAGES)
    def test_installs_and_works(self, tree, tmp_path, language):
        repo = tmp_path / "dokku-wave.git"
        tree.dokku("plugin:new", "wave", "--lang", language, "--dir", str(repo))
        for words in (
            ["init", "-q"],
            ["add", "-A"],
            ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "x"],
        ):
            subprocess.run(["git", "-C", repo, *words], check=True)
        tree.app("blog")
        assert tree.dokku("plugin:install", f"file://{repo}", timeout=300).returncode == 0
        assert tree.dokku("wave:set", "blog", "good morning").stdout == "=====> Setting greeting to good morning\n"
        assert (tree.lib / "config/wave/blog/greeting").read_text() == "good morning"
        assert tree.dokku("wave:hello", "blog").stdout == "-----> good morning, blog\n"
        assert tree.plugn("trigger", "post-deploy", "blog", "", "", "latest").stdout.startswith(
            "-----> good morning, blog\n"
        )
        unknown = tree.dokku("wave:hello", "shop")
        assert (unknown.returncode, unknown.stderr) == (20, " !     App shop does not exist\n")
        assert tree.plugn("trigger", "post-delete", "blog", "latest").returncode == 0
        assert not (tree.lib / "config/wave/blog").exists()
        assert "wave:hello <app>" in tree.dokku("wave:help").stdout

    def test_make_test(self, tree, tmp_path):
        tree.dokku("plugin:new", "wave", "--dir", f"{tmp_path}/dokku-wave")
        done = tree.run("make", "-C", f"{tmp_path}/dokku-wave", "test")
        assert done.returncode == 0, done.stdout
        assert " 0 errors, 0 warnings\n" in done.stdout

    @pytest.mark.parametrize("words, message", [
        (["../x"], "Invalid plugin name specified: ../x"), (["Wave"], "Invalid plugin name specified: Wave"),
        (["wave", "--lang", "cobol"], "There is no template for cobol"),
        (["wave", "--dir", "/tmp"], "/tmp is there already"),
        (["wave", "--dir", "/proc/x/y"], "cannot write /proc/x/y: No such file or directory"),
    ])  # fmt: skip
    def test_errors(self, tree, words, message):
        done = tree.dokku("plugin:new", *words)
        assert (done.returncode, done.stderr.splitlines()[0]) == (1, f" !     {message}")

    def test_nobody_far_away_writes_here(self, tree, tmp_path):
        for words in (["plugin:new", "x", "--dir", f"{tmp_path}/x"], ["plugin:test", str(tmp_path)]):
            done = tree.dokku(*words, env={"FINGERPRINT": "f", "NAME": "bob"})
            assert (done.returncode, done.stderr) == (1, " !     This command must be run on the server itself\n")
        assert not (tmp_path / "x").exists()


class TestTest:
    """plugin:test finds what would hurt on a server."""

    TOML = '[plugin]\ndescription = "d"\nversion = "1"\n[plugin.config]\n'

    def found(self, tree, files, *words):
        path = tree.plugin("mine", {"plugin.toml": self.TOML, **files}, enabled=False)
        return checks(tree.dokku("plugin:test", str(path), "--format", "json", *words))

    @pytest.mark.parametrize("files, check, level, part", [
        ({"plugin.toml": "[plugin"}, "plugin.toml", "error", "cannot be read"),
        ({"plugin.toml": "[plugin]\n"}, "plugin.toml", "warning", "no description or no version"),
        ({"post-domain-update": "#!/bin/sh\n"}, "post-domain-update", "warning", "is it post-domains-update?"),
        ({"my-helper": "#!/bin/sh\n"}, "my-helper", "warning", "no trigger of that name"),
        ({"post-deploy": "true\n"}, "post-deploy", "warning", "bash will run it"),
        ({"post-deploy": "#!/bin/sh\nexit 3\n"}, "post-deploy blog", "error", "said nothing on stderr"),
        ({"post-deploy": "#!/bin/sh\necho bad >&2; exit 3\n"}, "post-deploy blog", "error", "it exited 3, which fails"),
        ({"post-deploy": "#!/bin/bash\nkill -9 $$\n"}, "post-deploy blog", "error", "signal 9 ended it"),
        ({"post-deploy": "#!/bin/bash\nset -e\nno-such-program\n"}, "post-deploy blog", "error", "is missing"),
        ({"post-deploy": "#!/bin/sh\nsleep 1.1\n"}, "post-deploy blog", "warning", "it took 1."),
        ({"post-deploy": "#!/bin/sh\nread x || echo end >&2\n"}, "post-deploy blog", "ok", ""),
        ({"post-deploy": "#!/bin/sh\nset -e\ndocker ps\n"}, "post-deploy blog", "error", "docker is out of reach"),
        ({"git-pre-pull": "#!/bin/sh\necho x\n"}, "git-pre-pull blog", "error", "it prints to stdout"),
        ({"user-auth": "#!/bin/sh\necho no >&2; exit 1\n"}, "user-auth dokku", "ok", ""),
        ({"install": "#!/bin/sh\ntouch /tmp/never-called\n"}, "install", "ok", "not called"),
        ({"commands": "#!/bin/sh\nexit 0\n"}, "commands no-such-command", "error", "10 lets dokku ask"),
        ({"commands": "#!/bin/sh\n[ $1 = help ] && echo wrong || exit 10\n"}, "commands help", "error", "four blanks"),
        ({"commands": '#!/bin/sh\n[ $1 = help ] && echo "    a, b" || exit 10\n'}, "commands help", "ok", ""),
        ({"subcommands/x": "#!/bin/sh\nexit 1\n"}, "mine:x", "error", "said nothing on stderr"),
        ({"subcommands/x": "#!/usr/bin/python3\n1/0\n"}, "mine:x", "warning", "ZeroDivisionError"),
    ])  # fmt: skip
    def test_finds(self, tree, files, check, level, part):
        found = self.found(tree, files)
        assert found[check][0] == level, found
        assert part in found[check][1]

    def test_functions_that_nobody_provides(self, tree):
        script = (
            '#!/usr/bin/env bash\nsource "$PLUGIN_CORE_AVAILABLE_PATH/common/functions"\n'
            'if false; then source "$PLUGIN_AVAILABLE_PATH/gone/functions"; fi\n# dokku_log_comment\n'
            "dokku_log_mine() { dokku_log_info1 fine; }\ndokku_log_mine\nif false; then dokku_log_unheard of; fi\n"
        )
        found = self.found(tree, {"post-deploy": script})
        assert found["post-deploy"] == ("warning", "nobody provides dokku_log_unheard, gone/functions")
        assert found["post-deploy blog"] == ("ok", "")

    def test_files_that_are_not_executable(self, tree):
        path = tree.plugin("mine", {"plugin.toml": self.TOML, "post-deploy": "", "subcommands/x": ""}, enabled=False)
        for file in ("post-deploy", "subcommands/x"):
            (path / file).chmod(0o644)
        done = tree.dokku("plugin:test", str(path), "--format", "json")
        assert done.returncode == 1
        assert {n: level for n, (level, _) in checks(done).items()} == {
            "plugin.toml": "ok", "post-deploy": "error", "subcommands/x": "error"
        }  # fmt: skip

    def test_a_hook_that_never_ends(self, tree):
        found = self.found(tree, {"post-deploy": "#!/bin/sh\nsleep 1000\n"})
        assert found["post-deploy blog"] == ("error", "it had not ended after 10 s, though its stdin was at its end")

    def test_a_command_that_takes_any_app(self, tree):
        toml = self.TOML.replace("[plugin.config]", 'exec = "run"\n[commands]\n"mine:x <app>" = "x"\n')
        found = self.found(tree, {"plugin.toml": toml, "run": "#!/bin/sh\n"})
        assert found["mine:x no-such-app"] == ("error", "it takes an app that does not exist, and exits 0")

    def test_hooks_call_dokku_in_the_sandbox(self, tree):
        script = "#!/bin/sh\nset -e\ndokku --quiet config:set --no-restart $1 SEEN=1\n"
        script += 'echo "$(plugn trigger config-get $1 SEEN)"\n'
        path = tree.plugin("mine", {"plugin.toml": self.TOML, "post-deploy": script}, enabled=False)
        calls = '[{"call": ["post-deploy", "blog"], "status": 0, "stdout": "1\\n", "stderr": ""}]'
        (path / "tests").mkdir()
        (path / "tests/transcript.json").write_text(calls)
        done = tree.dokku("plugin:test", str(path), "--format", "json")
        assert checks(done)["transcript 1: post-deploy blog"] == ("ok", "")
        assert not (tree.lib / "config/blog").exists()
        (path / "tests/transcript.json").write_text(calls.replace("1\\n", "2\\n"))
        done = tree.dokku("plugin:test", str(path), "--format", "json")
        assert checks(done)["transcript 1: post-deploy blog"] == ("error", "stdout is '1\\n', recorded was '2\\n'")
        assert done.returncode == 1

    def test_fakes_of_the_author_come_first(self, tree):
        path = tree.plugin("mine", {"plugin.toml": self.TOML, "post-deploy": "#!/bin/sh\ndocker ps\n"}, enabled=False)
        (path / "tests/bin").mkdir(parents=True)
        executable(path / "tests/bin/docker", "#!/bin/sh\necho faked\n")
        assert tree.dokku("plugin:test", str(path)).returncode == 0

    def test_record_from_a_real_command_and_replay(self, tree, tmp_path):
        tree.app("shop")
        journal = tmp_path / "journal"
        tree.dokku(f"--trace-plugins={journal}", "config:set", "shop", "A=1", "B=2")
        path = tree.plugin(
            "mine", {"plugin.toml": self.TOML, "post-config-update": '#!/bin/sh\necho "saw $*"\n'}, enabled=False
        )
        assert tree.dokku("plugin:test", str(path), "--record", "--journal", str(journal)).returncode == 0
        assert json.loads((path / "tests/transcript.json").read_text()) == [
            {
                "call": ["post-config-update", "blog", "set", "A", "B"],
                "status": 0,
                "stdout": "saw blog set A B\n",
                "stderr": "",
            }
        ]
        assert tree.dokku("plugin:test", str(path)).returncode == 0
        (path / "post-config-update").write_text('#!/bin/sh\necho "saw less"\n')
        assert tree.dokku("plugin:test", str(path)).returncode == 1
        assert tree.dokku("plugin:test", str(path), "--record").returncode == 0
        assert "saw less" in (path / "tests/transcript.json").read_text()

    def test_a_firing_that_many_plugins_hear_is_one_call_of_a_transcript(self, tree, tmp_path):
        for name in ("a", "b"):
            tree.hook(name, "post-deploy", 'plugn trigger post-create "$1"')
            tree.hook(name, "post-create", "")
        tree.dokku(f"--trace-plugins={tmp_path}/journal", "plugin:trigger", "post-deploy", "shop", "5000")
        path = tree.plugin(
            "mine", {"plugin.toml": self.TOML, "post-deploy": "#!/bin/sh\n", "post-create": "#!/bin/sh\n"}, enabled=False
        )
        tree.dokku("plugin:test", str(path), "--record", "--journal", f"{tmp_path}/journal")
        calls = [entry["call"] for entry in json.loads((path / "tests/transcript.json").read_text())]
        assert calls == [["post-deploy", "blog", "5000"], ["post-create", "blog"], ["post-create", "blog"]]

    def test_a_transcript_names_sources_that_are_there_at_every_replay(self, tree, tmp_path):
        script = '#!/bin/sh\nset -e\ncd "$2"\necho "$2"; cat Procfile; rm Procfile\n'
        path = tree.plugin("mine", {"plugin.toml": self.TOML, "post-extract": script}, enabled=False)
        (path / "tests/source").mkdir(parents=True)
        (path / "tests/source/Procfile").write_text("web: ./run\n")
        expected = {"status": 0, "stdout": "BASE/source\nweb: ./run\n", "stderr": ""}
        tree.dokku("plugin:test", str(path), "--record")
        assert json.loads((path / "tests/transcript.json").read_text()) == [
            {"call": ["post-extract", "blog", "BASE/source", "0" * 39 + "1"], **expected}
        ]
        assert tree.dokku("plugin:test", str(path)).returncode == 0
        tree.dokku(f"--trace-plugins={tmp_path}/journal", "plugin:trigger", "post-extract", "shop", "/tmp/gone", "abc")
        tree.dokku("plugin:test", str(path), "--record", "--journal", f"{tmp_path}/journal")
        assert json.loads((path / "tests/transcript.json").read_text()) == [
            {"call": ["post-extract", "blog", "BASE/source", "abc"], **expected}
        ]

    def test_other_plugins_and_its_own_files_are_where_an_installed_plugin_finds_them(self, tree):
        files = {
            "post-deploy": '#!/usr/bin/env bash\nsource "$(dirname $0)/../common/functions"\ndokku_log_info1 old\n',
            "post-delete": '#!/usr/bin/env bash\nsource "$PLUGIN_AVAILABLE_PATH/mine/internal-functions"\nmine\n'
            'echo >"$(dirname "$(readlink -f "$0")")/post-delete"\n',
            "internal-functions": "mine() { :; }\n",
        }
        found = self.found(tree, files)
        assert {level for level, _ in found.values()} == {"ok"}, found
        assert (tree.available / "mine/post-delete").read_text() == files["post-delete"], "it is a copy that is called"

    def test_for_people(self, tree):
        path = tree.plugin(
            "mine", {"plugin.toml": self.TOML, "post-deploy": "#!/bin/sh\necho no >&2; exit 3\n"}, enabled=False
        )
        done = tree.dokku("plugin:test", str(path))
        lines = done.stdout.splitlines()
        assert lines[0] == f"-----> Testing the plugin in {path}"
        assert lines[1] == "       ok      plugin.toml"
        assert lines[2].startswith("       error   post-deploy blog (")
        assert lines[2].endswith(" ms): it exited 3, which fails what fired it: no")
        assert lines[3:] == ["=====> 2 checks, 1 errors, 0 warnings"]

    def test_a_directory_that_is_not_there(self, tree):
        done = tree.dokku("plugin:test", "/no/such")
        assert (done.returncode, done.stderr.splitlines()[0]) == (1, " !     there is no directory /no/such")


class TestExplain:
    def test_who_would_run_in_order_and_in_which_language(self, tree):
        tree.hook("b", "ping", "touch $DOKKU_ROOT/ran")
        tree.plugin("a", {"ping": "echo x\n"})
        toml = '[plugin]\nexec = "run.py"\ntriggers = ["ping"]\n'
        tree.plugin("c", {"plugin.toml": toml, "run.py": "#!/usr/bin/env python3\n"})
        tree.hook("d", "ping", "").chmod(0o644)
        done = tree.dokku("trigger", "ping", "x", "--explain")
        enabled = tree.enabled
        assert [line.split(maxsplit=2) for line in done.stdout.splitlines()] == [
            ["a", f"{enabled}/a/ping", "bash"], ["b", f"{enabled}/b/ping", "bash"],
            ["c", f"{enabled}/c/run.py", "python3"], ["d", f"{enabled}/d/ping", "bash, skipped: not executable"],
        ]  # fmt: skip
        assert tree.dokku("trigger", "--explain", "ping").stdout == done.stdout
        assert not (tree.root / "ran").exists()
        assert tree.dokku("trigger", "nothing", "--explain").stdout == "No plugin has the trigger nothing\n"
        assert "python3, warm" in tree.dokku("trigger", "config-get", "--explain").stdout

    def test_without_it_the_trigger_runs(self, tree):
        tree.hook("a", "ping", 'echo "$*"; exit 5')
        done = tree.dokku("trigger", "ping", "x y", "--all")
        assert (done.stdout, done.returncode) == ("x y --all\n", 5)
