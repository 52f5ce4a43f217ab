"""The bash library that existing plugins source (plugins.md 3): each function in a real bash, output and status exact."""

import time

import pytest

from tests.tree import Tree, executable, warm_plugin

FILES = [
    "common/functions", "common/property-functions", "config/functions", "ps/functions", "docker-options/functions",
    "nginx-vhosts/functions", "nginx-vhosts/internal-functions", "domains/functions", "certs/functions",
    "proxy/functions", "storage/functions",
]  # fmt: skip
PLUGINS = sorted({file.split("/")[0] for file in FILES})


class Library(Tree):
    """bash(SCRIPT) runs it in a directory tree with all function files sourced; nothing else is on its PATH to start."""

    def __init__(self, base):
        super().__init__(base)
        self.bundled(*PLUGINS)
        self.env |= {
            "DOKKU_LIB_ROOT": str(self.lib), "PLUGIN_PATH": f"{self.lib}/plugins", "DOCKER_BIN": "docker",
            "PLUGIN_AVAILABLE_PATH": f"{self.lib}/plugins/available", "PLUGIN_CORE_AVAILABLE_PATH": str(self.core),
            "PLUGIN_ENABLED_PATH": f"{self.lib}/plugins/enabled", "SSH_USER": "dokku", "SSH_NAME": "admin",
        }  # fmt: skip

    def bash(self, script, files=FILES, **how):
        lines = [f'source "$PLUGIN_CORE_AVAILABLE_PATH/{file}"' for file in files]
        return self.run("bash", "-c", "\n".join([*lines, script]), **how)

    def without_programs(
        self, script, files=("common/functions", "common/property-functions", "config/functions"), **how
    ):
        """PATH is empty: whatever starts a program fails. That is how reading stays fast."""
        lines = [f'source "$PLUGIN_CORE_AVAILABLE_PATH/{file}"' for file in files]
        env = {"PATH": f"{self.base}/none", **how.pop("env", {})}
        return self.run("/bin/bash", "-c", "\n".join([*lines, script]), env=env, **how)

    def fake(self, name, body):
        """A program on PATH that notes its words and then runs body."""
        calls = self.base / f"{name}.calls"
        executable(self.base / "bin" / name, f'#!/bin/bash\nprintf "%s\\n" "$*" >>{calls}\n{body}\n')
        return lambda: calls.read_text().splitlines() if calls.exists() else []


@pytest.fixture
def lib(tmp_path):
    return Library(tmp_path)


def said(done):
    return done.stdout, done.stderr, done.returncode


class TestFiles:
    @pytest.mark.parametrize("file", FILES)
    def test_every_file_by_every_route_twice_under_set_e(self, lib, file):
        routes = ("PLUGIN_CORE_AVAILABLE_PATH", "PLUGIN_AVAILABLE_PATH", "PLUGIN_ENABLED_PATH")
        sources = "; ".join(f'source "${route}/{file}"; source "${route}/{file}"' for route in routes)
        script = f"set -eo pipefail; {sources}; dokku_log_info1 fine"
        assert said(lib.run("bash", "-c", script)) == ("-----> fine\n", "", 0)

    def test_sourcing_sets_the_shell_s_options(self, lib):
        assert said(lib.bash("false; echo never", ["common/functions"])) == ("", "", 1)
        assert said(lib.bash("false | true; echo never", ["common/functions"]))[2] == 1
        assert "+ echo traced" in lib.bash("echo traced", ["common/functions"], env={"DOKKU_TRACE": "1"}).stderr

    def test_allexport_does_not_hide_the_functions_from_children(self, lib):
        source = 'source "$PLUGIN_CORE_AVAILABLE_PATH/common/functions"'
        script = f"set -a; {source}; bash -c '{source}; dokku_log_info1 child'"
        assert lib.run("bash", "-c", script).stdout == "-----> child\n"

    def test_a_source_costs_under_5_ms(self, lib):
        source = 'source "$PLUGIN_CORE_AVAILABLE_PATH/common/functions"'
        script = f"for i in {{1..40}}; do ( {source} ); done"
        bare = "for i in {1..40}; do ( : ); done"

        def cost(text):
            start = time.perf_counter()
            assert lib.run("bash", "-c", text).returncode == 0
            return (time.perf_counter() - start) / 40

        assert min(cost(script) - cost(bare) for _ in range(4)) < 0.005


