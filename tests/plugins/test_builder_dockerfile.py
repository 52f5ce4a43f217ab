"""builder and builder-dockerfile: from a source to its image (commands-b.md 4 and 4.1)."""

import json

import pytest

from tests.apps import BUSYBOX, commit, make_app, make_repo, web_app
from tests.plugins.modules import plugin_module
from tests.server import run

options = plugin_module("builder-dockerfile", "options")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("--build-arg A=1 --no-cache", "--build-arg A=1 --no-cache"),
        ("--build-arg=A=1 -v /data:/data --target=x", "--build-arg=A=1 --target=x"),
        ("--volume=/:/x --link db:db -p 80:80", ""),
        ("-m 1g --file=/etc/passwd -f x --iidfile y", "-m 1g"),
        ("--secret id=a,env=B", "--secret id=a,env=B"),
        ("--build-arg", ""),
        ("--output=/etc --metadata-file=/x", ""),
    ],
)
def test_only_options_of_a_build_get_through(given, kept):
    assert options.allowed(given.split()) == kept.split()


def test_variables_that_the_build_takes_from_the_config():
    words = ["--build-arg", "A", "--build-arg=B", "--build-arg", "C=1", "--secret", "id=x,env=D", "--label", "E"]
    assert options.names_without_value(words) == ["A", "B", "D"]


@pytest.mark.parametrize(
    ("dockerfile", "maps"),
    [
        ("FROM x\nEXPOSE 3000\n", ["http:3000:3000"]),
        ("FROM x\nexpose 443\nEXPOSE 53/udp 99\n", ["https:443:443", "udp:53:53"]),
        ("FROM x\nEXPOSE 80/tcp\nEXPOSE 80\n", ["http:80:80"]),
        ("FROM x\nEXPOSE $PORT\nEXPOSE 80\n", []),
        ("FROM x\nEXPOSE 99999\n", []),
        ("# EXPOSE 80\nFROM x\n", []),
    ],
)
def test_exposed_ports(dockerfile, maps):
    assert options.port_maps(options.exposed(dockerfile)) == maps


def test_stages_and_protocols():
    assert options.has_stages("FROM a AS b\nCOPY . .\nFrom b\n") and not options.has_stages("FROM a\n# FROM b\n")
    assert [options.with_protocol(port) for port in ("80", "53/UDP")] == ["80/tcp", "53/udp"]


def test_labels_go_into_one_line_only_where_that_is_safe():
    flags = ["--label=a=1", "--label=b"]
    assert options.label_line("FROM x", flags, []) == 'FROM x\nLABEL a=1 b=""\n'
    assert options.label_line("FROM x", flags, ["--target=y"]) == ""
    assert options.label_line("FROM x\nRUN a \\\n", flags, []) == ""
    assert options.label_line("FROM x\nRUN <<E\na\nE\n", flags, []) == ""
    assert options.label_line("FROM x", ["--label=a=$(id) b"], []) == ""


def built(name):
    return json.loads(run("docker", "image", "inspect", f"dokku/{name}:latest").stdout)[0]["Config"]


def contents(name):
    return run("docker", "run", "--rm", f"dokku/{name}:latest", "ls", "-a", "/app").stdout.split()


def test_one_build_makes_the_release_image(server, app, tmp_path):
    files = web_app()
    files["Dockerfile"] = files["Dockerfile"].replace("CMD", "ARG WHO\nARG FIX\nENV SAID=$WHO-$FIX\nEXPOSE 5000\nCMD")
    server.dokku("apps:create", app)
    server.dokku("config:set", app, "WHO=me")
    server.dokku("docker-options:add", app, "build", "--build-arg WHO")
    server.dokku("docker-options:add", app, "build", "--build-arg FIX=1")
    server.dokku("docker-options:add", app, "build", "-v /tmp:/tmp")
    make_app(server, app, files, tmp_path)
    config = built(app)
    assert config["Labels"]["com.dokku.app-name"] == app
    assert config["Labels"]["com.dokku.image-stage"] == "release"
    assert config["Labels"]["com.dokku.builder-type"] == "dockerfile"
    assert "dokku" in config["Labels"]
    assert "SAID=me-1" in config["Env"]
    assert server.dokku("builder:report", app, "--builder-detected").stdout == "dockerfile\n"
    assert "http:5000:5000" in server.dokku("ports:report", app, "--ports-map-detected").stdout

    server.dokku("--force", "apps:destroy", app)
    assert run("docker", "image", "ls", "-q", "--filter", f"label=com.dokku.app-name={app}").stdout == ""


def test_a_stage_of_several_is_built_and_only_its_ports_count(server, app, tmp_path):
    files = web_app("of the stage")
    prod = files["Dockerfile"].replace(BUSYBOX, f"{BUSYBOX} AS prod") + "EXPOSE 5000\n"
    files["Dockerfile"] = (
        f"FROM {BUSYBOX} AS tools\nEXPOSE 9229\n{prod}FROM {BUSYBOX} AS dev\nEXPOSE 9000\nCMD false\n"
    )
    server.dokku("apps:create", app)
    server.dokku("docker-options:add", app, "build", "--target prod")
    make_app(server, app, files, tmp_path)
    assert server.dokku("ports:report", app, "--ports-map-detected").stdout == "http:5000:5000\n"


