"""docs/triggers.md: its table is what code and manifests say, its order what a real server does."""

import re
import runpy
from types import SimpleNamespace

import pytest

from tests.apps import make_app, two_process_app
from tests.journal import Journal
from tests.server import CHECKOUT

DOC = (CHECKOUT / "docs/triggers.md").read_text()
HINT = "add it to plugins/plugin/triggers.toml and run scripts/triggers"


@pytest.fixture(scope="module")
def script():
    return SimpleNamespace(**runpy.run_path(str(CHECKOUT / "scripts/triggers")))


def test_every_trigger_of_ours_is_known(script):
    known = script.known()
    assert {name: who for name, who in script.fired().items() if name not in known} == {}, HINT
    assert {name: who for name, who in script.answered().items() if name not in known} == {}, HINT


def test_the_table_is_up_to_date(script):
    table = DOC.partition(script.BEGIN)[2].partition(script.END)[0]
    assert table.splitlines() == script.table().splitlines(), "run scripts/triggers"


def test_to_answer_a_trigger_or_to_list_it_is_not_to_fire_it(script):
    fired = script.fired()
    assert [fired[name] for name in ("update", "deploy", "post-delete", "scheduler-run", "git-pre-pull")] == [
        {"plugin"}, {"common", "ps"}, {"apps"}, {"cron", "run"}, {"git"},
    ]  # fmt: skip


def test_hooks_that_plugins_rely_on_are_fired(script):
    """Of Dokku's triggers those stay unfired whose schedulers and proxies are not here, and those that others fire."""
    fired = script.fired()
    for name in ("post-create", "pre-delete", "post-delete", "post-extract", "pre-receive-app", "pre-build", "post-build",
                 "pre-release-builder", "post-release-builder", "pre-deploy", "docker-args-build", "docker-args-deploy",
                 "docker-args-run", "check-deploy", "post-deploy", "pre-start", "post-stop", "pre-restore", "cron-entries",
                 "post-config-update", "post-domains-update", "nginx-pre-reload", "user-auth", "user-auth-app", "install",
                 "update", "uninstall", "dependencies", "receive-branch", "git-pre-pull", "git-post-pull",
                 "post-app-clone-setup", "post-app-clone", "post-app-rename-setup", "post-app-rename", "app-urls",
                 "post-certs-update", "post-certs-remove", "nginx-hostname", "post-container-create"):  # fmt: skip
        assert name in fired


def documented():
    """{command: lines} of the section on order."""
    section = DOC.partition("## In order\n")[2]
    return {
        title: text.splitlines()
        for title, text in re.findall(r"^### `(.*?)`\n\n```text\n(.*?)^```$", section, re.M | re.S)
    }


def test_order_and_arguments_are_what_a_server_does(server, script, busybox_image, tmp_path):
    app, new, clone = (server.app(f"order{n}") for n in ("", "-new", "-clone"))
    real = {}
    try:
        with Journal(server) as journal:
            names = {app: "APP", new: "NEW", clone: "NEW"}

            def step(title, act, **others):
                act()
                real[title] = journal.take(others or names)

            step("apps:create APP", lambda: server.dokku("apps:create", app))
            step("git push", lambda: make_app(server, app, two_process_app(), tmp_path))
            step("config:set APP KEY=value", lambda: server.dokku("config:set", app, "KEY=value"))
            step("ps:scale APP worker=1", lambda: server.dokku("ps:scale", app, "worker=1"))
            step("ps:scale APP worker=0", lambda: server.dokku("ps:scale", app, "worker=0"))
            step("domains:add APP shop.example.com", lambda: server.dokku("domains:add", app, "shop.example.com"))
            step("apps:rename APP NEW", lambda: server.dokku("apps:rename", app, new))
            step("apps:clone APP NEW", lambda: server.dokku("apps:clone", new, clone), **{new: "APP", clone: "NEW"})
            step("ps:stop APP", lambda: server.dokku("ps:stop", new), **{new: "APP"})
            step("ps:start APP", lambda: server.dokku("ps:start", new), **{new: "APP"})
            step("apps:destroy APP --force", lambda: server.dokku("apps:destroy", new, "--force"), **{new: "APP"})
    finally:
        for name in (app, new, clone):
            server.dokku("apps:destroy", name, "--force", check=False)
    assert {f"{name} with {count}" for name, count in journal.heard if not fits(script.known()[name][1], count)} == set()
    (tmp_path / "order.md").write_text(as_text(real))
    assert as_text(real) == as_text(documented()), f"docs/triggers.md shows another order than {tmp_path}/order.md"


def fits(arguments, count):
    """May a trigger that the table gives these arguments have so many? Those in brackets and lists may be left out."""
    depth, least = 0, 0
    for word in arguments.split():
        depth += word.count("[")
        least += depth == 0 and not word.endswith("...")
        depth -= word.count("]")
    return least <= count and ("..." in arguments or count <= len(arguments.split()))


def as_text(sections):
    return "\n".join(
        f"### `{title}`\n\n```text\n" + "".join(f"{line}\n" for line in lines) + "```\n"
        for title, lines in sections.items()
    )