class TestLog:
    @pytest.mark.parametrize("name, stdout, stderr", [
        ("plain", "{}", ""), ("info1", "-----> {}", ""), ("info2", "=====> {}", ""), ("verbose", "       {}", ""),
        ("exclaim", " !     {}", ""), ("warn", "", " !     {}"), ("stderr", "", "{}"),
    ])  # fmt: skip
    def test_lines(self, lib, name, stdout, stderr):
        text = "a  -n * $x \\n"
        expected = tuple(form.format("-e " + text) + "\n" if form else "" for form in (stdout, stderr))
        script = f"IFS=,; dokku_log_{name} -e 'a  -n' '*' '$x' '\\n'; dokku_log_{name}_quiet -e 'a  -n' '*' '$x' '\\n'"
        assert said(lib.without_programs(script)) == (expected[0] * 2, expected[1] * 2, 0)

    @pytest.mark.parametrize(
        "name", ["quiet", "info1_quiet", "info2_quiet", "verbose_quiet", "exclaim_quiet", "warn_quiet"]
    )
    def test_quiet_ones_vanish_under_quiet(self, lib, name):
        assert said(lib.bash(f"dokku_log_{name} text; echo on", env={"DOKKU_QUIET_OUTPUT": "1"})) == ("on\n", "", 0)
        assert lib.bash(f"dokku_log_{name} text; echo on").returncode == 0

    def test_ends_of_the_shell(self, lib):
        assert said(lib.bash("dokku_log_fail a b; echo never")) == ("", " !     a b\n", 1)
        assert said(lib.bash("DOKKU_FAIL_EXIT_CODE=20 dokku_log_fail a; echo never")) == ("", " !     a\n", 20)
        assert said(lib.bash("dokku_log_exit bye; echo never")) == ("", "bye\n", 0)
        quiet = {"DOKKU_QUIET_OUTPUT": "1"}
        assert said(lib.bash("dokku_log_exit_quiet bye; echo never", env=quiet)) == ("", "", 0)
        assert said(lib.bash("dokku_log_fail_quiet bye; echo never", env=quiet)) == ("", "", 1)

    def test_columns(self, lib):
        line = "{:<6} {:<18} {:<25} {:<25} {:<25}\n"
        script = "dokku_col_log_info1_quiet a 'b c' d e; dokku_col_log_msg a b c d"
        assert lib.bash(script).stdout == line.format("----->", "a", "b c", "d", "e") + line.format("", *"abcd")

    def test_container_log(self, lib):
        lib.fake("docker", "echo out; echo err >&2; printf 'no end'")
        assert lib.bash("dokku_container_log_verbose_quiet c1").stdout == "       out\n       err\n       no end\n"

    def test_has_tty(self, lib):
        script = "has_tty && echo yes || echo no"
        for env, answer in (({}, "no"), ({"DOKKU_FORCE_TTY": "true"}, "yes"), ({"DOKKU_DISABLE_TTY": "true"}, "no")):
            assert lib.without_programs(script, env=env).stdout == f"{answer}\n"
        done = lib.run(
            "script", "-qec", "bash -c 'source $PLUGIN_CORE_AVAILABLE_PATH/common/functions; has_tty'", "/dev/null"
        )
        assert done.returncode == 0

    def test_suppress_output(self, lib):
        assert said(lib.bash("f() { echo a; echo b >&2; return $1; }; suppress_output f 0; echo on")) == ("on\n", "", 0)
        done = lib.bash("f() { echo a; echo b >&2; return $1; }; suppress_output f 7 || echo $?")
        assert said(done) == ("a\nb\n7\n", "", 0)
        assert said(lib.bash("suppress_output dokku_log_fail text; echo never")) == (" !     text\n", "", 1)


