"""From a command line, typed on the server or sent over ssh, to an answer: names, flags, help, errors, access."""

import subprocess

import pytest

from tests.server import CHECKOUT


def test_version(server):
    for words in (["version"], ["-v"], ["--version"]):
        assert server.dokku(*words).stdout == server.ssh(*words).stdout
    assert server.dokku("version").stdout.startswith("dokku version 0.")


@pytest.mark.parametrize(
    "words", [["nope"], ["nope:sub", "a"], ["apps:"], ["apps:nope"], ["config/../apps"], [":"], ["a b"]]
)
def test_unknown_command(server, words):
    done = server.dokku(*words, check=False)
    assert done.returncode == 1 and done.stdout == ""
    lines = done.stderr.splitlines()
    assert lines[0] == f" !     `{' '.join(words)}` is not a dokku command."
    assert lines[1] == " !     See `dokku help` for a list of available commands."


def test_a_near_miss_gets_a_suggestion(server):
    done = server.dokku("config:sett", "a", check=False)
    assert done.stderr.splitlines()[-1] == " !     Did you mean `dokku config:set`?"


def test_nothing_typed_is_help(server):
    assert server.dokku().stdout == server.dokku("help").stdout
    assert server.dokku().stdout.startswith("Usage: dokku [--quiet|--trace|--force] COMMAND <app>")


def test_help_lists_every_plugin_and_starts_none(server, add_plugin):
    add_plugin("zz-prog", {
        "plugin.toml": '[plugin]\ndescription = "Zed"\nversion = "1"\nexec = "prog"\n[plugin.config]\n'
                       '[commands]\n"zz:do <app>" = "Do it"\n"zz:hidden" = ""\n',
        "prog": "#!/bin/sh\necho started >> /tmp/zz-started\n",
    })  # fmt: skip
    text = server.dokku("help", "--all").stdout
    assert "    zz:do <app>" in text and "zz:hidden" not in text
    for line in text.splitlines():
        assert "Traceback" not in line
    assert subprocess.run(["test", "-e", "/tmp/zz-started"]).returncode == 1
    short = server.dokku("--quiet", "help").stdout
    assert "Usage" not in short
    for name in ("apps", "config", "plugin"):
        assert any(line.split()[:1] == [name] for line in short.splitlines()), name


@pytest.mark.parametrize("plugin", sorted(p.parent.name for p in CHECKOUT.glob("plugins/*/plugin.toml")))
def test_every_plugin_has_help(server, plugin):
    import tomllib

    manifest = tomllib.loads((CHECKOUT / "plugins" / plugin / "plugin.toml").read_text())
    shown = {
        name.split()[0]: (name, text)
        for name, text in manifest.get("commands", {}).items()
        if text and ":" in name.split()[0]
    }
    for prefix in {name.partition(":")[0] for name in shown}:
        help_ = server.dokku(f"{prefix}:help").stdout
        assert help_.startswith(f"Usage: dokku {prefix}[:COMMAND]\n\n") and "\n\nAdditional commands:\n\n" in help_
        for name, (usage, text) in shown.items():
            if name.partition(":")[0] == prefix:
                assert usage in help_ and text in help_, name


def test_help_of_one_command(server):
    assert server.dokku("config:help", "set").stdout.startswith("Usage: dokku config:set [--encoded]")
    assert server.dokku("help", "config:set").stdout == server.dokku("config:help", "set").stdout
    assert "has no command nope" in server.dokku("config:help", "nope", check=False).stderr
    assert "there is no plugin nope" in server.dokku("help", "nope", check=False).stderr


def echo_plugin(add_plugin):
    wanted = "^DOKKU_(QUIET|TRACE=|APPS_FORCE|GLOBAL_FLAGS|APP_NAME|COMMAND)|^SSH_"
    show = f'#!/bin/bash\nprintf "<%s>" "$@"; echo\nenv | grep -E "{wanted}"\ntrue\n'
    add_plugin(
        "echoes", {"subcommands/show": show, "subcommands/default": show, "subcommands/status": "#!/bin/sh\nexit $2\n"}
    )


