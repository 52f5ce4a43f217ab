"""Which log driver the containers of an app get: docker takes max-size only for some of them."""

import os

from dokku_min import run
from dokku_min.sdk import ask, files, paths, words


def of(app):
    """The one of the app's docker options, else the engine's default."""
    return _of_options(app) or _of_engine()


def _of_options(app):
    found = ""
    for option in ask("docker-options-list", app, "deploy").splitlines():
        tokens = words.split(option)
        flag, _, value = tokens[0].partition("=")
        if flag == "--log-driver":
            found = value or " ".join(tokens[1:2])
    return found


def _of_engine():
    """Asked once after each start of the engine, since docker-args-* are asked for every container."""
    started = _started()
    path = f"{paths.data_dir('logs')}/.log-driver"
    known = files.read(path).split()
    if len(known) == 2 and known[0] == started:
        return known[1]
    status, name = run.answer("docker", "info", "--format", "{{.LoggingDriver}}", quiet=True)
    name = name.strip()
    if status == 0 and name:
        files.make_dir(os.path.dirname(path))
        files.write(path, f"{started} {name}\n")
    return name


def _started():
    for path in ("/var/run/docker.pid", "/var/run/docker.sock"):
        try:
            return str(os.stat(path).st_mtime_ns)
        except OSError:
            continue
    return "-"