class TestValues:
    @pytest.mark.parametrize("call, output, status", [
        ("fn-in-array b a b", "", 0), ("fn-in-array c a b", "", 1), ("fn-in-array '' a", "", 1), ("fn-in-array '*' '*'", "", 0),  # noqa: E501
        ("fn-in-array x", "", 1), ("is_number 12", "", 0), ("is_number 1.2", "", 1), ("is_number ''", "", 1),
        ("is_abs_path /x", "", 0), ("is_abs_path x", "", 1), ("is_val_in_list b a,b,c", "", 0),
        ("is_val_in_list d a,b,c", "", 1), ("is_val_in_list a ''", "", 1), ("is_val_in_list 'b c' 'a:b c' :", "", 0),
        ("add_val_to_list c a,b", "a,b,c\n", 0), ("add_val_to_list b a,b", "a,b\n", 0), ("add_val_to_list a ''", "a\n", 0),
        ("remove_val_from_list b a,b,c", "a,c\n", 0), ("remove_val_from_list a a", "\n", 0),
        ("remove_val_from_list b a:b:b :", "a\n", 0), ("merge_dedupe_list 'a,b a,c'", "a,b,c\n", 0),
        ("is_valid_app_name my-app.2", "", 0), ("is_valid_app_name old_app", "", 0), ("is_valid_app_name -x", "", 1),
        ("is_valid_app_name 'a b'", "", 1), ("is_valid_app_name ''", "", 1), ("is_valid_app_name A", "", 1),
        ("strip_inline_comments 'web: x # y'", "web: x\n", 0), ("strip_inline_comments 'a#b'", "a#b\n", 0),
    ])  # fmt: skip
    def test_answers(self, lib, call, output, status):
        assert said(lib.bash(call)) == (output, "", status)

    def test_get_phases(self, lib):
        assert lib.bash("get_phases build,deploy,run").stdout == "build deploy run\n"

    def test_json(self, lib):
        assert lib.bash("get_json_value a.b", input='{"a": {"b": "x y"}}').stdout == "x y\n"
        assert lib.bash("get_json_value '.[0].c'", input='[{"c": 3}]').stdout == "3\n"
        assert lib.bash("get_json_value none", input="{}").stdout == ""

    def test_addresses(self, lib):
        script = "[[ 10.0.0.255 =~ ^$(get_ipv4_regex)$ && ! x.0.0.1 =~ ^$(get_ipv4_regex)$ && fe80::1 =~ ^$(get_ipv6_regex)$ ]]"  # noqa: E501
        assert lib.bash(script).returncode == 0

    def test_dockerfile_directive(self, lib, tmp_path):
        (tmp_path / "Dockerfile").write_text("FROM a\nEXPOSE 1\nCMD x\nEXPOSE  5000/tcp 80")
        assert lib.bash(f"extract_directive_from_dockerfile {tmp_path}/Dockerfile EXPOSE").stdout == "5000/tcp 80\n"

    def test_parse_args(self, lib):
        script = 'parse_args x --quiet --app blog --no-restart; echo "$DOKKU_QUIET_OUTPUT $DOKKU_APP_NAME $DOKKU_GLOBAL_FLAGS"'  # noqa: E501
        assert lib.bash(script).stdout == "1 blog --quiet --app=blog --no-restart\n"


class TestApps:
    def test_verify_app_name_starts_no_program(self, lib):
        lib.app("blog")
        lib.plugn("trigger", "none")  # the index is there, as in every plugin's life
        assert said(lib.without_programs("verify_app_name blog; echo on")) == ("on\n", "", 0)
        for name in ("shop", "", "../blog", "-x", "Blog"):
            done = lib.without_programs(f"verify_app_name '{name}'; echo never")
            assert said(done) == ("", f" !     App {name} does not exist\n", 20)

    @pytest.mark.parametrize("form", ["hook", "program"])
    def test_verify_app_name_asks_the_guard(self, lib, form):
        lib.app("blog")
        lib.app("shop")
        if form == "hook":
            lib.hook("guard", "user-auth-app", 'echo "$1 $2" >&2; echo; echo shop')
        else:
            body = '@plugin.trigger("user-auth-app")\ndef allow(user, key, *a): print(user, key, file=sys.stderr); print("shop")'  # noqa: E501
            warm_plugin(lib, "guard", body, ["user-auth-app"])
            lib.plugn("trigger", "none")
        assert said(lib.bash("verify_app_name shop")) == ("", "dokku admin\n", 0)
        assert said(lib.bash("verify_app_name blog")) == ("", "dokku admin\n !     App blog does not exist\n", 20)

    def test_dokku_apps(self, lib):
        assert said(lib.bash("dokku_apps")) == ("", " !     You haven't deployed any applications yet\n", 1)
        for name in ("shop", "blog", "old_app"):
            lib.app(name)
        (lib.root / ".ssh").mkdir()
        (lib.root / "VHOST").write_text("x")
        assert lib.bash("dokku_apps").stdout == "blog\nold_app\nshop\n"
        lib.hook("guard", "user-auth-app", "echo shop; echo other")
        assert lib.bash("dokku_apps").stdout == "shop\n"
        assert lib.bash("dokku_apps false").stdout == "blog\nold_app\nshop\n"

    def test_trigger_exists(self, lib):
        lib.hook("20_events", "ping", "")
        assert lib.bash("fn-plugn-trigger-exists ping").returncode == 1
        lib.hook("mine", "ping", "")
        assert lib.bash("fn-plugn-trigger-exists ping").returncode == 0

    def test_is_deployed(self, lib):
        lib.hook("sched", "scheduler-detect", "echo mine")
        lib.hook("sched", "scheduler-is-deployed", f'echo "$*" >>{lib.base}/asked; [[ $2 == blog ]]')
        assert lib.bash("is_deployed blog").returncode == 0
        assert lib.bash("is_deployed shop").returncode == 1
        assert lib.without_programs("is_deployed blog && ! is_deployed shop").returncode == 0
        assert (lib.base / "asked").read_text() == "mine blog\nmine shop\n"
        assert (lib.lib / "config/common/blog/deployed").read_text() == "true"

    def test_containers(self, lib):
        app = lib.app("blog")
        for name, cid in (("web.1", "a1"), ("web.2", "a2\n"), ("worker.1", "b1")):
            (app / f"CONTAINER.{name}").write_text(cid)
        assert lib.without_programs("get_app_container_ids blog").stdout == "a1 a2 b1\n"
        assert (
            lib.without_programs("get_app_container_ids blog web; get_app_container_ids blog web.2").stdout
            == "a1 a2\na2\n"
        )
        assert said(lib.without_programs("get_app_container_ids blog none")) == ("", "", 0)
        lib.bash(
            "fn-plugin-property-write common blog deployed true; fn-plugin-property-write common shop deployed false"
        )
        lib.fake("docker", '[[ "$*" == *" a2" ]] && echo false || echo true')
        assert lib.bash("get_app_running_container_ids blog").stdout == "a1 b1\n"
        assert lib.bash("get_app_running_container_types blog").stdout == "web\nworker\n"
        assert said(lib.bash("get_app_running_container_ids shop")) == (
            "",
            " !     App shop has not been deployed\n",
            1,
        )

    def test_container_status(self, lib):
        calls = lib.fake("docker", "echo true")
        assert lib.bash("is_container_status c1 Running").returncode == 0
        assert calls() == ["container inspect --format {{.State.Running}} c1"]
        lib.fake("docker", "echo false")
        assert lib.bash("is_container_status c1 Running").returncode == 1
        lib.fake("docker", "exit 1")
        assert said(lib.bash("is_container_status c1 Running")) == ("", "", 1)

    def test_migrate_config_to_property(self, lib):
        lib.app("blog")
        lib.app("shop")
        lib.bash("config_set --no-restart blog OLD='a b' KEEP=1")
        assert lib.bash("fn-migrate-config-to-property mine key OLD").returncode == 0
        assert lib.bash("fn-plugin-property-get mine blog key; config_keys blog").stdout == "a b\nKEEP\n"
        assert not (lib.lib / "config/mine/shop").exists()


