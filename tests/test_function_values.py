"""The bash library's properties and variables: the same files as the core's, byte for byte; reading starts no program."""

import json
import stat

import pytest

from tests.test_functions import Library, said

VALUES = [
    "plain", "", "two words", "007", "-3", "+5", "9" * 30, "a'b", 'say "hi"', "back\\slash", "ends in \\", 'ends in "', "\\\\",  # noqa: E501
    "\\n", "line\nbreak\n", "\n", "$HOME `id` !bang $(x)", "tab\there # no comment", "=", "ünïcode", "x" * 3000 + '"\\' * 500,  # noqa: E501
    '"', "\\\"", "n\\r\\\\n", " padded ", "*", "-n", "%s%d\\x41\\0101",
]  # fmt: skip


@pytest.fixture
def lib(tmp_path):
    return Library(tmp_path)


def words(*values):
    """As one bash word each."""
    return " ".join("'" + value.replace("'", "'\\''") + "'" for value in values)


class TestProperties:
    def test_round_trip(self, lib):
        for value in ("x", "two words", "a\nb", "trail\n", "-n", "\\", ""):
            lib.bash(f"fn-plugin-property-write mine blog key {words(value)}")
            path = lib.lib / "config/mine/blog/key"
            assert path.read_text() == value
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
            done = lib.without_programs("fn-plugin-property-get mine blog key")
            assert said(done) == (f"{value}\n" if value else "", "", 0)
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o755
        assert [p.name for p in path.parent.iterdir()] == ["key"]

    def test_get(self, lib):
        assert said(lib.without_programs("fn-plugin-property-get mine blog key")) == ("", "", 0)
        assert said(lib.without_programs("fn-plugin-property-get mine blog key 'a default'")) == ("a default\n", "", 0)
        assert said(lib.without_programs("fn-plugin-property-get-default mine --global key d")) == ("d\n", "", 0)
        assert lib.without_programs("fn-plugin-property-exists mine blog key").returncode == 1
        lib.bash("fn-plugin-property-write mine blog key ''")
        assert lib.without_programs("fn-plugin-property-exists mine blog key").returncode == 0
        assert said(lib.without_programs("fn-plugin-property-get mine blog key d")) == ("d\n", "", 0)

    def test_setup_delete_destroy_clone(self, lib):
        config = lib.lib / "config"
        assert said(lib.bash("fn-plugin-property-setup mine; fn-plugin-property-setup mine")) == ("", "", 0)
        assert stat.S_IMODE((config / "mine").stat().st_mode) == 0o755
        assert said(lib.bash("fn-plugin-property-delete mine blog none")) == ("", "", 0)
        lib.bash(
            "for k in a b; do fn-plugin-property-write mine blog $k v$k; done; fn-plugin-property-write mine --global a g"
        )
        assert said(lib.bash("fn-plugin-property-clone mine blog new; fn-plugin-property-clone mine none other")) == (
            "",
            "",
            0,
        )
        assert lib.without_programs("fn-plugin-property-get-all mine new").stdout == "a va\nb vb\n"
        assert not (config / "mine/other").exists()
        lib.bash("fn-plugin-property-delete mine new a; fn-plugin-property-destroy mine blog")
        assert sorted(p.name for p in (config / "mine").iterdir()) == ["--global", "new"]
        assert lib.without_programs("fn-plugin-property-get-all mine new").stdout == "b vb\n"
        lib.bash("fn-plugin-property-destroy mine _all_")
        assert not (config / "mine").exists()
        assert (config.parent).exists()
        lib.bash("fn-plugin-property-destroy '' ''; fn-plugin-property-destroy mine ''")
        assert config.exists()

    def test_a_plugin_may_change_its_umask(self, lib):
        lib.bash("umask 077; fn-plugin-property-write mine blog key v")
        assert stat.S_IMODE((lib.lib / "config/mine").stat().st_mode) == 0o755
        assert stat.S_IMODE((lib.lib / "config/mine/blog").stat().st_mode) == 0o755

    def test_lists(self, lib):
        run = lib.bash
        assert said(lib.without_programs("fn-plugin-property-list-get mine blog l")) == ("", "", 0)
        assert lib.without_programs("fn-plugin-property-list-length mine blog l").stdout == "0\n"
        run("for v in a 'b c' ''; do fn-plugin-property-list-add mine blog l \"$v\"; done")
        assert (lib.lib / "config/mine/blog/l").read_text() == "a\nb c\n\n"
        run("fn-plugin-property-list-add mine blog l first 1; fn-plugin-property-list-add mine blog l third 3")
        run("fn-plugin-property-list-add mine blog l last 0; fn-plugin-property-list-add mine blog l far 99")
        assert (
            lib.without_programs("fn-plugin-property-list-get mine blog l").stdout
            == "first\na\nthird\nb c\n\nlast\nfar\n"
        )
        assert lib.without_programs("fn-plugin-property-list-length mine blog l").stdout == "7\n"
        assert said(lib.without_programs("fn-plugin-property-list-get-by-index mine blog l 4")) == ("b c\n", "", 0)
        assert said(lib.without_programs("fn-plugin-property-list-get-by-index mine blog l 8")) == ("", "", 1)
        assert said(lib.without_programs("fn-plugin-property-list-get-by-value mine blog l 'b c'")) == ("b c\n", "", 0)
        assert said(lib.without_programs("fn-plugin-property-list-get-by-value mine blog l b")) == ("", "", 1)
        assert said(run("fn-plugin-property-list-remove mine blog l 'b c'")) == ("", "", 0)
        done = run("fn-plugin-property-list-remove mine blog l 'b c'; echo never")
        assert (done.stdout, done.returncode, done.stderr[:7]) == ("", 1, " !     ")
        assert said(run("fn-plugin-property-list-remove-by-prefix mine blog l f")) == ("", "", 0)
        assert lib.without_programs("fn-plugin-property-list-get mine blog l").stdout == "a\nthird\n\nlast\n"
        run("fn-plugin-property-list-set mine blog l x y")
        assert lib.without_programs("fn-plugin-property-list-get mine blog l").stdout == "x\ny\n"
        run("fn-plugin-property-list-remove-by-prefix mine blog l ''")
        assert not (lib.lib / "config/mine/blog/l").exists()

    def test_two_at_once_lose_nothing(self, lib):
        script = "for i in {1..15}; do fn-plugin-property-list-add mine blog l $w$i; done"
        assert lib.bash(f"for w in a b; do {{ {script}; }} & done; wait").returncode == 0
        assert lib.without_programs("fn-plugin-property-list-length mine blog l").stdout == "30\n"


