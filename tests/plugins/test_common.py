"""common: the standard commands (commands-b.md 19)."""

from tests.apps import make_app as push_app
from tests.apps import web_app
from tests.server import run


def test_urls_of_an_app(server, app):
    server.dokku("apps:create", app)
    server.dokku("domains:set", app, "b.example", "a.example")
    urls = server.dokku("urls", app).stdout.splitlines()
    assert [url.split("//")[1].split(":")[0] for url in urls] == ["a.example", "b.example"]
    assert server.dokku("url", app).stdout.strip() in urls
    assert server.dokku("urls", f"{app}-not", check=False).returncode == 20


def test_report_tells_of_the_server_and_of_an_app(server, app):
    server.dokku("apps:create", app)
    text = server.dokku("report").stdout
    for fact in ("uname", "memory", "disk utilization", "docker version", "dokku version", "dokku plugins"):
        assert f"-----> {fact}:" in text
    assert f"{app} app information" not in text
    assert f"=====> {app} app information" in server.dokku("report", app).stdout
    assert server.dokku("report", "--format", "json", check=False).returncode == 1
    assert server.dokku("report", f"{app}-not", check=False).returncode == 20


def test_a_deploy_is_remembered_and_cleanup_spares_what_runs(server, app, tmp_path):
    push_app(server, app, web_app(), tmp_path)
    assert (server.lib / "config/common" / app / "deployed").read_text() == "true"
    ended = run("docker", "run", "-d", "--label", "dokku", "--label", f"com.dokku.app-name={app}", f"dokku/{app}", "true")
    run("docker", "wait", ended.stdout.strip())
    running = run("docker", "ps", "-q", "--filter", f"label=com.dokku.app-name={app}").stdout
    assert server.dokku("cleanup", app).stdout == "-----> Cleaning up...\n"
    assert run("docker", "ps", "-aq", "--filter", f"id={ended.stdout.strip()}").stdout == ""
    assert run("docker", "ps", "-q", "--filter", f"label=com.dokku.app-name={app}").stdout == running
    assert run("docker", "image", "ls", "-q", f"dokku/{app}:v1").stdout != ""
