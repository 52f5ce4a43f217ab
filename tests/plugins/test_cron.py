"""cron: schedules, tasks of app.json and of plugins, and the crontab that Debian's own crontab and cron take."""

import json
import re
import subprocess
import time

import pytest

from dokku_min.errors import Failure
from tests.apps import make_repo, web_app
from tests.plugins.modules import plugin_module
from tests.server import run

schedule = plugin_module("cron", "schedule")
tasks = plugin_module("cron", "tasks")
crontab = plugin_module("cron", "crontab")


# schedules


@pytest.mark.parametrize(
    "text, normal",
    [
        ("* * * * *", "* * * * *"),
        ("  0  5 *\t* 1 ", "0 5 * * 1"),
        ("@daily", "@daily"), (" @Hourly ", "@hourly"),
        ("*/5 1-3 1,15 * *", "*/5 1-3 1,15 * *"),
        ("0 0 ? jan-MAR sun", "0 0 * 1-3 0"),
        ("5/15 * * * mon,Wed", "5-59/15 * * * 1,3"),
        ("0-30/10 0 * * 7", "0-30/10 0 * * 7"),
        ("00 05 * * *", "0 5 * * *"),
    ],
)  # fmt: skip
def test_schedules(text, normal):
    assert schedule.normal(text) == normal


@pytest.mark.parametrize(
    "text",
    ["", "* * * *", "* * * * * *", "0 0 0 * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8",
     "a * * * *", "*/0 * * * *", "*/x * * * *", "5-1 * * * *", "1- * * * *", ", * * * *", "@never", "@every 1h", "@reboot",
     "* * * * *\n* * * * * x", "* * * *\n*", "² * * * *", "-1 * * * *", "* * * * * rm -rf", "@daily x", "*/-5 * * * *"],
)  # fmt: skip
def test_what_is_no_schedule(text):
    with pytest.raises(schedule.Wrong):
        schedule.normal(text)


def test_what_we_write_is_what_debians_crontab_takes():
    """crontab(1) checks every line before it installs anything."""
    normals = [
        schedule.normal(text) for text in ("@daily", "5/15 * ? jan-mar mon,wed", "*/5 1-3 1,15 * 7", "0-30/10 0 1 1 0")
    ]
    before = run("crontab", "-u", "nobody", "-l", check=False).stdout
    subprocess.run(
        ["crontab", "-u", "nobody", "-"], input="".join(f"{n} true\n" for n in normals), text=True, check=True
    )
    found = run("crontab", "-u", "nobody", "-l").stdout
    subprocess.run(["crontab", "-u", "nobody", "-" if before else "-r"], input=before, text=True, check=True)
    assert all(f"{n} true\n" in found for n in normals)


# ids and lines