def answer(done):
    first, *rest = done.stdout.splitlines()
    return first, dict(line.split("=", 1) for line in rest)


def test_a_subcommand_gets_its_words_as_they_are(server, add_plugin):
    echo_plugin(add_plugin)
    words = ["a b", "", "*", "it's", '"', "$(id)", "a\nb", "--flag", "-x", "é"]
    done = server.dokku("echoes:show", *words)
    assert done.stdout.startswith("<echoes:show>" + "".join(f"<{word}>" for word in words) + "\n")
    assert answer(server.dokku("echoes", "x"))[0] == "<echoes><x>"


def test_ssh_words_are_split_by_quotes_and_never_expanded(server, add_plugin):
    echo_plugin(add_plugin)
    done = server.ssh(
        "echoes:show", "'a b'", r"c\ d", '"e  f"', "'*'", "*", "'$(id)'", "`id`", ";", "id", "''", '"it\'s"'
    )
    assert answer(done)[0] == "<echoes:show><a b><c d><e  f><*><*><$(id)><`id`><;><id><><it's>"
    done = server.ssh("echoes:show 'open", check=False)
    assert done.returncode == 1 and "unbalanced ' in the command" in done.stderr


def test_global_flags(server, add_plugin):
    echo_plugin(add_plugin)
    first, env = answer(server.dokku("--quiet", "--force", "echoes:show", "x"))
    assert first == "<echoes:show><x>"
    assert env["DOKKU_QUIET_OUTPUT"] == "1" and env["DOKKU_APPS_FORCE_DELETE"] == "1"
    assert env["DOKKU_GLOBAL_FLAGS"] == "--quiet --force" and env["DOKKU_COMMAND"] == "echoes:show"
    assert env["SSH_USER"] == "root" and env["SSH_NAME"] == "default"
    first, env = answer(server.dokku("echoes:show", "--quiet", "x"))
    assert first == "<echoes:show><--quiet><x>" and env["DOKKU_QUIET_OUTPUT"] == "1"
    first, env = answer(server.dokku("--app", "web", "echoes:show", "x"))  # community plugins see the variable only
    assert first == "<echoes:show><x>" and env["DOKKU_APP_NAME"] == "web" and env["DOKKU_GLOBAL_FLAGS"] == "--app=web"
    assert answer(server.ssh("--app=web", "echoes:show"))[1]["SSH_NAME"] == "admin"
    done = server.dokku("--nope", "echoes:show", check=False)
    assert done.returncode == 2 and "unknown flag: --nope" in done.stderr


def test_app_flag_is_the_first_argument_of_core_commands(server, app):
    server.dokku("apps:create", app)
    server.dokku("--app", app, "config:set", "--no-restart", "A=1")
    assert server.dokku("config:get", app, "A").stdout == "1\n"
    assert server.ssh("--app", app, "config:get", "A").stdout == "1\n"


@pytest.mark.parametrize("status", [0, 1, 3, 20, 126, 255])
def test_exit_status_passes_through(server, add_plugin, status):
    echo_plugin(add_plugin)
    assert server.dokku("echoes:status", str(status), check=False).returncode == status
    assert server.ssh("echoes:status", str(status), check=False).returncode == status


def test_an_unknown_app_exits_20(server):
    for words in (["config:get", "no-such-app", "A"], ["apps:report", "no-such-app"]):
        done = server.dokku(*words, check=False)
        assert (done.returncode, done.stderr) == (20, " !     App no-such-app does not exist\n")


def test_commands_files_are_asked_in_turn(server, add_plugin):
    """10 is "not mine", 0 goes on to the next, anything else ends it (plugins.md 1.4)."""
    add_plugin("a-first", {"commands": "#!/bin/sh\n[ $1 = both ] && { echo first; exit 0; }\nexit 10\n"})
    add_plugin(
        "b-second",
        {"commands": "#!/bin/sh\n[ $1 = both ] && echo second && exit 4\n[ $1 = second ] && exit 0\nexit 10\n"},
    )
    add_plugin("c-third", {"commands": "#!/bin/sh\n[ $1 = both ] && echo third\nexit 10\n"})
    done = server.dokku("both", check=False)
    assert (done.stdout, done.returncode) == ("first\nsecond\n", 4)
    assert server.dokku("second").returncode == 0
    assert "is not a dokku command" in server.dokku("neither", check=False).stderr


