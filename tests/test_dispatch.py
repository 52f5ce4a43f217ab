"""How triggers run: the contract between the core and its plugins (plugins.md 1.3), tried with plugins of every shape."""

import os
import signal
import time

import pytest

from tests.tree import Tree, executable, not_executable, wait_for, warm_plugin

SHOW = 'printf "%s:" "${0##*/enabled/}"; printf "<%s>" "$@"; echo'


@pytest.fixture
def tree(tmp_path):
    return Tree(tmp_path)


MANIFESTS = [
    "",
    "not toml [",
    "[plugin]\n",
    '[plugin]\nversion = ["a"]\ndescription = 3\n',
    "[commands]\n",
    '[plugin]\nexec = ["x"]\ntriggers = "ping"\nroot = "x"\n[commands]\n"a\\tb" = "c\\nd"\n',
    '[plugin]\nexec = "a\\tb"\nwarm = "yes"\n[plugin.config]\n[commands]\n"x" = {a = 1}\n',
]


class TestTriggers:
    def test_run_in_byte_order_of_the_plugin_name_through_the_enabled_link(self, tree):
        for name in ("b", "a", "B", "00_first", "_x", "zzz_last"):
            tree.hook(name, "ping", SHOW)
        done = tree.plugn("trigger", "ping", "x")
        order = ["00_first", "B", "_x", "a", "b", "zzz_last"]
        assert done.stdout == "".join(f"{name}/ping:<x>\n" for name in order)
        assert (done.returncode, done.stderr) == (0, "")

    @pytest.mark.parametrize("form", ["hook", "program", "warm"])
    def test_arguments_arrive_byte_for_byte(self, tree, form):
        given = [
            "",
            "two words",
            "*",
            "$HOME `id` $(id)",
            'it\'s "quoted"',
            "line\nbreak\n",
            "\\",
            "--flag",
            "ünï\udcff",
            "",
        ]
        if form == "hook":
            tree.hook("a", "ping", 'printf "%s\\0" "$@"')
        elif form == "program":
            toml = '[plugin]\nexec = "run"\ntriggers = ["ping"]\n'
            tree.plugin("a", {"plugin.toml": toml, "run": '#!/bin/sh\nshift\nprintf "%s\\0" "$@"\n'})
        else:
            body = '@plugin.trigger("ping")\ndef ping(*w): sys.stdout.buffer.writelines(os.fsencode(x) + b"\\0" for x in w)'
            warm_plugin(tree, "a", body, ["ping"])
        assert tree.plugn("trigger", "ping", *given).stdout == "".join(f"{word}\0" for word in given)

    def test_the_caller_s_directory_and_environment_are_kept(self, tree, tmp_path):
        tree.hook("a", "ping", 'pwd; printf "%s|%s" "$WEIRD" "$DOKKU_API_VERSION"')
        done = tree.plugn("trigger", "ping", cwd=tmp_path, env={"WEIRD": "a\\nb 'c'\n"})
        assert done.stdout == f"{tmp_path}\na\\nb 'c'\n|1"

    def test_hooks_share_one_stdin(self, tree):
        tree.hook("a", "ping", "echo a=$(cat)")
        tree.hook("b", "ping", "echo b=$(cat)")
        assert tree.plugn("trigger", "ping", input="data").stdout == "a=data\nb=\n"

    def test_output_is_concatenated_as_it_is(self, tree):
        tree.hook("a", "ping", 'printf one; printf "E1 " >&2')
        warm_plugin(
            tree,
            "b",
            '@plugin.trigger("ping")\ndef ping(): print(" two", end=""); print("E2", file=sys.stderr)',
            ["ping"],
        )
        tree.hook("c", "ping", "printf '\\n three\\n\\n'")
        done = tree.plugn("trigger", "ping")
        assert (done.stdout, done.stderr) == ("one two\n three\n\n", "E1 E2\n")

    @pytest.mark.parametrize("status", [1, 2, 10, 77, 255])
    def test_the_first_failure_stops_the_rest_with_its_status(self, tree, status):
        tree.hook("a", "ping", "echo a")
        tree.hook("b", "ping", f"echo b; exit {status}")
        tree.hook("c", "ping", "echo c")
        done = tree.plugn("trigger", "ping")
        assert (done.stdout, done.returncode) == ("a\nb\n", status)

    @pytest.mark.parametrize("warm", [False, True])
    def test_death_by_signal_is_status_1(self, tree, warm):
        if warm:
            warm_plugin(tree, "a", '@plugin.trigger("ping")\ndef ping(): os.kill(os.getpid(), 9)', ["ping"])
        else:
            tree.hook("a", "ping", "kill -9 $$")
        tree.hook("b", "ping", "echo never")
        done = tree.plugn("trigger", "ping")
        assert (done.stdout, done.returncode) == ("", 1)

    def test_nobody_has_it(self, tree):
        tree.hook("a", "other", "echo a")
        done = tree.plugn("trigger", "ping")
        assert (done.stdout, done.stderr, done.returncode) == ("", "", 0)
        assert tree.plugn("trigger").returncode == 1

    def test_a_hook_that_is_not_executable_is_named_and_skipped(self, tree):
        not_executable(tree.hook("a", "ping", "echo a"))
        tree.hook("b", "ping", "echo b")
        done = tree.plugn("trigger", "ping")
        assert done.stderr == "Trigger 'ping' is not executable, skipping plugin (a)\n"
        assert (done.stdout, done.returncode) == ("b\n", 0)

    def test_a_hook_without_first_line_is_run_by_bash(self, tree):
        tree.plugin("a", {"ping": '[[ "$1" == x* ]] && echo "bash ${0##*/enabled/} $BASH_SOURCE $1"\n'})
        done = tree.plugn("trigger", "ping", "x y")
        assert done.stdout == f"bash a/ping {tree.enabled}/a/ping x y\n"

    def test_a_missing_interpreter_is_an_error_that_names_the_file(self, tree):
        tree.plugin("a", {"ping": "#!/no/such/shell\n"})
        done = tree.plugn("trigger", "ping")
        assert done.returncode == 126
        assert done.stderr.startswith(f" !     cannot run {tree.enabled}/a/ping: No such file")

    def test_dangling_links_and_directories_are_skipped_in_silence(self, tree):
        (tree.enabled / "gone").symlink_to(tree.available / "gone")
        (tree.plugin("a") / "ping").symlink_to("nothing")
        (tree.plugin("b") / "ping").mkdir()
        tree.hook("c", "ping", "echo c")
        done = tree.plugn("trigger", "ping")
        assert (done.stdout, done.stderr, done.returncode) == ("c\n", "", 0)

    def test_one_script_under_many_names_knows_which_it_is(self, tree):
        script = tree.hook("a", "hook", 'echo "$(basename "$0")"')
        for name in ("ping", "pong"):
            (tree.available / "a" / name).symlink_to(script)
        assert tree.plugn("trigger", "pong").stdout == "pong\n"

    def test_a_link_whose_target_is_built_later_counts_from_then_on(self, tree):
        (tree.plugin("a", {"src/README": ""}) / "ping").symlink_to("src/ping")
        assert tree.plugn("trigger", "ping").stdout == ""
        executable(tree.available / "a/src/ping", "#!/bin/sh\necho built\n")
        assert tree.plugn("trigger", "ping").stdout == "built\n"

    def test_hooks_that_appear_or_go_are_noticed(self, tree):
        hook = tree.hook("a", "ping", "echo a")
        assert tree.plugn("trigger", "ping").stdout == "a\n"
        hook.unlink()
        assert tree.plugn("trigger", "ping").stdout == ""
        tree.hook("a", "ping", "echo again")
        tree.hook("b", "ping", "echo b")
        assert tree.plugn("trigger", "ping").stdout == "again\nb\n"

    def test_names_with_dots_and_slashes_find_no_other_file(self, tree):
        tree.hook("a", "ping", "echo a")
        tree.hook("b", "x/ping", "echo b")
        for name in ("../a/ping", "./ping", "x/ping", "", "T", "*"):
            assert tree.plugn("trigger", name).stdout == ""

    def test_200_plugins(self, tree):
        for number in range(200):
            tree.hook(f"p{number:03}", "ping", f"echo {number}")
        assert tree.plugn("trigger", "ping").stdout == "".join(f"{n}\n" for n in range(200))
        tree.plugn("trigger", "other")
        start = time.monotonic()
        assert tree.plugn("trigger", "other").returncode == 0
        assert time.monotonic() - start < 0.5

    @pytest.mark.parametrize("toml", MANIFESTS)
    def test_no_manifest_breaks_anybody(self, tree, toml):
        tree.plugin("bad", {"plugin.toml": toml} if toml else {})
        tree.hook("good", "ping", "echo good")
        done = tree.plugn("trigger", "ping")
        assert (done.stdout, done.stderr) == ("good\n", "")
        assert tree.dokku("help", "--all").returncode == 0
        assert tree.dokku("help").stderr == ""


