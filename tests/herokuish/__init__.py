"""An image that honours the herokuish contract, made here: Debian's smallest system, python3, git, and our own scripts."""

import os
import shutil
import subprocess
import tempfile
import zlib
from pathlib import Path

from tests.server import run

IMAGE = "dokku-test/herokuish"
DEBIAN = "dokku-test/debian"  # the system alone, which takes half a minute to fetch and unpack
HERE = Path(__file__).parent


def import_herokuish() -> str:
    """The name of the image, which is made anew when our scripts have changed."""
    parts = [path for path in sorted(HERE.rglob("*")) if path.is_file() and path.suffix not in (".py", ".pyc")]
    tag = f"{IMAGE}:{zlib.crc32(b''.join(path.read_bytes() for path in parts)):08x}"
    if run("docker", "image", "inspect", tag, check=False).returncode:
        _import_debian()
        _add_scripts(tag)
    return tag


def _import_debian() -> None:
    if run("docker", "image", "inspect", DEBIAN, check=False).returncode == 0:
        return
    root = tempfile.mkdtemp(prefix="herokuish-")
    try:
        run("debootstrap", "--variant=minbase", "--include=python3,git", "bookworm", root)
        shutil.rmtree(f"{root}/var/cache/apt/archives")
        argv = ["tar", "-C", root, "--exclude=./proc/*", "--exclude=./sys/*", "-c", "."]
        tar = subprocess.Popen(argv, stdout=subprocess.PIPE)
        subprocess.run(["docker", "import", "-", DEBIAN], stdin=tar.stdout, check=True, capture_output=True)
    finally:
        shutil.rmtree(root, ignore_errors=True)


def _add_scripts(tag: str) -> None:
    dockerfile = f"""FROM {DEBIAN}
COPY herokuish /bin/herokuish
COPY buildpacks /tmp/buildpacks
RUN useradd --uid 32767 --home-dir /app --create-home herokuishuser \\
 && for name in build start exec; do ln -s /bin/herokuish /$name; done
"""
    with tempfile.TemporaryDirectory() as context:
        shutil.copytree(HERE, context, dirs_exist_ok=True)
        Path(context, "Dockerfile").write_text(dockerfile)
        run("docker", "image", "build", "--quiet", "--tag", tag, context, env={**os.environ, "DOCKER_BUILDKIT": "0"})
