"""Every command of the manifests is called once as people call it: in a story, or in a test of its own.

Bad input of every command: test_bad_input.py.
"""

import ast
import shutil

import pytest

from tests import stories
from tests.apps import make_app, two_process_app
from tests.conftest import DOMAIN
from tests.server import CHECKOUT
from tests.test_manifests import DECLARED, MANIFESTS, TIERS

# what takes a repository, an archive, a registry, another user or a while: the test that calls it, and must find it works
ELSEWHERE = {
    "apps:clone": "plugins/test_apps.py::test_clone_and_rename_take_the_settings_along",
    "apps:rename": "plugins/test_apps.py::test_clone_and_rename_take_the_settings_along",
    "buildpacks:detect": "plugins/test_herokuish.py::test_buildpacks_detect",
    "certs:add": "plugins/test_certs.py::test_add_files",
    "certs:update": "plugins/test_certs.py::test_add_an_archive_and_update",
    "cron:resume": "plugins/test_cron.py::test_suspend_and_resume",
    "cron:run": "plugins/test_cron.py::test_debians_cron_runs_a_task",
    "cron:suspend": "plugins/test_cron.py::test_suspend_and_resume",
    "git:allow-host": "plugins/test_git.py::test_deploy_key_and_known_hosts",
    "git:from-archive": "plugins/test_git.py::test_archives_are_deployed",
    "git:from-image": "plugins/test_git.py::test_an_image_is_deployed",
    "git:generate-deploy-key": "plugins/test_git.py::test_deploy_key_and_known_hosts",
    "git:load-image": "plugins/test_git.py::test_an_image_is_deployed",
    "git:public-key": "plugins/test_git.py::test_deploy_key_and_known_hosts",
    "git:sync": "plugins/test_git.py::test_sync_follows_branches_tags_and_commits",
    "logs:vector-logs": "plugins/test_logs.py::test_the_vector_container",
    "logs:vector-start": "plugins/test_logs.py::test_the_vector_container",
    "logs:vector-stop": "plugins/test_logs.py::test_the_vector_container",
    "nginx:start": "plugins/test_nginx.py::test_stopped_it_stays_stopped_until_started",
    "nginx:stop": "plugins/test_nginx.py::test_stopped_it_stays_stopped_until_started",
    "plugin:disable": "test_plugin_manager.py::test_enable_and_disable",
    "plugin:enable": "test_plugin_manager.py::test_enable_and_disable",
    "plugin:install": "test_plugin_manager.py::test_from_git_with_the_install_hooks_of_all",
    "plugin:install-dependencies": "test_plugin_manager.py::test_hooks_alone",
    "plugin:new": "test_plugin_kit.py::test_installs_and_works",
    "plugin:test": "test_plugin_kit.py::test_passes_its_test_at_once",
    "plugin:uninstall": "test_plugin_manager.py::test_uninstall_tells_everybody_first",
    "plugin:update": "test_plugin_manager.py::test_pulls_and_fires_update",
    "ps:rebuild": "plugins/test_ps.py::test_rebuild_builds_the_stored_source_again",
    "ps:restart": "plugins/test_ps.py::test_stop_start_restart",
    "ps:restore": "plugins/test_ps.py::test_restore_makes_what_is_gone_and_points_the_proxy_at_it",
    "ps:start": "plugins/test_ps.py::test_stop_start_restart",
    "ps:stop": "plugins/test_ps.py::test_stop_start_restart",
    "registry:login": "plugins/test_registry.py::test_every_release_is_pushed_and_deployed_under_its_number",
    "registry:logout": "plugins/test_registry.py::test_every_release_is_pushed_and_deployed_under_its_number",
    "releases:rollback": "plugins/test_releases.py::test_every_deploy_is_a_release_and_one_can_go_back",
    "setup": "plugins/test_nginx.py::test_setup_again_changes_nothing",
    "ssh-keys:add": "plugins/test_ssh_keys.py::test_a_key_lets_in_until_it_is_removed",
    "ssh-keys:remove": "plugins/test_ssh_keys.py::test_a_key_lets_in_until_it_is_removed",
}


@pytest.fixture(scope="module")
def names(server, tmp_path_factory):
    """What the words in capitals of a story stand for: an app that runs, one that was never deployed, dokku's trees."""
    app, new = server.app("stories"), server.app("new")
    for name in (app, new):
        server.dokku("apps:destroy", name, "--force", check=False)
    server.dokku("apps:create", new)
    make_app(server, app, two_process_app("stories"), tmp_path_factory.mktemp("stories"))
    server.dokku("checks:set", app, "wait-to-retire", "1")
    yield {"APP": app, "NEW": new, "LIB": str(server.lib), "ROOT": str(server.root), "PORT": str(server.http_port),
           "REMOTE": server.remote("").rstrip("/")}  # fmt: skip
    for name in (app, new):
        server.dokku("apps:destroy", name, "--force")
    server.dokku("domains:set-global", DOMAIN)  # a story that broke off may have left another


@pytest.fixture
def directory(server, tmp_path):
    """Where a story is told; dokku's user must be able to read what is left there."""
    place = server.base / "story"
    place.mkdir()
    place.chmod(0o755)
    yield place
    shutil.rmtree(place)


@pytest.mark.parametrize("path", stories.STORIES, ids=lambda path: path.stem)
def test_story(server, names, directory, path):
    git = {"GIT_SSH_COMMAND": server.git_env()["GIT_SSH_COMMAND"]}
    for step in stories.steps(path):
        stories.run(step, names, {**server.env, **git}, directory)


def test_every_command_has_a_call_that_works():
    """Those of the manifests, and Dokku's that ours declare without a line in the help."""
    told = {name for path in stories.STORIES for step in stories.steps(path) if step.works() for name in step.commands()}
    wanted = {line.split()[0] for m in MANIFESTS.values() for line, text in m.get("commands", {}).items() if text}
    wanted |= set(TIERS) & DECLARED
    assert sorted(wanted - told - set(ELSEWHERE)) == []
    assert sorted(told & set(ELSEWHERE)) == [], "once is enough"


@pytest.mark.parametrize("command", ELSEWHERE)
def test_its_own_test_calls_it(command):
    file, _, name = ELSEWHERE[command].partition("::")
    module = ast.walk(ast.parse((CHECKOUT / "tests" / file).read_text()))
    function = next(node for node in module if isinstance(node, ast.FunctionDef) and node.name == name)
    assert any(_calls(node, command) for node in ast.walk(function)), f"{name} does not call {command} with success"


def _calls(node: ast.AST, command: str) -> bool:
    """dokku("COMMAND", ...), which raises when it fails, or the argv of a subprocess."""
    if isinstance(node, ast.Call) and not any(keyword.arg == "check" for keyword in node.keywords):
        return any(isinstance(word, ast.Constant) and word.value == command for word in node.args)
    return isinstance(node, ast.List) and any(isinstance(w, ast.Constant) and w.value == command for w in node.elts)
