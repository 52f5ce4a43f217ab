"""From a command line to a plugin, global flags and help (plugins.md 1.4 to 1.6)."""

import pytest

from tests.tree import Tree, not_executable

SHOW = 'printf "%s:" "${0##*/enabled/}"; printf "<%s>" "$@"; echo'


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


class TestCommands:
    def test_subcommand_files_in_their_order(self, tree):
        path = tree.plugin(
            "redis", {f"subcommands/{n}": f"#!/bin/bash\n{SHOW}\n" for n in ("default", "redis", "create")}
        )
        assert tree.dokku("redis", "x").stdout == "redis/subcommands/default:<redis><x>\n"
        (path / "subcommands/default").unlink()
        assert tree.dokku("redis", "x").stdout == "redis/subcommands/redis:<redis><x>\n"
        assert tree.dokku("redis:create", "a b", "").stdout == "redis/subcommands/create:<redis:create><a b><>\n"

    def test_a_subcommand_s_status_is_the_command_s(self, tree):
        tree.plugin("redis", {"subcommands/fail": "#!/bin/sh\nexit 37\n", "commands": "#!/bin/sh\necho never\n"})
        assert tree.dokku("redis:fail").returncode == 37

    def test_a_subcommand_without_execute_bit_falls_through_to_commands(self, tree):
        path = tree.plugin("redis", {"subcommands/x": "#!/bin/sh\necho sub\n", "commands": f"#!/bin/bash\n{SHOW}\n"})
        not_executable(path / "subcommands/x")
        assert tree.dokku("redis:x", "y").stdout == "redis/commands:<redis:x><y>\n"

    def test_commands_10_goes_on_0_goes_on_and_others_end_the_search(self, tree):
        for name, status in (("a", 10), ("b", 0), ("c", 0), ("d", 7), ("e", 0)):
            tree.hook(name, "commands", f"echo {name}; exit {status}")
        done = tree.dokku("what", "now")
        assert (done.stdout, done.returncode) == ("a\nb\nc\nd\n", 7)

    def test_handled_by_one(self, tree):
        tree.hook("a", "commands", "exit ${DOKKU_NOT_IMPLEMENTED_EXIT}")
        tree.hook("b", "commands", "exit ${DOKKU_VALID_EXIT}")
        done = tree.dokku("what")
        assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)

    def test_handled_by_nobody(self, tree):
        tree.hook("a", "commands", "exit 10")
        done = tree.dokku("what:ever", "a b", "--c")
        expected = (
            " !     `what:ever a b --c` is not a dokku command.\n"
            " !     See `dokku help` for a list of available commands.\n"
        )
        assert (done.stdout, done.stderr, done.returncode) == ("", expected, 1)

    def test_commands_without_execute_bit_is_126(self, tree):
        not_executable(tree.hook("a", "commands", "echo a"))
        tree.hook("b", "commands", "echo b")
        done = tree.dokku("what")
        assert (done.stdout, done.returncode) == ("", 126)

    def test_stdin_reaches_the_command_though_there_are_guards(self, tree):
        tree.hook("guard", "user-auth", "cat >/dev/null")
        tree.plugin("a", {"subcommands/x": "#!/bin/sh\ncat\n"})
        assert tree.dokku("a:x", input="data").stdout == "data"

    def test_names_cannot_leave_the_plugin(self, tree):
        tree.plugin("a", {"subcommands/x": "#!/bin/sh\necho x\n", "secret": "#!/bin/sh\necho secret\n"})
        for name in ("a:../secret", "a:..", "a/subcommands:x", "a:", ":x", ":", "../a:x", "a:."):
            done = tree.dokku(name)
            assert (done.stdout, done.returncode) == ("", 1), name

    def test_a_program_gets_its_command_with_the_colon(self, tree):
        toml = '[plugin]\nexec = "run"\n[commands]\n"greet" = "Greet"\n"greet:loud <who>" = "Greet loudly"\n'
        tree.plugin("greet", {"plugin.toml": toml, "run": f"#!/bin/bash\n{SHOW}\nexit 4\n"})
        assert tree.dokku("greet", "x y").stdout == "greet/run:<greet:><x y>\n"
        done = tree.dokku("greet:loud", "")
        assert (done.stdout, done.returncode) == ("greet/run:<greet:loud><>\n", 4)

    def test_a_command_belongs_to_the_plugin_of_its_name(self, tree):
        for name in ("aaa", "greet"):
            toml = '[plugin]\nexec = "run"\n[commands]\n"greet:hi" = "Greet"\n'
            tree.plugin(name, {"plugin.toml": toml, "run": f"#!/bin/sh\necho {name}\n"})
        assert tree.dokku("greet:hi").stdout == "greet\n"

    def test_nobody_takes_a_command_from_the_core(self, tree):
        toml = '[plugin]\nexec = "run"\n[commands]\n"nginx:show" = "Show"\n'
        tree.plugin("nginx-vhosts", {"plugin.toml": toml, "run": "#!/bin/sh\necho core\n"}, core=True)
        tree.plugin("nginx", {"plugin.toml": toml, "run": "#!/bin/sh\necho other\n"})
        assert tree.dokku("nginx:show").stdout == "core\n"