class TestConfig:
    @pytest.fixture
    def blog(self, lib):
        lib.app("blog")
        return lib

    def test_every_value_comes_back_without_a_program(self, blog):
        pairs = {f"K{n}": value for n, value in enumerate(VALUES)}
        assert (
            blog.bash(f"config_set --no-restart blog {words(*(f'{k}={v}' for k, v in pairs.items()))}").returncode == 0
        )
        script = "".join(f"config_get blog {key}; printf '\\0'\n" for key in pairs)
        answers = blog.without_programs(script).stdout.split("\0")[:-1]
        assert answers == [f"{value}\n" for value in pairs.values()]
        blog.bash("config_set --no-restart blog CR=$'a\\rb\\n'")
        assert blog.without_programs("[[ \"$(config_get blog CR; echo .)\" == $'a\\rb\\n\\n.' ]]").returncode == 0
        blog.bash("config_unset --no-restart blog CR")
        by_python = json.loads(blog.dokku("config:export", "--format", "json", "blog").stdout)
        assert by_python == pairs

    def test_get(self, blog):
        blog.bash('config_set --no-restart blog A=1 AB="it\'s"; config_set --global A=g')
        assert said(blog.without_programs("config_get blog A")) == ("1\n", "", 0)
        assert said(blog.without_programs("config_get --global A")) == ("g\n", "", 0)
        assert said(blog.without_programs("config_get blog AB --quoted")) == ("'it'\\''s'\n", "", 0)
        for call in ("blog B", "blog", "blog 'bad key'", "none A", "--global AB", "blog ''"):
            assert said(blog.without_programs(f"config_get {call}; echo never")) == ("", "", 1), call

    def test_files_written_by_hand(self, blog):
        (blog.lib / "config/blog").mkdir(parents=True)
        (blog.lib / "config/blog/ENV").write_text("# mine\nexport A=plain text # why\nB='x\nC=not me'\nD=\"$A\"\n")
        for key, value in (("A", "plain text"), ("B", "x\nC=not me"), ("D", "plain text")):
            assert said(blog.bash(f"config_get blog {key}")) == (f"{value}\n", "", 0)
        assert said(blog.bash("config_get blog C")) == ("", "", 1)

    def test_set_and_unset_say_and_tell(self, blog):
        blog.hook("watch", "post-config-update", f'echo "$*" >>{blog.base}/told')
        expected = "-----> Setting config vars\n       A:   1\n       BC:  x y\n"
        assert said(blog.bash("config_set --no-restart blog BC='x y' A=1")) == (expected, "", 0)
        assert said(blog.bash("config_set blog A=2 --no-restart", env={"DOKKU_QUIET_OUTPUT": "1"})) == ("", "", 0)
        assert said(blog.bash("config_set --encoded --global E=YSAgYgo="))[2] == 0
        assert blog.bash("config_get --global E").stdout == "a  b\n"
        lines = "-----> Unsetting A\n-----> Skipping NONE, it is not set in the environment\n"
        assert said(blog.bash("config_unset --no-restart blog A NONE")) == (lines, "", 0)
        assert (blog.base / "told").read_text().splitlines()[:3] == ["blog set BC A", "blog set A", "--global set E"]
        assert (blog.base / "told").read_text().splitlines()[3] == "blog unset A"
        assert blog.bash("config_set blog").returncode == 1

    def test_set_redeploys_what_is_deployed(self, blog):
        blog.hook("watch", "release-and-deploy", f'echo "$*" >>{blog.base}/told; exit 3')
        blog.bash("fn-plugin-property-write common blog deployed true")
        assert blog.bash("config_set --no-restart blog A=1; config_set --global A=1").returncode == 0
        assert not (blog.base / "told").exists()
        assert blog.bash("config_set blog A=2").returncode == 0
        assert (blog.base / "told").read_text() == "blog  config-redeploy\n"

    def test_all(self, blog):
        blog.bash("config_set --no-restart blog LONGER='x: y' A=1; config_set --no-restart blog Z=' padded '")
        expected = "=====> blog env vars\nA:       1\nLONGER:  x: y\nZ:       padded\n"
        assert said(blog.bash("config_all blog")) == (expected, "", 0)
        quiet = blog.bash("config_all blog | cut -d: -f1", env={"DOKKU_QUIET_OUTPUT": "1"})
        assert quiet.stdout == "A\nLONGER\nZ\n"
        exports = "export A='1'\nexport LONGER='x: y'\nexport Z=' padded '\n"
        assert blog.bash("config_all blog", env={"DOKKU_CONFIG_EXPORT": "1"}).stdout == exports

    @pytest.mark.parametrize(
        "form", ["exports", "shell", "docker-args", "docker-args-keys", "pack-keys", "pretty", "json", "json-list"]
    )
    def test_export_is_the_command_s(self, blog, form):
        for scope in ("blog", "--global"):
            pairs = words(*(f"{scope[2:4].upper()}{n % 9}_{n}={v}" for n, v in enumerate(VALUES) if "\n" not in v))
            blog.bash(f"config_set --no-restart {scope} {pairs}")
        for merged in ("", "--merged"):
            call = f"config_export app blog --format {form} {merged}"
            assert (
                blog.bash(call).stdout
                == blog.dokku("config:export", "blog", *merged.split(), f"--format={form}").stdout
            )
        assert blog.bash(f"config_export global --format {form}").stdout == (
            blog.dokku("config:export", "--global", "--format", form).stdout
        )

    def test_keys_and_the_rest(self, blog):
        blog.bash("config_set --no-restart blog B=1 A=2; config_set --global C=3")
        assert blog.bash("config_keys blog; config_keys --merged blog").stdout == "A\nB\nA\nB\nC\n"
        assert said(blog.bash("config_keys none")) == ("", "", 0)
        assert blog.bash("config_sub keys blog").stdout == "A\nB\n"
        assert blog.bash("config_bundle blog | tar -xO A").stdout == "2"
        assert blog.bash("fn-config-set --no-restart blog D=4; config_get blog D").stdout.endswith("4\n")
        assert blog.bash("config_clear --no-restart blog >/dev/null; config_keys blog").stdout == ""

    def test_large_values_stay_fast(self, blog):
        blog.bash('config_set --no-restart blog KEY="$(printf \'line "q"\\n%.0s\' {1..2500})" Z=last')
        done = blog.without_programs("config_get blog Z", timeout=5)
        assert done.stdout == "last\n"


