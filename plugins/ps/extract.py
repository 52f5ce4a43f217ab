"""The Procfile of the source that is being deployed (commands-b.md 1.5, "Extraction detail").

While a deploy runs its Procfile lies beside the last good one, with the pid of the deploy in its name; a deploy that
succeeds puts it in place, one that fails or is killed leaves the old one in force.
"""

import os

import procfile

from dokku_min import run
from dokku_min.sdk import Failure, ask, files, paths, properties


def path(app):
    return f"{paths.data_dir('ps', app)}/Procfile"


def _mine(app):
    return f"{path(app)}.{os.environ.get('DOKKU_PID', '0')}"


def text(app):
    """The Procfile in force for this process: the one being deployed, else the last good one; "" for none."""
    if os.path.exists(f"{_mine(app)}.missing"):
        return ""
    return files.read(_mine(app)) or files.read(path(app))


def extract(app, source):
    """Check the source's Procfile and put it beside the old one."""
    forget_leftovers(app)
    files.make_dir(paths.data_dir("ps", app))
    wanted = properties.effective("ps", app, "procfile-path", "Procfile").strip("/")
    found = _from_image(app, wanted) if ask("git-get-property", app, "source-image") else _from_tree(source, wanted)
    if found is None:
        files.write(f"{_mine(app)}.missing", "")
        return
    found = found.replace("\r\n", "\n")
    procfile.parse(found)
    files.write(_mine(app), found if found.endswith("\n") else f"{found}\n")


def _from_tree(source, wanted):
    place = os.path.realpath(f"{source}/{wanted}")
    if not place.startswith(os.path.realpath(source) + "/"):
        raise Failure(f"the Procfile path {wanted} leads outside of the source", "see `dokku ps:report`")
    if not os.path.isfile(place):
        return None
    with open(place, encoding="utf-8", errors="surrogateescape", newline="") as file:
        return file.read()


def _from_image(app, wanted):
    """The file in the image's working directory, read out of a container that never runs."""
    import io
    import tarfile

    image = ask("git-get-property", app, "source-image")
    status, base = run.answer("docker", "image", "inspect", "-f", "{{.Config.WorkingDir}}", "--", image, quiet=True)
    if status:
        return None
    container = run.capture("look into the image", "docker", "container", "create", "--", image, "true").strip()
    try:
        process = ("docker", "container", "cp", f"{container}:{base.strip() or '/'}/{wanted}", "-")
        status, archive = run.answer(*process, quiet=True)
    finally:
        run.works("docker", "container", "rm", container)
    if status:
        return None
    with tarfile.open(fileobj=io.BytesIO(archive.encode("utf-8", "surrogateescape"))) as tar:
        member = next((m for m in tar if m.isfile()), None)
        return tar.extractfile(member).read().decode("utf-8", "surrogateescape") if member else None


def put(app, text):
    """Make text the app's Procfile; "" takes it away."""
    if text:
        files.make_dir(paths.data_dir("ps", app))
        files.write(path(app), text)
    else:
        files.remove(path(app))


def promote(app):
    """The deploy went well: its Procfile is the app's now."""
    if os.path.exists(f"{_mine(app)}.missing"):
        files.remove(path(app))
    elif os.path.exists(_mine(app)):
        os.rename(_mine(app), path(app))
        files.sync_directory(paths.data_dir("ps", app))
    forget_leftovers(app)


def forget_leftovers(app):
    """Files of deploys that failed or were killed; the caller holds the app's lock, so none is running."""
    base = paths.data_dir("ps", app)
    for name in os.listdir(base) if os.path.isdir(base) else ():
        if name.startswith(("Procfile.", ".Procfile")):
            files.remove(f"{base}/{name}")