class TestImages:
    def test_names(self, lib):
        assert lib.bash("get_app_image_repo blog; get_app_image_name blog; get_running_image_tag blog").stdout == (
            "dokku/blog\ndokku/blog:latest\nlatest\n"
        )
        calls = lib.fake("docker", "")
        assert lib.bash("get_app_image_name blog v2; get_deploying_app_image_name blog v3").stdout == (
            "dokku/blog:v2\ndokku/blog:v3\n"
        )
        assert calls() == ["image inspect dokku/blog:v2", "image inspect dokku/blog:v3"]
        lib.fake("docker", "exit 1")
        assert said(lib.bash("get_app_image_name blog v2")) == ("", " !     App image (dokku/blog:v2) not found\n", 1)
        assert lib.bash("verify_image x").returncode == 1

    def test_names_that_plugins_answer(self, lib):
        for trigger, answer in (("app-repository", "reg.test/"), ("app-image-repo", "team/$1"), ("app-image-tag", "7")):
            lib.hook("registry2", f"deployed-{trigger}", f"echo {answer}")
        lib.fake("docker", "[[ $1 == pull ]]")
        assert lib.bash("get_deploying_app_image_name blog").stdout == "reg.test/team/blog:7\n"

    def test_kinds(self, lib):
        lib.fake("docker", '[[ "$*" == *Labels* ]] && echo io.buildpacks.stacks.x || echo USER=root')
        assert lib.bash("is_image_cnb_based i").returncode == 0
        assert lib.bash("is_image_herokuish_based i").returncode == 0
        lib.fake("docker", '[[ "$*" == *Labels* ]] && echo || echo USER=herokuishuser')
        assert lib.bash("is_image_cnb_based i").returncode == 1
        assert lib.bash("is_image_herokuish_based i").returncode == 0
        lib.fake("docker", '[[ "$*" == *Labels* ]] && echo || echo USER=herokuishuser2')
        assert lib.bash("is_image_herokuish_based i").returncode == 1

    def test_copy_from_image(self, lib, tmp_path):
        script = 'case "$2" in create) echo c1 ;; inspect) echo /app ;; cp) [[ "$3" != *none ]] ;; esac'
        calls = lib.fake("docker", script)
        assert lib.bash(f"copy_from_image img app.json '{tmp_path}/a b'").returncode == 0
        assert calls()[-2:] == [f"container cp c1:/app/app.json {tmp_path}/a b", "container rm --force --volumes c1"]
        assert lib.bash("copy_from_image img /none x").returncode == 1
        assert calls()[-1] == "container rm --force --volumes c1"

    def test_container_ports(self, lib):
        lib.fake("docker", "echo '5000/tcp -> 127.0.0.1:32768'")
        assert lib.bash("get_container_ports c1").stdout == "32768->5000/tcp\n"
