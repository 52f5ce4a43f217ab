"""Tiny apps to deploy: sources as {file name: text}, git repositories made of them, and the image they stand on."""

import io
import json
import os
import subprocess
import tarfile
from pathlib import Path

from tests.server import Server, run

BUSYBOX = "dokku-test/busybox"
STARTUP = {"type": "startup", "name": "answers", "path": "/", "attempts": 20, "wait": 1, "timeout": 2}
SERVE = "exec httpd -f -p ${PORT:-5000} -h /app/www\n"


def import_busybox() -> None:
    """Make the BUSYBOX image, unless it is there: /bin/busybox under all its names, /etc/passwd and /tmp."""
    if run("docker", "image", "inspect", BUSYBOX, check=False).returncode == 0:
        return
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w") as tar:
        tar.add(os.path.realpath("/usr/bin/busybox"), "bin/busybox")
        for name in run("busybox", "--list").stdout.split():
            if name != "busybox":
                link = tarfile.TarInfo(f"bin/{name}")
                link.type, link.linkname = tarfile.SYMTYPE, "busybox"
                tar.addfile(link)
        for name, data in (("etc/passwd", b"root:x:0:0::/root:/bin/sh\n"), ("etc/group", b"root:x:0:\n")):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        for name, mode in (("tmp", 0o1777), ("root", 0o700), ("app", 0o755)):
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, mode
            tar.addfile(entry)
    argv = ["docker", "import", "-c", "ENV PATH=/bin", "-c", 'CMD ["sh"]', "-c", "WORKDIR /app", "-", BUSYBOX]
    subprocess.run(argv, input=packed.getvalue(), check=True, capture_output=True)


def web_app(text: str = "hello", **checks: object) -> dict[str, str]:
    """An app whose web process serves text at / on $PORT, healthy as soon as it answers."""
    return {
        "Dockerfile": f'FROM {BUSYBOX}\nCOPY . /app\nWORKDIR /app\nCMD ["sh", "/app/web.sh"]\n',
        "web.sh": SERVE,
        "www/index.html": text,
        "app.json": json.dumps({"healthchecks": {"web": [{**STARTUP, **checks}]}}),
    }


def two_process_app(text: str = "hello") -> dict[str, str]:
    """web as above, and a worker that only lives; formation web=1 worker=0 until it is scaled."""
    checks = {"web": [STARTUP], "worker": [{"type": "startup", "name": "up", "uptime": 1}]}
    return {
        **web_app(text),
        "Procfile": "web: sh /app/web.sh\nworker: sh /app/worker.sh\n",
        "worker.sh": "echo worker started\nwhile :; do sleep 1; done\n",
        "app.json": json.dumps({"healthchecks": checks}),
    }


def failing_build(text: str = "broken") -> dict[str, str]:
    """docker build ends with an error after saying why."""
    files = web_app(text)
    files["Dockerfile"] += "RUN echo no compiler in sight && exit 3\n"
    return files


def failing_check(text: str = "unhealthy") -> dict[str, str]:
    """It builds and runs, but its health check never passes."""
    return web_app(text, path="/not-there", attempts=2)


def make_repo(directory: Path, files: dict[str, str]) -> Path:
    """A git repository in directory with one commit of files."""
    directory.mkdir(parents=True, exist_ok=True)
    run("git", "init", "-q", "-b", "main", directory)
    commit(directory, files)
    return directory


def commit(repo: Path, files: dict[str, str]) -> str:
    """Commit files on top of what is there; returns the revision."""
    for name, text in files.items():
        path = repo / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git = ("git", "-C", repo, "-c", "user.name=t", "-c", "user.email=t@example.com")
    run(*git, "add", "-A")
    run(*git, "commit", "-q", "--allow-empty", "-m", "change")
    return run("git", "-C", repo, "rev-parse", "HEAD").stdout.strip()


def make_app(server: Server, name: str, files: dict[str, str], directory: Path) -> Path:
    """Push files as a new app, over ssh, and return its repository in directory."""
    import_busybox()
    repo = make_repo(directory / name, files)
    server.push(repo, name)
    return repo
