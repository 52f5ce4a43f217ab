"""An app's own nginx.conf.sigil, from its source to its vhost (commands-a.md 7.4)."""

import os

import places
import settings

from dokku_min.sdk import Failure, ask, files, log


def _fresh(app: str) -> str:
    return f"{places.data(app)}/nginx.conf.sigil.{os.environ['DOKKU_PID']}"


def extract(app: str, directory: str) -> None:
    """Try the template of the source being deployed, and keep it aside until promote(): a failed deploy changes nothing."""
    name = settings.effective(app, "nginx-conf-sigil-path")
    image = ask("git-get-property", app, "source-image")
    text = _in_image(image, name) if image else _in_tree(directory, name)
    files.make_dir(places.data(app))
    _drop_leftovers(app)
    if not text:
        files.write(f"{_fresh(app)}.missing", "")
        return
    files.write(_fresh(app), text)
    if settings.effective(app, "disable-custom-config") != "true":
        _try(app, name)


def _try(app: str, name: str) -> None:
    import vhosts

    try:
        vhosts.try_template(app, _fresh(app))
    except Failure as failure:
        raise Failure(f"Custom {name} failed: {failure.message}", failure.hint) from None


def _in_tree(directory: str, name: str) -> str:
    """The file's text; a link that leads out of the source is refused, it could show the server's own files."""
    path, root = os.path.realpath(f"{directory}/{name}"), os.path.realpath(directory)
    if not path.startswith(f"{root}/"):
        raise Failure(f"{name} leads out of the app's source", "make it a file of the repository")
    return files.read(path) if os.path.isfile(path) else ""


def _in_image(image: str, name: str) -> str:
    """The file in the image's working directory, out of a container that never runs; an image we lack has none."""
    from dokku_min import run

    status, base = run.answer("docker", "image", "inspect", "-f", "{{.Config.WorkingDir}}", "--", image, quiet=True)
    if status:
        return ""
    container = run.capture(f"look into {image}", "docker", "container", "create", "--", image, "true").strip()
    try:
        path = f"{container}:{base.strip().rstrip('/')}/{name}"
        status, packed = run.answer("docker", "container", "cp", "--follow-link", path, "-", quiet=True)
    finally:
        run.works("docker", "container", "rm", "--force", "--volumes", container)
    return "" if status else _unpacked(packed)


def _unpacked(packed: str) -> str:
    """The text of the one file that `docker cp` packs into a tar."""
    import io
    import tarfile

    with tarfile.open(fileobj=io.BytesIO(packed.encode("utf-8", "surrogateescape"))) as archive:
        member = archive.next()
        file = archive.extractfile(member) if member and member.isfile() else None
        return file.read().decode("utf-8", "surrogateescape") if file else ""


def _drop_leftovers(app: str) -> None:
    """Of deploys that ended before promote()."""
    for name in os.listdir(places.data(app)):
        if name.startswith("nginx.conf.sigil."):
            files.remove(f"{places.data(app)}/{name}")


def promote(app: str) -> None:
    """The deploy has succeeded: its template, or that it has none, holds from now on."""
    if os.path.exists(f"{_fresh(app)}.missing"):
        files.remove(f"{_fresh(app)}.missing")
        files.remove(f"{places.data(app)}/nginx.conf.sigil")
    elif os.path.exists(_fresh(app)):
        log.verbose("Using the app's own nginx.conf.sigil")
        os.rename(_fresh(app), f"{places.data(app)}/nginx.conf.sigil")


def copy(old: str, new: str) -> None:
    text = files.read(f"{places.data(old)}/nginx.conf.sigil")
    if text:
        files.make_dir(places.data(new))
        files.write(f"{places.data(new)}/nginx.conf.sigil", text)