class TestCapture:
    """Calls whose answer is data: the asked hooks find an ended stdin."""

    ASK = (
        '@plugin.command("asker:ask")\ndef asks(name, *w): print(repr(ask(name, *w)))\n'
        '@plugin.command("asker:holds")\ndef asks_whether(name): print(holds(name))\n'
        '@plugin.command("asker:size")\ndef size(name): print(len(dispatch.capture(name)[1]))\n'
        '@plugin.command("asker:tell")\ndef tell(name, text): print(ask(name, data=text))\n'
    )

    @pytest.fixture
    def asker(self, tree):
        warm_plugin(tree, "asker", self.ASK, [], ["asker:ask", "asker:holds", "asker:size", "asker:tell"])
        return tree

    def test_a_hook_that_reads_stdin_gets_its_end(self, asker):
        asker.hook("a", "ping", 'cat; echo " got"')
        reader, writer = os.pipe()  # our stdin never ends
        try:
            assert asker.dokku("asker:ask", "ping", stdin=reader, timeout=20).stdout == "'got'\n"
        finally:
            os.close(reader)
            os.close(writer)

    def test_data_for_hooks_is_theirs_alone(self, asker):
        asker.hook("a", "ping", "head -c 3; cat")
        asker.hook("b", "ping", 'echo "[$(cat)]"')
        assert asker.dokku("asker:tell", "ping", "one two", input="mine").stdout == "one two[]\n"

    def test_white_space_around_the_answer_is_dropped(self, asker):
        asker.hook("a", "ping", 'printf "\\n  one \\n"')
        asker.hook("b", "ping", 'printf " two\\n\\n"')
        assert asker.dokku("asker:ask", "ping").stdout == "'one \\n two'\n"

    def test_a_predicate_answers_with_its_status_alone(self, asker):
        asker.hook("a", "yes", "echo noise")
        asker.hook("a", "no", "echo noise; exit 3")
        assert asker.dokku("asker:holds", "yes").stdout == "True\n"
        assert asker.dokku("asker:holds", "no").stdout == "False\n"

    def test_fifty_megabytes(self, asker):
        asker.hook("a", "ping", "head -c 52428800 /dev/zero | tr '\\0' x")
        assert asker.dokku("asker:size", "ping").stdout == "52428800\n"
        assert len(asker.plugn("trigger", "ping").stdout) == 52428800

    def test_a_hook_that_leaves_something_in_the_background_does_not_hold_us(self, asker):
        asker.hook("a", "ping", "sleep 30 2>/dev/null & echo done")
        start = time.monotonic()
        assert asker.dokku("asker:ask", "ping").stdout == "'done'\n"
        assert time.monotonic() - start < 20


