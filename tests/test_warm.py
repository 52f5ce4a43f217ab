"""Plugins in Python run warm, in a fork, or cold: nobody can tell which; and every bundled one keeps its manifest."""

import json
import tomllib

import pytest

from tests.tree import CHECKOUT, Tree, warm_plugin


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


class TestWarmAndCold:
    def test_the_same_in_both(self, tree):
        body = (
            "import helper\n"
            '@plugin.command("p:ok")\ndef ok(*w): print(helper.NAME, w, os.path.basename(sys.argv[0]) != "")\n'
            '@plugin.command("p:status")\ndef status(): return 5\n'
            '@plugin.command("p:failure")\ndef failure(): raise Failure("it broke", "mend it", 9)\n'
            '@plugin.command("p:bug")\ndef bug(): {}["x"]\n'
            '@plugin.command("p:exit")\ndef leave(): sys.exit("bye")\n'
            '@plugin.command("p:pipe")\ndef pipe():\n    for n in range(100000): print(n)\n'
            '@plugin.trigger("ping")\ndef ping(a): print("got", a, sys.stdin.read()); return 3\n'
        )
        commands = [f"p:{name}" for name in ("ok", "status", "failure", "bug", "exit", "pipe")]
        path = warm_plugin(tree, "p", body, ["ping"], commands)
        (path / "helper.py").write_text('NAME = "beside me"\n')
        for words in (
            ["dokku", "p:ok", "a b", ""],
            *(["dokku", name] for name in commands),
            ["plugn", "trigger", "ping", "x"],
        ):
            results = [
                (r.stdout, r.stderr, r.returncode)
                for r in (tree.run(*words, input="text", env=env) for env in ({}, {"DOKKU_COLD": "1"}))
            ]
            assert results[0] == results[1], words
            assert "Traceback" not in results[0][1]

    def test_a_program_that_cannot_be_imported_is_named(self, tree):
        warm_plugin(tree, "broken", "def", ["ping"], ["broken:x"])
        for done in (tree.plugn("trigger", "ping"), tree.dokku("broken:x")):
            assert done.returncode == 70
            assert done.stderr.startswith(" !     plugin broken failed: SyntaxError")

    def test_modules_of_one_plugin_are_hidden_from_another(self, tree):
        for name in ("a", "b"):
            path = warm_plugin(
                tree,
                name,
                f'import helper\n@plugin.trigger("ping")\ndef ping(): print("{name}", helper.NAME)',
                ["ping"],
            )
            (path / "helper.py").write_text(f'NAME = "helper of {name}"\n')
        assert tree.plugn("trigger", "ping").stdout == "a helper of a\nb helper of b\n"


def bundled_programs() -> list:
    found = []
    for path in sorted(CHECKOUT.glob("plugins/*/plugin.toml")):
        info = tomllib.loads(path.read_text())
        if "exec" in info["plugin"]:
            found.append(pytest.param(path.parent, info, id=path.parent.name))
    return found


@pytest.mark.parametrize("path, manifest", bundled_programs())
class TestBundled:
    """Every plugin of ours, by its manifest."""

    def test_the_manifest_and_the_program_agree(self, tree, path, manifest):
        if not manifest["plugin"].get("warm"):
            pytest.fail("bundled programs start warm")
        script = (
            "import sys, json; sys.path.insert(0, sys.argv[1])\n"
            "from dokku_min import plugins, warm\n"
            "own = plugins.Plugin(sys.argv[2], True, sys.argv[4], True); own.path = sys.argv[3]\n"
            "module = warm.load(own).module\n"
            "own = getattr(module, 'plugin', None)\n"
            "print(json.dumps(own and [sorted(own.commands), sorted(own.triggers)]))"
        )
        info = manifest["plugin"]
        done = tree.run("/usr/bin/python3", "-ISc", script, tree.base / "site", path.name, path, info["exec"])
        assert done.stderr == ""
        assert info["description"] and info["version"]
        if json.loads(done.stdout) is None:
            assert path.name == "20_events", "only the logger does without the SDK: it takes whatever it is told of"
            known = tomllib.loads((CHECKOUT / "plugins/plugin/triggers.toml").read_text())
            assert set(info["triggers"]) <= set(known)
            return
        commands, triggers = json.loads(done.stdout)
        assert commands == sorted({line.partition(" ")[0] for line in manifest.get("commands", {})})
        assert triggers == sorted(info.get("triggers", []))
        assert set(info.get("root", [])) <= set(commands)

    def test_cold_and_warm_give_the_same(self, tree, path, manifest):
        """A wrong flag and a word that is no name, to every command; nothing of the host is in reach."""
        tree.bundled(*(p.name for p in CHECKOUT.glob("plugins/*") if p.name != "setup"))
        far = {"DOCKER_HOST": f"unix://{tree.base}/none", "DOKKU_NGINX_CONF": f"{tree.base}/nginx.conf"}
        names = sorted({line.partition(" ")[0] for line in manifest.get("commands", {})})
        for words in ([name, extra] for name in names for extra in ("--no-such-flag", "Not*a?name") if name != "setup"):
            warm, cold = (tree.dokku(*words, env={**far, **env}) for env in ({}, {"DOKKU_COLD": "1"}))
            assert (warm.stdout, warm.stderr, warm.returncode) == (cold.stdout, cold.stderr, cold.returncode), words
            assert warm.returncode != 70, warm.stderr
