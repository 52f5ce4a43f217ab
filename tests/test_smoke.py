def test_server(server, busybox_image):
    assert server.dokku("version").stdout.startswith("dokku version 0.")
    assert server.ssh("version").stdout.startswith("dokku version 0.")