class TestGlobalFlags:
    SHOW = (
        'echo "app=$DOKKU_APP_NAME flags=$DOKKU_GLOBAL_FLAGS'
        ' q=$DOKKU_QUIET_OUTPUT t=$DOKKU_TRACE f=$DOKKU_APPS_FORCE_DELETE $*"'
    )

    @pytest.fixture
    def both(self, tree):
        tree.plugin("mine", {"subcommands/x": f"#!/bin/bash\n{self.SHOW}\n"})
        tree.plugin("ours", {"subcommands/x": f"#!/bin/bash\n{self.SHOW}\n"}, core=True)
        return tree

    def test_app_is_an_argument_of_core_plugins_only(self, both):
        assert both.dokku("--app", "blog", "ours:x", "y").stdout == "app=blog flags=--app=blog q= t= f= ours:x blog y\n"
        assert both.dokku("--app=blog", "mine:x", "y").stdout == "app=blog flags=--app=blog q= t= f= mine:x y\n"

    def test_flags_count_anywhere_and_vanish_in_front(self, both):
        done = both.dokku("--quiet", "mine:x", "y", "--force", "--trace", "--no-restart", "--app", "blog")
        flags = "--quiet --force --trace --no-restart --app=blog"
        assert done.stdout == f"app=blog flags={flags} q=1 t=1 f=1 mine:x y --force --trace --no-restart --app blog\n"

    def test_an_inner_call_keeps_the_outer_flags_but_inserts_no_app(self, both):
        both.plugin("outer", {"subcommands/x": "#!/bin/sh\nexec dokku ours:x y\n"})
        done = both.dokku("--app", "blog", "--quiet", "outer:x", "--no-restart")
        assert done.stdout == "app=blog flags=--app=blog --quiet --no-restart q=1 t= f= ours:x y\n"

    def test_no_terminal_does_not_silence_plugins(self, both):
        assert " q= " in both.dokku("mine:x").stdout

    def test_an_unknown_flag_in_front(self, both):
        done = both.dokku("--colour", "mine:x")
        assert (done.returncode, done.stderr.splitlines()[0]) == (2, " !     unknown flag: --colour")


class TestHelp:
    COMMANDS = """
case "$1" in
  help | redis:help)
    if [[ "$(ps -o command= $PPID)" == *"--all"* ]]; then
      echo "    redis:create <service>, create a service"
      echo "    redis:list, list services"
    else
      echo "    redis, redis services"
    fi ;;
  *) exit "$DOKKU_NOT_IMPLEMENTED_EXIT" ;;
esac"""

    def test_with_and_without_all(self, tree):
        tree.hook("redis", "commands", self.COMMANDS)
        assert tree.dokku("help").stdout.endswith("Community plugin commands:\n\n    redis  redis services\n")
        lines = "    redis:create <service>  create a service\n    redis:list              list services\n"
        assert tree.dokku("help", "--all").stdout.endswith(f"Community plugin commands:\n\n{lines}")
        assert tree.dokku("redis:help").stdout == "    redis, redis services\n"

    def test_over_ssh(self, tree):
        tree.hook("redis", "commands", self.COMMANDS)
        line = "--quiet help --all"  # sshd's forced command ends with what the far end typed, unquoted
        done = tree.dokku(*line.split(), env={"SSH_ORIGINAL_COMMAND": line, "NAME": "admin"})
        assert "    redis:list              list services\n" in done.stdout

    def test_commands_gets_the_single_word_help_and_no_input(self, tree):
        tree.hook("a", "commands", 'echo "    a[$*], [$(cat)]"')
        assert "    a[help]  []\n" in tree.dokku("help", "--all", input="data").stdout

    def test_a_commands_file_that_fails_or_cannot_run_spoils_nothing(self, tree):
        tree.hook("a", "commands", 'echo "    a, first"; exit 3')
        not_executable(tree.hook("b", "commands", "echo b"))
        tree.plugin("c", {"commands": "#!/no/such/shell\n"})
        tree.hook("d", "src/commands", 'echo "    d, never"')
        done = tree.dokku("help")
        assert (done.returncode, "    a  first\n" in done.stdout, "never" in done.stdout) == (0, True, False)

    def test_quiet_drops_the_headers(self, tree):
        tree.hook("redis", "commands", self.COMMANDS)
        first = [line.split()[0] for line in tree.dokku("--quiet", "help", "--all").stdout.splitlines() if line]
        assert first == ["help", "version", "redis:create", "redis:list"]

    def test_programs_are_not_asked(self, tree):
        toml = '[plugin]\ndescription = "Greets"\nexec = "run"\n[commands]\n"greet:hi" = "Say hi"\n'
        tree.plugin("greet", {"plugin.toml": toml, "run": "#!/bin/sh\necho started\n"})
        assert "started" not in tree.dokku("help").stdout
        assert "    greet:hi  Say hi\n" in tree.dokku("greet:help").stdout