class TestSignals:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
    @pytest.mark.parametrize("form", ["hook", "warm"])
    def test_a_hook_that_never_ends_hears_of_it(self, tree, tmp_path, number, form):
        note, ready = tmp_path / "note", tmp_path / "ready"
        if form == "hook":
            traps = "".join(f"trap 'echo {n} > {note}; exit 3' {n}\n" for n in ("INT", "TERM", "HUP"))
            tree.hook("a", "ping", f"{traps}touch {ready}\nwhile :; do sleep 0.05; done")
        else:
            body = (
                '@plugin.trigger("ping")\ndef ping():\n    import signal, time\n'
                f'    def heard(n, f): open("{note}", "w").write(signal.Signals(n).name[3:]); os._exit(3)\n'
                "    for n in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP): signal.signal(n, heard)\n"
                f'    open("{ready}", "w").close()\n    while True: time.sleep(0.05)\n'
            )
            warm_plugin(tree, "a", body, ["ping"])
        tree.hook("b", "ping", f"touch {tmp_path}/next")
        process = tree.popen(str(tree.base / "bin/plugn"), "trigger", "ping")
        wait_for(ready.exists)
        process.send_signal(number)
        assert process.wait(60) == 128 + number
        assert note.read_text().strip() == number.name[3:]
        assert not (tmp_path / "next").exists()

    def test_a_hook_starts_with_default_signals(self, tree):
        tree.hook("a", "ping", "awk '/SigIgn/ {print $2}' /proc/self/status")
        usual = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ)
        assert int(tree.plugn("trigger", "ping").stdout, 16) & sum(1 << (n - 1) for n in usual) == 0

    def test_nohup_reaches_the_hooks(self, tree):
        tree.hook("a", "ping", "awk '/SigIgn/ {print $2}' /proc/self/status")
        done = tree.run("sh", "-c", "trap '' HUP; exec plugn trigger ping")
        assert int(done.stdout, 16) & 1 << (signal.SIGHUP - 1)
