"""Who calls, what plugins find in their environment, and the lock that nested calls pass (plugins.md 1.7)."""

import pytest

from tests.tree import Tree, wait_for, warm_plugin


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


class TestAuthorisation:
    def test_user_auth_sees_every_command(self, tree):
        tree.hook("guard", "user-auth", 'echo "auth $*" >&2')
        tree.plugin("a", {"subcommands/x": "#!/bin/sh\nexec dokku a:y z\n", "subcommands/y": "#!/bin/sh\necho y\n"})
        done = tree.dokku("a:x", "b c", env={"SSH_NAME": "bob"})
        assert (done.stdout, done.stderr) == ("y\n", "auth root bob a:x b c\nauth root bob a:y z\n")

    def test_names_of_local_and_far_callers(self, tree):
        tree.hook("guard", "user-auth", 'echo "$1 $2 name=${NAME-absent}" >&2')
        tree.plugin("a", {"subcommands/x": "#!/bin/sh\n"})
        assert tree.dokku("a:x").stderr == "root default name=absent\n"
        far = {"SSH_ORIGINAL_COMMAND": "a:x", "NAME": "bob", "FINGERPRINT": "f"}
        assert tree.dokku(env=far).stderr == "root bob name=bob\n"

    def test_denied(self, tree):
        tree.hook("guard", "user-auth", '[[ "$3" != a:x ]]')
        tree.plugin("a", {"subcommands/x": "#!/bin/sh\necho x\n", "subcommands/y": "#!/bin/sh\necho y\n"})
        done = tree.dokku("a:x")
        assert (done.stdout, done.returncode, done.stderr.splitlines()[0]) == ("", 1, " !     Access denied")
        assert tree.dokku("a:y").stdout == "y\n"

    def test_the_event_logger_alone_guards_nothing(self, tree):
        tree.hook("20_events", "user-auth", "exit 1")
        tree.hook("20_events", "user-auth-app", "exit 1")
        tree.bundled("config")
        tree.app("blog")
        assert tree.dokku("config:keys", "blog").returncode == 0

    def test_apps_that_user_auth_app_leaves_out_do_not_exist(self, tree):
        tree.bundled("config")
        tree.app("blog")
        tree.app("shop")
        tree.hook(
            "guard",
            "user-auth-app",
            'echo "$1 $2" >&2; shift 2; for a; do echo; [[ $a != shop ]] && echo "$a"; done; exit 9',
        )
        assert tree.dokku("config:keys", "blog").returncode == 0
        done = tree.dokku("config:keys", "shop")
        assert (done.returncode, done.stderr) == (20, "root default\n !     App shop does not exist\n")

    def test_no_answer_denies_everything(self, tree):
        tree.bundled("config")
        tree.app("blog")
        tree.hook("guard", "user-auth-app", "exit 0")
        assert tree.dokku("config:keys", "blog").returncode == 20