class TestLocks:
    def test_with_the_core(self, lib):
        lib.app("blog")
        lib.bundled("apps")
        script = "acquire_app_deploy_lock blog; dokku apps:locked blog && echo held; release_app_deploy_lock blog; "
        assert lib.bash(f"{script} dokku apps:locked blog || echo free").stdout.splitlines()[-1] == "free"
        assert not (lib.lib / "data/apps/blog/.deploy.lock").exists()

    def test_against_others(self, lib):
        done = lib.bash(
            "acquire_app_deploy_lock blog; (unset DOKKU_LOCKED_APPS; acquire_app_deploy_lock blog); echo never"
        )
        assert said(done) == ("", " !     blog currently has a deploy lock in place. Exiting...\n", 1)
        assert said(lib.bash("acquire_app_deploy_lock blog; acquire_app_deploy_lock blog; echo on"))[0] == "on\n"

    def test_the_dead_hold_nothing_but_the_operator_does(self, lib):
        lib.bash("acquire_app_deploy_lock blog; kill -9 $$")
        assert said(lib.bash("acquire_app_deploy_lock blog; echo mine")) == ("mine\n", "", 0)
        (lib.lib / "data/apps/blog/.deploy.lock").write_text("")
        done = lib.bash("acquire_app_deploy_lock blog; echo never")
        assert (done.stdout, done.returncode, "is locked" in done.stderr) == ("", 1, True)

    def test_waiting(self, lib):
        holder = "(acquire_app_deploy_lock blog; touch $DOKKU_ROOT/ready; sleep 0.7; echo first; release_app_deploy_lock blog) & "  # noqa: E501
        waiter = (
            "until [[ -e $DOKKU_ROOT/ready ]]; do sleep 0.05; done; acquire_app_deploy_lock blog waiting; echo second"
        )
        out = lib.bash(holder + waiter).stdout.splitlines()
        assert out == [" !     blog currently has a deploy lock in place. Waiting...", "first", "second"]

    def test_advisory(self, lib):
        script = 'f=$DOKKU_ROOT/lock; acquire_advisory_lock $f; bash -c "source $PLUGIN_CORE_AVAILABLE_PATH/common/functions; '  # noqa: E501
        done = lib.bash(script + 'exec 201>&-; acquire_advisory_lock $f" || echo taken; release_advisory_lock $f')
        assert done.stdout == "taken\n"


