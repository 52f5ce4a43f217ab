import pytest

from dokku_min import names
from dokku_min.errors import Failure


@pytest.mark.parametrize(("name", "new", "old"), [
    ("web", True, True), ("a", True, True), ("0", True, True), ("my-app", True, True), ("my.app", True, True),
    ("a" * 100, True, True), ("a" * 101, False, True), ("my_app", False, True), ("a-", False, True),
    ("a..b", False, True), ("a.-b", False, True), ("a.", False, True),
    ("", False, False), ("Web", False, False), ("-a", False, False), (".a", False, False), ("_a", False, False),
    ("a/b", False, False), ("../x", False, False), ("a b", False, False), ("a\n", False, False), ("a;id", False, False),
    ("$(id)", False, False), ("--global", False, False), ("é", False, False), ("a\0b", False, False),
    ("a'b", False, False),
])  # fmt: skip
def test_app_names(name, new, old):
    assert names.is_new_app_name(name) is new
    assert names.is_app_name(name) is old


@pytest.mark.parametrize(("name", "valid"), [
    ("A", True), ("_a1", True), ("a_B", True), ("", False), ("1a", False), ("a-b", False), ("a=b", False), ("a b", False),
    ("a\n", False), ("é", False), ("$(id)", False),
])  # fmt: skip
def test_env_keys(name, valid):
    assert names.is_env_key(name) is valid


@pytest.mark.parametrize(("name", "valid"), [
    ("web", True), ("Web_1-x", True), ("a" * 63, True), ("a" * 64, False), ("", False), ("-a", False), ("a.b", False),
    ("a/b", False), ("a b", False),
])  # fmt: skip
def test_process_types(name, valid):
    assert names.is_process_type(name) is valid


@pytest.mark.parametrize(
    ("name", "valid"), [("20_events", True), ("a-b", True), ("-a", False), ("a/b", False), ("..", False)]
)
def test_plugin_names(name, valid):
    assert names.is_plugin_name(name) is valid


def test_a_bad_name_says_what_is_allowed():
    with pytest.raises(Failure, match="lowercase alphanumeric"):
        names.check_new_app("Web")
    with pytest.raises(Failure, match="specify an app"):
        names.check_new_app("")


def test_all_apps_are_directories_with_app_names(tmp_path, monkeypatch):
    monkeypatch.setenv("DOKKU_ROOT", str(tmp_path))
    for name in ("web", "api", ".ssh", "Not", "old_name"):
        (tmp_path / name).mkdir()
    (tmp_path / "file").write_text("")
    assert names.all_apps() == ["api", "old_name", "web"]
    monkeypatch.setenv("DOKKU_ROOT", str(tmp_path / "none"))
    assert names.all_apps() == []