def test_build_dir_and_dockerfile_path(server, app, tmp_path):
    server.dokku("apps:create", app)
    server.dokku("builder:set", app, "build-dir", "./services/web/")
    server.dokku("builder-dockerfile:set", app, "dockerfile-path", "docker/Prod")
    files = {f"services/web/{name}": text for name, text in web_app().items()}
    files["services/web/docker/Prod"] = files.pop("services/web/Dockerfile")
    repo = make_repo(tmp_path / "repo", {**files, "outside": "x"})
    server.push(repo, app)
    assert "web.sh" in contents(app)
    assert "outside" not in contents(app)

    server.dokku("builder-dockerfile:set", app, "dockerfile-path", "nowhere")
    failed = server.push(repo, app, "HEAD:refs/heads/again", check=False)
    assert failed.returncode == 0  # not the deploy branch
    failed = server.dokku("ps:rebuild", app, check=False)
    assert "Invalid dockerfile-path specified: nowhere" in failed.stderr
    server.dokku("builder:set", app, "build-dir", "absent")
    failed = server.dokku("ps:rebuild", app, check=False)
    assert "Specified build-dir not found" in failed.stderr


def test_a_build_dir_that_leads_outside_is_refused(server, app, tmp_path):
    server.dokku("apps:create", app)
    assert server.dokku("builder:set", app, "build-dir", "../other", check=False).returncode == 1
    server.dokku("builder:set", app, "build-dir", "link")
    repo = make_repo(tmp_path / "repo", web_app())
    (repo / "link").symlink_to(server.root)
    commit(repo, {})
    failed = server.push(repo, app, check=False)
    assert failed.returncode == 1
    assert "Specified build-dir not found" in failed.stderr or "outside" in failed.stderr


def test_links_that_lead_out_of_the_source_are_not_followed(server, app, tmp_path):
    secret = server.base / "secret"
    secret.mkdir(exist_ok=True)
    (secret / "Dockerfile").write_text("SECRET WORD\n")
    run("chown", "-R", f"{server.user}:{server.user}", secret)
    repo = make_repo(tmp_path / "repo", {"README": "x"})
    (repo / "Dockerfile").symlink_to(secret / "Dockerfile")
    (repo / "elsewhere").symlink_to(secret)
    commit(repo, {})
    server.dokku("apps:create", app)
    server.dokku("builder:set", app, "selected", "dockerfile")
    for path in ("", "elsewhere/Dockerfile"):
        server.dokku("builder-dockerfile:set", app, "dockerfile-path", path)
        refused = server.push(repo, app, check=False)
        assert refused.returncode == 1
        assert "No Dockerfile found" in refused.stderr or "Invalid dockerfile-path" in refused.stderr
        assert "SECRET" not in refused.stderr
    assert (secret / "Dockerfile").read_text() == "SECRET WORD\n"


def test_detection(server, app, tmp_path):
    server.dokku("apps:create", app)
    source = tmp_path / "source"
    source.mkdir()
    source.chmod(0o755)
    tmp_path.chmod(0o755)

    def detected():
        answer = server.dokku("plugin:trigger", "builder-detect", app, str(source), check=False).stdout
        return answer.split("\n")[0]

    (source / "Dockerfile").write_text(f"FROM {BUSYBOX}\n")
    for parent in source.parents[:3]:
        parent.chmod(0o755)
    assert detected() == "dockerfile"
    (source / ".env").write_text("export BUILDPACK_URL=https://example.com/x\n")
    assert detected() != "dockerfile"
    (source / ".env").unlink()
    server.dokku("config:set", app, "BUILDPACK_URL=https://example.com/x")
    assert detected() != "dockerfile"
    server.dokku("builder:set", app, "selected", "null")
    assert detected() == "null"
    server.dokku("builder:set", app, "selected")
    assert server.dokku("builder:set", app, "detected", "x").returncode == 0
    assert server.dokku("builder:report", app, "--builder-detected").stdout == "\n"


def test_a_builder_that_nobody_is_stops_the_deploy(server, app, tmp_path):
    server.dokku("apps:create", app)
    server.dokku("builder:set", app, "selected", "wishful")
    failed = server.push(make_repo(tmp_path / "repo", web_app()), app, check=False)
    assert failed.returncode == 1
    assert "no plugin builds with wishful" in failed.stderr


def test_typing_of_images(server, app, busybox_image):
    server.dokku("apps:create", app)
    for trigger in ("builder-image-is-cnb", "builder-image-is-herokuish"):
        assert server.dokku("plugin:trigger", trigger, app, busybox_image).stdout == "false\n"
    dockerfile = f"FROM {busybox_image}\nLABEL io.buildpacks.stack.id=x\n"
    run("docker", "build", "-t", f"dokku/{app}:typed", "-", input=dockerfile)
    for trigger in ("builder-image-is-cnb", "builder-image-is-herokuish"):
        assert server.dokku("plugin:trigger", trigger, app, f"dokku/{app}:typed").stdout == "true\n"
