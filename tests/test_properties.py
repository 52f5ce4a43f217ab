"""The property store: one file per value, byte for byte as Dokku keeps it."""

import os

import pytest

from dokku_min import files, paths, properties


@pytest.fixture(autouse=True)
def lib(tmp_path, monkeypatch):
    monkeypatch.setenv("DOKKU_LIB_ROOT", str(tmp_path))
    return tmp_path


def test_a_value_is_a_file_without_newline(lib):
    properties.put("nginx", "web", "port", "80")
    assert (lib / "config/nginx/web/port").read_bytes() == b"80"
    assert properties.get("nginx", "web", "port") == "80"
    assert properties.get("nginx", "web", "none", "d") == "d"
    assert properties.exists("nginx", "web", "port")
    assert properties.delete("nginx", "web", "port") is True
    assert properties.delete("nginx", "web", "port") is False


def test_a_list_is_lines(lib):
    properties.put_list("domains", "web", "names", ["a", "b c", ""])
    assert (lib / "config/domains/web/names").read_text() == "a\nb c\n\n"
    assert properties.get_list("domains", "web", "names") == ["a", "b c", ""]
    properties.put_list("domains", "web", "names", [])
    assert not properties.exists("domains", "web", "names")
    assert properties.get_list("domains", "web", "names") == []


def test_effective_is_own_then_global_then_default():
    assert properties.effective("p", "web", "k", "d") == "d"
    properties.put("p", "--global", "k", "g")
    assert properties.effective("p", "web", "k", "d") == "g"
    properties.put("p", "web", "k", "own")
    assert properties.effective("p", "web", "k", "d") == "own"


def test_clone_and_destroy():
    properties.put("p", "web", "a", "1")
    properties.put_list("p", "web", "b", ["x", "y"])
    properties.clone("p", "web", "copy")
    assert properties.keys("p", "copy") == ["a", "b"]
    assert properties.get_list("p", "copy", "b") == ["x", "y"]
    properties.destroy("p", "copy")
    assert not os.path.exists(paths.property_dir("p", "copy"))
    properties.destroy("p", "copy")
    properties.clone("p", "absent", "x")


@pytest.mark.parametrize("key", ["", ".", "..", "a/b", "../../x"])
def test_a_key_never_leaves_its_directory(key):
    with pytest.raises(ValueError):
        properties.put("p", "web", key, "x")


def test_temp_files_of_a_killed_writer_are_no_keys(lib):
    properties.put("p", "web", "a", "1")
    (lib / "config/p/web/.b.new").write_text("half")
    assert properties.keys("p", "web") == ["a"]


def test_editing_excludes_other_editors(lib):
    with properties.editing("p", "web"):
        files.write(f"{lib}/config/p/web/a", "1")
    assert properties.get("p", "web", "a") == "1"