class TestOtherFiles:
    def test_docker_options(self, lib):
        calls = lib.fake("dokku", "")
        script = "APP=blog; passed=(build deploy run); add_passed_docker_option passed[@] '--link a:b'; "
        assert lib.bash(script + "remove_passed_docker_option passed[@] '--link a:b'").returncode == 0
        assert calls() == [f"docker-options:{verb} blog build,deploy,run --link a:b" for verb in ("add", "remove")]

    def test_the_option_is_one_argument(self, lib):
        lib.fake("dokku", f'printf "<%s>" "$@" >{lib.base}/words')
        lib.bash("APP=blog; p=(deploy); add_passed_docker_option p[@] '--link a:b'")
        assert (lib.base / "words").read_text() == "<docker-options:add><blog><deploy><--link a:b>"

    def test_ps(self, lib):
        calls = lib.fake("dokku", "")
        lib.bash("ps_start blog; ps_stop blog; ps_rebuild blog; ps_restore")
        assert calls() == ["ps:start blog", "ps:stop blog", "ps:rebuild blog", "ps:restore "[:-1]]
        for answer, status, running in (
            ("2 true", "running", "true"),
            ("0 false", "missing", "false"),
            ("1 mixed", "mixed", "mixed"),
            ("1 false", "stopped", "false"),
        ):
            lib.fake("plugn", f'[[ $2 == scheduler-detect ]] || echo "{answer}"')
            assert lib.bash("fn-ps-app-status blog; fn-ps-is-app-running blog").stdout == f"{status}\n{running}\n"

    def test_nginx(self, lib):
        calls = lib.fake("dokku", "[[ $1 != nginx:validate-config ]]")
        for kind, enabled, reloads in (("nginx", "true", 1), ("caddy", "true", 0), ("nginx", "false", 0)):
            lib.fake("plugn", f"[[ $2 == proxy-type ]] && echo {kind} || echo {enabled}")
            before = len(calls())
            assert said(lib.bash("APP=blog; restart_nginx"))[1:] == ("", 0)
            assert calls()[before:] == ["nginx:reload"] * reloads
        assert lib.bash("validate_nginx blog; echo never").stdout == ""
        assert calls()[-1] == "nginx:validate-config blog"
        assert lib.bash("get_nginx_location").stdout == "/usr/sbin/nginx\n"
        lib.bash("fn-nginx-computed-access-log-path blog")
        assert calls()[-1] == "nginx:report blog --nginx-computed-access-log-path"

    def test_domains_certs_proxy(self, lib):
        app = lib.app("blog")
        (app / "VHOST").write_text("a.test\nb.test\n")
        lib.fake("plugn", "[[ $3 == blog ]] && echo true")
        assert lib.bash("get_app_domains blog; is_app_proxy_enabled blog").stdout == "a.test\nb.test\ntrue\n"
        assert said(lib.bash("get_app_domains shop")) == ("", "", 0)
        assert lib.bash("is_app_vhost_enabled shop").returncode == 1
        assert lib.bash("is_ssl_enabled blog").returncode == 1
        (app / "tls").mkdir()
        (app / "tls/server.crt").write_text("")
        assert lib.bash("is_ssl_enabled blog").returncode == 1
        (app / "tls/server.key").write_text("")
        assert lib.bash("is_ssl_enabled blog").returncode == 0
        calls = lib.fake("dokku", "")
        lib.bash("domains_setup blog; domains_setup shop; domains_set blog c.test")
        assert calls() == ["domains:reset shop", "domains:set blog c.test"]

    def test_files_that_plugins_look_for(self, lib):
        calls, fired = lib.fake("dokku", ""), lib.fake("plugn", "")
        script = '"$PLUGIN_CORE_AVAILABLE_PATH/config/subcommands/show" config:show blog; "$PLUGIN_AVAILABLE_PATH/cron/cron-write"'  # noqa: E501
        lib.bundled("cron")
        assert lib.bash(script).returncode == 0
        assert (calls(), fired()) == (["config:show blog"], ["trigger scheduler-cron-write"])
