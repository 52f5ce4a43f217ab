"""Ten deploys in a row under load: not one request is lost, neither quick ones nor slow ones that are under way."""

import http.client
import threading
import time

from tests.apps import commit, make_repo, web_app
from tests.e2e.observe import serves, url

DEPLOYS = 10
SLOW = "#!/bin/sh\nsleep 1\nprintf 'Content-Type: text/plain\\r\\n\\r\\nslow'\n"


class Load(threading.Thread):
    """Keeps requesting a path, a new connection each time, until stopped; remembers what went wrong."""

    def __init__(self, server, host, path, expected, pause=0.01):
        super().__init__(daemon=True)
        self.port, self.host, self.path, self.expected, self.pause = server.http_port, host, path, expected, pause
        self.count, self.failures, self.running = 0, [], True

    def run(self):
        while self.running:
            self.count += 1
            try:
                status, body = self.get()
                if status != 200 or not self.expected(body):
                    self.failures.append((status, body[:80]))
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
            time.sleep(self.pause)

    def get(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", self.path, headers={"Host": self.host})
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()


def test_ten_deploys_lose_no_request(server, app, busybox_image, tmp_path):
    files = {**web_app("version 0"), "www/cgi-bin/slow": SLOW}
    files["Dockerfile"] += "RUN chmod +x /app/www/cgi-bin/slow\n"
    repo = make_repo(tmp_path / "repo", files)
    server.push(repo, app)
    host = url(server, app)
    quick = [Load(server, host, "/", lambda body: body.startswith("version ")) for _ in range(2)]
    slow = [Load(server, host, "/cgi-bin/slow", lambda body: body == "slow") for _ in range(2)]
    for load in (*quick, *slow):
        load.start()
    for number in range(1, DEPLOYS + 1):
        commit(repo, {"www/index.html": f"version {number}"})
        server.push(repo, app)
        serves(server, app, f"version {number}")
    time.sleep(3)  # the last old container's grace period
    for load in (*quick, *slow):
        load.running = False
    for load in (*quick, *slow):
        load.join()
    assert sum(load.count for load in quick) > 300 and sum(load.count for load in slow) > 20
    assert [failure for load in (*quick, *slow) for failure in load.failures] == []
