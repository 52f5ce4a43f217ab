"""events and trace (commands-b.md 18)."""


def test_triggers_are_logged_only_while_it_is_on(server, app):
    log = server.base / "log/events.log"
    log.unlink(missing_ok=True)
    assert server.dokku("events").stdout == ""
    assert "Events logger disabled" in server.dokku("events:list").stderr
    server.dokku("events:on")
    try:
        server.dokku("apps:create", app)
        said = server.dokku("events").stdout
        assert f"INVOKED: post-create( {app} )" in said and "DOKKU_PID=" in said
        assert "post-deploy" in server.dokku("events:list").stdout
    finally:
        server.dokku("events:off")
    before = log.read_text()
    server.dokku("apps:destroy", app, "--force")
    assert log.read_text() == before
    assert not (server.lib / "plugins/enabled/20_events").exists()


def test_setup_keeps_the_logger_as_it_was(server):
    server.dokku("setup")
    assert not (server.lib / "plugins/enabled/20_events").exists()
    server.dokku("events:on")
    server.dokku("setup")
    assert (server.lib / "plugins/enabled/20_events").exists()
    server.dokku("events:off")


def test_trace_shows_the_hooks_of_every_command_until_it_is_off(server, app):
    assert server.dokku("trace:on").stdout == "-----> Enabling trace mode\n"
    setting = server.root / ".dokkurc/DOKKU_TRACE"
    try:
        assert setting.read_text() == "export DOKKU_TRACE=1\n"
        assert f" ?     post-create {app} (domains)\n" in server.dokku("apps:create", app).stderr
    finally:
        assert server.dokku("trace:off").stdout == "-----> Disabling trace mode\n"
    assert not setting.exists()
    assert " ?     " not in server.dokku("apps:report", app).stderr