class TestEnvironment:
    def test_what_plugins_find(self, tree):
        tree.hook("a", "ping", "env -0")
        done = tree.plugn("trigger", "ping", env={"PLUGIN_DATA_ROOT": ""})
        found = dict(pair.split("=", 1) for pair in done.stdout.split("\0") if pair)
        lib = str(tree.lib)
        expected = {
            "DOKKU_ROOT": str(tree.root), "DOKKU_LIB_ROOT": lib, "PLUGIN_PATH": f"{lib}/plugins",
            "PLUGIN_AVAILABLE_PATH": f"{lib}/plugins/available", "PLUGIN_ENABLED_PATH": f"{lib}/plugins/enabled",
            "PLUGIN_CORE_PATH": f"{lib}/core-plugins", "PLUGIN_CORE_AVAILABLE_PATH": f"{lib}/core-plugins/available",
            "PLUGIN_CORE_ENABLED_PATH": f"{lib}/core-plugins/enabled", "DOKKU_API_VERSION": "1", "DOCKER_BIN": "docker",
            "DOKKU_NOT_IMPLEMENTED_EXIT": "10", "DOKKU_VALID_EXIT": "0", "DOKKU_SYSTEM_USER": "root",
        }  # fmt: skip
        assert {name: found.get(name) for name in expected} == expected
        for name in ("DOKKU_LIB_HOST_ROOT", "PLUGIN_BASE_PATH", "PLUGIN_CONFIG_ROOT", "NAME", "DOKKU_QUIET_OUTPUT"):
            assert name not in found

    def test_operator_s_settings_are_shell(self, tree):
        (tree.root / "dokkurc").write_text(
            'export FROM_RC="$DOKKU_ROOT/$((1 + 1))"\nNOT_EXPORTED=1\nexport DOCKER_BIN=podman\n'
        )
        (tree.root / ".dokkurc").mkdir()
        (tree.root / ".dokkurc/10-acl").write_text("export DOKKU_ACL_USER_COMMANDS='a b\nc'\n")
        tree.hook("a", "ping", 'echo "$FROM_RC|$NOT_EXPORTED|$DOCKER_BIN|$DOKKU_ACL_USER_COMMANDS"')
        assert tree.plugn("trigger", "ping").stdout == f"{tree.root}/2||podman|a b\nc\n"

    @pytest.mark.parametrize("text", ["exit 3", "exit 0", "if then", 'export X="unclosed', "no-such-program"])
    def test_a_broken_setting_is_an_error(self, tree, text):
        (tree.root / "dokkurc").write_text(f"{text}\n")
        done = tree.dokku("help")
        assert (done.returncode, " !     cannot read the server's settings\n" in done.stderr) == (1, True)

    def test_a_last_condition_that_does_not_hold_breaks_no_setting(self, tree):
        (tree.root / "dokkurc").write_text('export A=1\n[[ -n "$UNHEARD_OF" ]] && export B=1\n')
        tree.hook("a", "ping", 'echo "$A|$B"')
        assert tree.plugn("trigger", "ping").stdout == "1|\n"


class TestLocks:
    """A hook that calls dokku must pass the app's lock, which its caller holds."""

    BODY = (
        '@plugin.command("locker:hold")\ndef hold(app):\n    with app_lock(app, wait=False):\n        fire("held", app)\n'
        '@plugin.command("locker:inner")\ndef inner(app):\n    with app_lock(app, wait=False): print("inner")\n'
    )

    @pytest.mark.parametrize(
        "script", ["dokku locker:inner $1", "plugn trigger again $1", "env -u DOKKU_PID dokku locker:inner $1"]
    )
    def test_nested_calls_pass(self, tree, script):
        tree.app("blog")
        warm_plugin(tree, "locker", self.BODY, [], ["locker:hold", "locker:inner"])
        tree.hook("hook", "held", script)
        tree.hook("hook", "again", "dokku locker:inner $1")
        done = tree.dokku("locker:hold", "blog", timeout=20)
        assert (done.stdout, done.stderr, done.returncode) == ("inner\n", "", 0)

    def test_others_do_not(self, tree, tmp_path):
        tree.app("blog")
        warm_plugin(tree, "locker", self.BODY, [], ["locker:hold", "locker:inner"])
        tree.hook("hook", "held", f"touch {tmp_path}/ready; while [[ ! -e {tmp_path}/go ]]; do sleep 0.05; done")
        holder = tree.popen(str(tree.base / "bin/dokku"), "locker:hold", "blog")
        wait_for((tmp_path / "ready").exists)
        done = tree.dokku("locker:inner", "blog")
        assert (done.stdout, done.returncode) == ("", 1)
        assert "blog currently has a deploy lock in place" in done.stderr
        (tmp_path / "go").touch()
        assert holder.wait(60) == 0
        assert tree.dokku("locker:inner", "blog").stdout == "inner\n"