def test_the_id_of_a_task():
    number = int(tasks.base36("app===command===* * * * *"), 36)
    assert number.to_bytes((number.bit_length() + 7) // 8, "big") == b"app===command===* * * * *"


def test_a_long_id_gets_a_short_stand_in():
    assert tasks.short("a" * 200) == "a" * 200
    assert len(tasks.short("a" * 201)) == 64


class Fake:
    app, schedule, short_id, command, log = "blog", "@daily", "abc123", "", ""

    def __init__(self, **changes):
        self.__dict__.update(changes)


def test_the_line_of_an_app():
    assert crontab.app_line(Fake()) == "@daily dokku cron:run blog abc123"


@pytest.mark.parametrize(
    "wrong",
    [{"app": "blog x"}, {"app": "blog\n* * * * * x"}, {"app": "-x"}, {"app": ""}, {"short_id": "a b"}, {"short_id": "a\nb"},
     {"short_id": "a;b"}, {"short_id": "%"}, {"short_id": ""},
     {"schedule": "@daily\n* * * * * x"}, {"schedule": "@daily x"}],
)  # fmt: skip
def test_nothing_else_gets_into_a_line(wrong):
    with pytest.raises(Failure):
        crontab.app_line(Fake(**wrong))


def test_the_line_of_a_plugin():
    task = Fake(command="dokku letsencrypt:auto-renew", log="/var/log/dokku/it's 100%.log")
    assert crontab.plugin_line(task) == "@daily dokku letsencrypt:auto-renew &>> '/var/log/dokku/it'\\''s 100\\%.log'"


@pytest.mark.parametrize("value", ['a"b', "a\nb", "a`b", "$HOME", "a\\", "a\0"])
def test_what_no_variable_of_a_crontab_may_hold(value):
    with pytest.raises(Failure, match="Invalid mailto"):
        crontab.env_line("MAILTO", value)


@pytest.mark.parametrize("entry, field", [
    ({"command": "a", "schedule": "* * * *"}, "schedule"), ({"command": "a 'b", "schedule": "@daily"}, "command"),
    ({"command": "'' ", "schedule": "@daily"}, ""), ({"command": "a \"b c\"", "schedule": "1 2 3 4 5"}, ""),
])  # fmt: skip
def test_tasks_of_app_json_are_checked(entry, field):
    assert tasks.check(entry)[0] == field


# with a server


@pytest.fixture(scope="module")
def shared_app(server):
    name = server.app("tasks")
    server.dokku("apps:create", name)
    yield name
    server.dokku("apps:destroy", name, "--force")


@pytest.fixture
def app(server, shared_app):
    """An app without tasks and settings."""
    yield shared_app
    run("rm", "-rf", server.lib / "config/cron" / shared_app)
    give(server, shared_app)


@pytest.fixture
def leaving_app(server):
    name = server.app("leaving")
    server.dokku("apps:create", name)
    yield name
    server.dokku("apps:destroy", name, "--force", check=False)


def give(server, app, *entries):
    """As if a deploy had brought this app.json."""
    put(server, app, *entries)
    trigger(server, "scheduler-cron-write", "docker-local", app)


def put(server, app, *entries):
    (server.lib / "data/app-json" / app / "app.json").write_text(json.dumps({"cron": entries}))


def trigger(server, *words, check=True):
    argv = ["setpriv", f"--reuid={server.user}", f"--regid={server.user}", "--init-groups", "--"]
    return run(*argv, server.bin / "plugn", "trigger", *words, env=server.env, check=check)


def lines(server):
    """The lines of the dokku user's crontab that start something."""
    text = run("crontab", "-u", server.user, "-l", check=False).stdout
    return [line for line in text.splitlines() if line[:1] in "*@0123456789"]


def listed(server, scope):
    return json.loads(server.dokku("cron:list", scope, "--format", "json").stdout)


EVIL = "sh -c 'echo 1; touch /tmp/x'\n* * * * * root $(id) `id` % && true \\\n;\"quoted\" | tee > /etc/x"


def test_a_task_is_never_more_than_an_id_in_the_crontab(server, app):
    give(server, app, {"command": EVIL, "schedule": "*/5 * * * mon"}, {"command": "plain", "schedule": "@daily"})
    found = lines(server)
    assert len(found) == 2
    assert re.fullmatch(rf"\*/5 \* \* \* 1 dokku cron:run {app} [0-9a-z]+", found[0])
    assert re.fullmatch(rf"@daily dokku cron:run {app} [0-9a-z]+", found[1])
    assert [task["command"] for task in listed(server, app)] == [EVIL, "plain"]
    assert all(len(line) < 998 for line in found)  # cron cuts a longer one off


def test_a_deploy_changes_the_lines_of_its_own_app_and_no_other(server, app, leaving_app):
    give(server, app, {"command": "mine", "schedule": "@daily"})
    give(server, leaving_app, {"command": "other", "schedule": "@hourly"})
    both = lines(server)
    assert sorted(line.split()[3] for line in both) == sorted([app, leaving_app])

    put(server, app, {"command": "mine", "schedule": "@weekly"})
    put(server, leaving_app, {"command": "other", "schedule": "@monthly"})
    trigger(server, "post-deploy", app, "", "", "latest")

    assert [line.split()[0] for line in lines(server) if app in line] == ["@weekly"]
    assert [line.split()[0] for line in lines(server) if leaving_app in line] == ["@hourly"]


def test_the_crontab_tells_this_installation_from_others(server, leaving_app):
    give(server, leaving_app, {"command": "x", "schedule": "@daily"})
    text = run("crontab", "-u", server.user, "-l").stdout
    assert f"PATH={server.bin}:/usr/local/bin:/usr/bin:/bin\nSHELL=/bin/bash\n" in text
    assert f'DOKKU_ROOT="{server.root}"\n' in text
    server.dokku("apps:destroy", leaving_app, "--force")
    assert run("crontab", "-u", server.user, "-l", check=False).returncode  # no task, no crontab


def test_list_and_report(server, app):
    resting = {"command": "c", "schedule": "1 2 3 4 5", "maintenance": True}
    give(server, app, {"command": "a b", "schedule": "@daily", "concurrency_policy": "forbid"}, resting)
    first, second = listed(server, app)
    assert first == {
        "app": app, "app-in-maintenance": False, "command": "a b", "concurrency_policy": "forbid", "id": first["id"],
        "maintenance": False, "schedule": "@daily", "task-in-maintenance": False,
    }  # fmt: skip
    assert (second["task-in-maintenance"], second["maintenance"]) == (True, True)
    shown = server.dokku("cron:list", app).stdout.splitlines()
    assert shown[0].split() == ["ID", "Schedule", "Concurrency", "Maintenance", "Command"]
    assert shown[1].split() == [first["id"], "@daily", "forbid", "false", "a", "b"]
    assert "true (task)" in shown[2]
    assert server.dokku("cron:report", app, "--cron-task-count").stdout == "2\n"
    assert len(lines(server)) == 1


def test_suspend_and_resume(server, app):
    give(server, app, {"command": "a", "schedule": "@daily"}, {"command": "b", "schedule": "@daily"})
    one = listed(server, app)[0]["id"]
    server.dokku("cron:suspend", app, one)
    assert len(lines(server)) == 1
    assert [task["maintenance"] for task in listed(server, app)] == [True, False]
    assert server.dokku("cron:report", app, f"--cron-maintenance-{one}").stdout == "true\n"
    server.dokku("cron:resume", app, one)
    assert len(lines(server)) == 2
    server.dokku("cron:set", app, f"maintenance.{one}", "true")
    assert len(lines(server)) == 1
    server.dokku("cron:set", app, f"maintenance.{one}")
    assert len(lines(server)) == 2


def test_a_suspended_task_stays_so_under_the_apps_new_name(server, leaving_app):
    give(server, leaving_app, {"command": "a", "schedule": "@daily"}, {"command": "b", "schedule": "@daily"})
    server.dokku("cron:suspend", leaving_app, listed(server, leaving_app)[0]["id"])
    server.dokku("apps:rename", leaving_app, f"{leaving_app}-new")
    found = [task["maintenance"] for task in listed(server, f"{leaving_app}-new")]
    server.dokku("apps:destroy", f"{leaving_app}-new", "--force")
    assert found == [True, False]


def test_maintenance_of_an_app_and_of_the_server(server, app):
    give(server, app, {"command": "a", "schedule": "@daily"})
    server.dokku("cron:set", app, "maintenance", "true")
    assert lines(server) == [] and "true (app)" in server.dokku("cron:list", app).stdout
    server.dokku("cron:set", app, "maintenance")
    server.dokku("cron:set", "--global", "maintenance", "true")
    here = lines(server)
    server.dokku("cron:set", app, "maintenance", "false")
    own = lines(server)
    server.dokku("cron:set", "--global", "maintenance")
    assert here == [] and len(own) == 1
    assert trigger(server, "cron-get-property", app, "maintenance").stdout == "false\n"


def test_mail(server, app):
    give(server, app, {"command": "a", "schedule": "@daily"})
    server.dokku("cron:set", "--global", "mailto", "ops@example.com")
    server.dokku("cron:set", "--global", "mailfrom", "Dokku <dokku@example.com>")
    text = run("crontab", "-u", server.user, "-l").stdout
    report = server.dokku("cron:report", app, "--cron-computed-mailto").stdout
    server.dokku("cron:set", "--global", "mailto")
    server.dokku("cron:set", "--global", "mailfrom")
    assert 'MAILFROM="Dokku <dokku@example.com>"\nMAILTO="ops@example.com"\n' in text
    assert report == "ops@example.com\n"
    assert "MAIL" not in run("crontab", "-u", server.user, "-l").stdout


def test_a_task_that_cron_could_not_take_stops_no_other(server, app):
    """Dokku, whose files an upgraded server has, checked schedules with another parser."""
    give(server, app, {"command": "a", "schedule": "@every 1h"}, {"command": "b"}, {"command": "c", "schedule": "@daily"})
    done = trigger(server, "scheduler-cron-write")
    assert len(lines(server)) == 1
    assert "is left out: invalid schedule" in done.stderr and "has no command or no schedule" in done.stderr


@pytest.mark.parametrize(
    "words, part",
    [
        (("cron:set", "APP", "mailto", "x"), "Property can only be specified globally"),
        (("cron:set", "--global", "maintenance.abc", "true"), "Task maintenance properties cannot be set globally"),
        (("cron:set", "APP", "maintenance.abc", "true"), "has no cron task abc"),
        (("cron:set", "APP", "maintenance", "maybe"), "Invalid maintenance specified"),
        (
            ("cron:set", "APP", "color", "red"),
            "Invalid property specified, valid properties include: mailfrom, mailto, maintenance",
        ),
        (("cron:set", "APP"), "No property specified"),
        (("cron:set", "--global", "mailto", "a\nb * * * *"), "Invalid mailto specified"),
        (("cron:suspend", "APP", "abc"), "has no cron task abc"),
        (("cron:resume", "APP", "abc"), "has no cron task abc"),
        (("cron:run", "APP", "abc"), "has no cron task abc"),
        (("cron:run", "APP", "abc", "--ttl-seconds", "0"), "--ttl-seconds must be a positive integer"),
        (("cron:run", "APP"), "Missing argument: <identity>"),
        (("cron:list", "APP", "--format", "xml"), 'Format must be "stdout" or "json"'),
    ],
)
def test_errors(server, app, words, part):
    done = server.dokku(*[app if word == "APP" else word for word in words], check=False)
    assert done.returncode == 1 and part in done.stderr


def test_tasks_of_plugins(server, app, add_plugin):
    entries = r"""#!/bin/bash
[[ "$1" == docker-local ]] || exit 0
echo '@daily;dokku things:renew;/var/log/dokku/things.log'

echo '*/7 * * * *;echo a \%'
echo
echo 'nonsense'
echo '@never;x'
echo '@daily;x;relative.log'
printf '@daily;x\001y\n'
"""
    add_plugin("h6things", {"cron-entries": entries})
    done = trigger(server, "cron-write")
    assert lines(server) == ["@daily dokku things:renew &>> /var/log/dokku/things.log", "*/7 * * * * echo a \\%"]
    assert done.stderr.count("leaving out a plugin's cron entry") == 4
    found = listed(server, "--global")
    assert [task["command"] for task in found] == ["dokku things:renew", "echo a \\%"]
    assert all(task["global"] for task in found)
    number = int(found[0]["id"], 36)
    assert (
        number.to_bytes((number.bit_length() + 7) // 8, "big")
        == b"@daily;;;dokku things:renew;;;/var/log/dokku/things.log"
    )


def test_a_bad_schedule_stops_the_deploy_before_the_build(server, app, tmp_path):
    files = {**web_app(), "app.json": '{\n"cron": [\n{"command": "x",\n "schedule": "* * * * * *"}]}'}
    done = server.push(make_repo(tmp_path / "repo", files), app, check=False)
    assert done.returncode
    assert "app.json line 4: cron[0].schedule is invalid" in done.stderr
    assert "Building" not in done.stderr


def test_debians_cron_runs_a_task(server, app, busybox_image, tmp_path):
    """The whole way: push, crontab, the real cron daemon, a container; and by hand with its exit status."""
    out = tmp_path / "out"
    out.mkdir()
    out.chmod(0o777)
    files = web_app()
    command = "sh -c 'echo \"$GREETING; 100%\" >>/out/ran'"
    failing = {"command": "sh -c 'exit 9'", "schedule": "@yearly"}
    files["app.json"] = json.dumps(
        {**json.loads(files["app.json"]), "cron": [{"command": command, "schedule": "* * * * *"}, failing]}
    )
    run("chmod", "o+x", *[path for path in tmp_path.parents if str(path).startswith("/tmp/")])
    server.dokku("config:set", "--no-restart", app, "GREETING=hello $(id)")
    server.dokku("docker-options:add", app, "run", f"-v {out}:/out")
    server.push(make_repo(tmp_path / "repo", files), app)
    assert len(lines(server)) == 2
    cron = subprocess.Popen(["cron", "-f"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # ends if one runs
    try:
        first, second = listed(server, app)
        assert server.dokku("cron:run", app, second["id"], check=False).returncode == 9
        wait_for((out / "ran").exists, 90)
        assert (out / "ran").read_text() == "hello $(id); 100%\n"
        server.dokku("cron:suspend", app, first["id"])
        server.dokku("cron:run", app, first["id"], "--detach")
        wait_for(lambda: (out / "ran").read_text().count("\n") >= 2, 30)
    finally:
        cron.terminate()
        cron.wait()


def wait_for(holds, seconds):
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.5)