def test_user_auth_decides_who_may_do_what(server, add_plugin):
    log = server.base / "auth-log"
    add_plugin("gate", {"user-auth": f'#!/bin/sh\necho "$@" >> {log}\n[ "$3" != config:keys ]\n'})
    log.write_text("")
    log.chmod(0o666)
    server.ssh("version")
    done = server.ssh("config:keys", "--global", check=False)
    assert (done.returncode, done.stdout) == (1, "") and "Access denied" in done.stderr
    server.dokku("config:export", "--global")
    calls = log.read_text().splitlines()
    assert f"{server.user} admin config:keys --global" in calls and "root default config:export --global" in calls


def test_user_auth_app_hides_apps(server, add_plugin, app):
    server.dokku("apps:create", app)
    add_plugin(
        "hide",
        {"user-auth-app": '#!/bin/sh\nshift 2\nfor app; do [ "$SSH_NAME" = default ] && echo "$app"; done; true\n'},
    )
    assert app in server.dokku("apps:list").stdout.split()
    assert app not in server.ssh("apps:list").stdout.split()
    assert server.ssh("config:show", app, check=False).returncode == 20


def test_root_commands_are_for_root(server):
    done = server.ssh("plugin:enable", "config", check=False)
    assert done.returncode == 1 and "This command must be run as root" in done.stderr
    assert server.ssh("setup", check=False).returncode == 1


def test_commands_run_as_the_dokku_user(server, add_plugin):
    add_plugin("who", {"subcommands/me": "#!/bin/bash\nid -un; id -gn; echo $HOME $USER; pwd; umask\n"})
    for done in (server.dokku("who:me", cwd="/root"), server.ssh("who:me")):
        user, group, home, place, _ = done.stdout.splitlines()
        assert (user, group, home) == (server.user, server.user, f"{server.root} {server.user}") and place != "/root"


def test_a_second_installation_needs_no_sudo_as_its_own_user(server):
    argv = [
        "setpriv",
        f"--reuid={server.user}",
        f"--regid={server.user}",
        "--clear-groups",
        server.bin / "dokku",
        "version",
    ]
    assert subprocess.run(argv, env=server.env, capture_output=True).returncode == 0


def test_dokkurc_sets_the_environment_and_a_broken_one_says_so(server, add_plugin):
    add_plugin("rc", {"subcommands/show": "#!/bin/sh\necho $FROM_RC\n"})
    place = server.root / ".dokkurc"
    place.mkdir(exist_ok=True)  # trace:on has been here
    try:
        (place / "a").write_text('export FROM_RC="set by $(basename dokkurc)"\n')
        assert server.ssh("rc:show").stdout == "set by dokkurc\n"
        (place / "a").write_text("if then\n")
        done = server.dokku("rc:show", check=False)
        assert done.returncode == 1 and "cannot read" in done.stderr
    finally:
        (place / "a").unlink()


def test_no_traceback_but_a_word_about_a_bug(server, add_plugin):
    program = "#!/usr/bin/python3\ndef main(argv):\n    raise RuntimeError('boom')\n"
    manifest = '[plugin]\ndescription = "x"\nversion = "1"\nexec = "p.py"\nwarm = true\n[commands]\n"bug:now" = "x"\n'
    add_plugin("bug", {"plugin.toml": manifest, "p.py": program})
    done = server.dokku("bug:now", check=False)
    assert done.returncode == 70 and "RuntimeError: boom" in done.stderr and "Traceback" not in done.stderr
    assert "Traceback" in server.dokku("--trace", "bug:now", check=False).stderr


def test_a_reader_that_leaves_early_is_no_error(server):
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {server.bin}/dokku help --all | head -1"], env=server.env,
                          capture_output=True, text=True)  # fmt: skip
    assert done.stderr == "" and len(done.stdout.splitlines()) == 1
