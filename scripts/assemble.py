"""Put the file together: assemble.py VENV WORKDIR OUTPUT. Called by scripts/build, which prepares VENV."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

EPOCH = (1980, 1, 1, 0, 0, 0)
RUNTIME = ("plumbum", "typing_extensions.py")  # what travels in the file; the latter is plumbum's, below Python 3.13
HEADER = """#!/bin/sh
# dokku_min, one file: this line finds its unpacked tree, the rest is a zip archive (run me as root once to unpack)
tree=/usr/lib/dokku/@BUILD@
[ -f $tree/.complete ] && exec /usr/bin/python3 -ISXutf8 $tree/dokku_min/start.py "$0" "$@"
[ -x /usr/bin/python3 ] && exec /usr/bin/python3 -ISXutf8 "$0" "$@"
echo " !     dokku needs python3: apt-get install python3" >&2; exit 1
"""


def main() -> None:
    venv, work, output = map(Path, sys.argv[1:])
    site = work / "site"
    installed = next(venv.glob("lib/python3*/site-packages"))
    for source in (*(installed / name for name in RUNTIME), Path("dokku_min"), Path("plugins")):
        if source.is_dir():
            shutil.copytree(source, site / source.name, ignore=shutil.ignore_patterns("__pycache__", "*.pyc", "*.pyi"))
        else:
            shutil.copy(source, site)
    build = _digest([*sorted(p for p in site.rglob("*") if p.is_file()), Path("scripts/zip_main.py"), Path(__file__)], site)
    packed = work / "packed"
    shiv = [venv / "bin/python", "-m", "shiv", "--site-packages", site, "-e", "dokku_min.__main__:main", "--reproducible",
            "--build-id", build, "-p", "/usr/bin/python3 -IS", "-o", packed]  # fmt: skip
    subprocess.run([str(word) for word in shiv], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    output.parent.mkdir(parents=True, exist_ok=True)
    fresh = output.with_name(f".{output.name}.new")
    _rewrite(packed, fresh, build)
    fresh.chmod(0o755)
    fresh.replace(output)


def _digest(paths: list[Path], site: Path) -> str:
    total = hashlib.sha256()
    for path in paths:
        name = path.relative_to(site) if path.is_relative_to(site) else path.name
        total.update(f"{name} {path.stat().st_mode & 0o100:o} {path.stat().st_size}\n".encode() + path.read_bytes())
    return total.hexdigest()[:16]


def _rewrite(packed: Path, output: Path, build: str) -> None:
    """shiv's archive with our own first step: its bootstrap would cost 35 ms of imports on every start."""
    step = Path("scripts/zip_main.py").read_text().replace("@BUILD@", build)
    with open(output, "wb") as file:
        file.write(HEADER.replace("@BUILD@", build).encode())
        with zipfile.ZipFile(packed) as source, zipfile.ZipFile(file, "a", zipfile.ZIP_DEFLATED, compresslevel=9) as target:
            for item in sorted(source.infolist(), key=lambda i: i.filename):
                if item.filename.startswith("_bootstrap/") or item.is_dir():
                    continue
                data = step.encode() if item.filename == "__main__.py" else source.read(item)
                entry = zipfile.ZipInfo(item.filename, EPOCH)
                entry.external_attr = (0o100755 if item.external_attr >> 16 & 0o100 else 0o100644) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                target.writestr(entry, data)


if __name__ == "__main__":
    os.umask(0o022)
    main()
