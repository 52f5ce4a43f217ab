"""registry: against a real registry on loopback (commands-b.md 13)."""

import json
from urllib.request import urlopen

import pytest

from tests.apps import make_repo, web_app


def tags(registry, repository):
    from urllib.request import Request

    request = Request(f"http://{registry}/v2/{repository}/tags/list", headers={"Authorization": "Basic dTpw"})
    return sorted(json.load(urlopen(request))["tags"])


def test_every_release_is_pushed_and_deployed_under_its_number(server, app, registry, tmp_path):
    server.dokku("apps:create", app)
    for key, value in (("server", registry), ("image-repo", f"team/{app}"), ("push-on-release", "true"),
                       ("push-extra-tags", "latest,stable")):  # fmt: skip
        server.dokku("registry:set", app, key, value)
    repo = make_repo(tmp_path / "repo", web_app())

    done = server.push(repo, app, check=False)
    assert done.returncode and f"cannot push {registry}/team/{app}:1" in done.stderr, done.stderr
    bad = server.dokku("registry:login", app, registry, "u", "wrong", check=False)
    assert bad.returncode == 1 and "cannot log in" in bad.stderr and "wrong" not in bad.stderr
    server.dokku("registry:login", "--password-stdin", app, registry, "u", input="p\n")
    server.push(repo, app)

    assert tags(registry, f"team/{app}") == ["1", "latest", "stable"]
    assert server.dokku("registry:report", app, "--registry-tag-version").stdout == "1\n"
    assert server.curl(f"{app}.test.example").stdout == "hello\n200"
    server.dokku("config:set", app, "A=1")
    assert tags(registry, f"team/{app}") == ["1", "2", "latest", "stable"]
    assert (server.lib / f"config/registry/{app}").stat().st_mode & 0o777 == 0o700
    server.dokku("registry:logout", app, registry)
    server.docker("rmi", f"{registry}/team/{app}:1", f"{registry}/team/{app}:2", f"team/{app}:1", f"team/{app}:2",
                  f"team/{app}:latest", check=False)  # fmt: skip


@pytest.mark.parametrize(
    ("words", "status", "why"),
    [
        (["registry:login", "--global"], 1, "Missing server argument"),
        (["registry:login", "--global", "x"], 1, "Missing username argument"),
        (["registry:login", "--global", "x", "u"], 1, "Missing password argument"),
        (["registry:login", "no-such-app", "x", "u", "p"], 20, "does not exist"),
        (["registry:login", "--nope"], 2, "unknown flag"),
        (["registry:logout"], 1, "Missing server argument"),
        (["registry:set", "APP", "push-on-release", "maybe"], 1, "Invalid push-on-release"),
        (["registry:set", "APP", "image-repo", "Not Valid"], 1, "Invalid image-repo"),
        (["registry:set", "APP", "server", "a b"], 1, "Invalid server"),
        (["registry:set", "--global", "image-repo", "x"], 1, "cannot be specified globally"),
        (["registry:set", "APP", "nope"], 1, "valid properties include"),
        (["registry:report", "APP", "--nope"], 1, "Invalid flag passed"),
    ],
)
def test_bad_input(server, app, words, status, why):
    server.dokku("apps:create", app)
    done = server.dokku(*(app if word == "APP" else word for word in words), check=False)
    assert done.returncode == status and why in done.stderr


def test_names_of_images(server, app):
    server.dokku("apps:create", app)
    report = lambda key: server.dokku("registry:report", app, f"--registry-computed-{key}").stdout.strip()  # noqa: E731
    assert report("image-repo") == f"dokku/{app}"
    server.dokku("registry:set", app, "image-repo-template", "team/{{ .AppName }}")
    assert report("image-repo") == f"team/{app}"
    server.dokku("registry:set", app, "image-repo-template", "{{ if .Bad }}")
    assert report("image-repo") == f"dokku/{app}"
    server.dokku("registry:set", app, "server", "hub.docker.com")
    assert report("server") == ""
    server.dokku("registry:set", app, "server", "registry.example.com")
    assert report("server") == "registry.example.com/"
