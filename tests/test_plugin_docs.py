"""The plugins in docs/plugins.md are complete: written to disk as they stand there, they install, work and pass plugin:test."""  # noqa: E501

import re
import subprocess

import pytest

from tests.tree import CHECKOUT, Tree, executable

DOC = (CHECKOUT / "docs/plugins.md").read_text()
FILE = re.compile(r"^`([\w./-]+)`\n\n```\w+\n(.*?)^```$", re.M | re.S)


def example(heading):
    """{file name: text} of the section below a heading."""
    section = re.split(r"^##+ ", DOC.split(f"{heading}\n", 1)[1], maxsplit=1, flags=re.M)[0]
    return dict(FILE.findall(section))


@pytest.fixture
def tree(tmp_path):
    made = Tree(tmp_path)
    made.bundled("plugin", "common", "config", "apps")
    made.app("blog")
    return made


def write(directory, files):
    directory.mkdir()
    for name, text in files.items():
        executable(directory / name, text)
    return directory


def install(tree, directory):
    for words in (["init", "-q"], ["add", "-A"], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "x"]):
        subprocess.run(["git", "-C", directory, *words], check=True)
    return tree.dokku("plugin:install", f"file://{directory}", timeout=300)


@pytest.mark.parametrize("language, heading", [("bash", "## In bash"), ("go", "## In Go"), ("python", "## In Python")])
def test_examples(tree, tmp_path, language, heading):
    files = example(heading)
    for name, text in files.items():
        assert text == (CHECKOUT / f"plugins/plugin/templates/{language}/{name}").read_text(), (
            "it is what plugin:new writes"
        )
    done = install(tree, write(tmp_path / "dokku-greet", files))
    assert done.returncode == 0, done.stderr
    assert tree.dokku("greet:set", "blog", "good morning").returncode == 0
    assert tree.dokku("greet:hello", "blog").stdout == "-----> good morning, blog\n"
    assert tree.plugn("trigger", "post-deploy", "blog", "5000", "", "latest").stdout == "-----> good morning, blog\n"
    assert tree.dokku("greet:hello", "none").returncode == 20
    assert tree.dokku("plugin:test", str(tmp_path / "dokku-greet"), timeout=300).returncode == 0


def test_python_with_packages_of_its_own(tree, tmp_path):
    directory = write(tmp_path / "dokku-greet", example("### With packages of its own"))
    done = install(tree, directory)
    assert done.returncode == 0, done.stderr
    assert tree.dokku("greet:hello", "blog").stdout == "-----> hello, blog, from venv\n"
    assert tree.plugn("trigger", "post-deploy", "blog").stdout == "-----> hello, blog, from venv\n"
    assert tree.dokku("greet:hello", "none").returncode == 20
    subprocess.run([directory / "install"], check=True)
    assert tree.dokku("plugin:test", str(directory)).returncode == 0


def test_the_manifest_that_is_explained_can_be_read():
    import tomllib

    text = re.search(r"^### Manifest\n\n```toml\n(.*?)^```$", DOC, re.M | re.S)[1]
    assert set(tomllib.loads(text)) == {"plugin", "commands", "requires"}
