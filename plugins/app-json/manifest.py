"""The app.json of an app: taken out of the source before a build, kept aside until the deploy has succeeded.

DATA/app-json/APP/app.json is the one of the last good deploy. While a deploy runs, app.json.PID beside it is the new
one, or app.json.PID.missing says that there is none (commands-b.md 1.5, "Extraction detail").
"""

import os

import lenient
import schema

from dokku_min.sdk import Failure, ask, files, paths, properties

DEFAULT = "app.json"


def _path(app: str) -> str:
    return f"{paths.data_dir('app-json', app)}/app.json"


def _fresh(app: str) -> str:
    return f"{_path(app)}.{os.environ.get('DOKKU_PID') or os.getpid()}"


def text_of(app: str) -> str:
    """The app.json that holds now; "" when there is none."""
    return "" if os.path.exists(f"{_fresh(app)}.missing") else files.read(place(app))


def place(app: str) -> str:
    """Where it is: the running deploy's own file, else that of the last deploy."""
    return _fresh(app) if os.path.exists(_fresh(app)) else _path(app)


def content(app: str) -> dict:
    found = lenient.parse(text_of(app) or "{}")
    return found if isinstance(found, dict) else {}


def field(app: str, *path: str):  # type: ignore[no-untyped-def]
    """The value at path, None where there is nothing."""
    found = content(app)
    for name in path:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def extract(app: str, directory: str) -> str:
    """Take the app.json of a source tree (or of the image it stands for) over for this deploy; its path there."""
    _forget_leftovers(app)
    name = wanted(app)
    found = _from_image(app, name) if ask("git-get-property", app, "source-image") else _from_source(
        directory, ask("builder-get-property", app, "build-dir"), name)  # fmt: skip
    files.make_dir(os.path.dirname(_path(app)))
    if found is None:
        files.write(f"{_fresh(app)}.missing", "")
        return ""
    files.write(_fresh(app), _normal(found, name))
    return _fresh(app)


def wanted(app: str) -> str:
    return properties.effective("app-json", app, "appjson-path", DEFAULT)


def _forget_leftovers(app: str) -> None:
    """What killed deploys left: the caller holds the app's lock, so none of it belongs to a living one."""
    directory = os.path.dirname(_path(app))
    for name in os.listdir(directory) if os.path.isdir(directory) else []:
        if name.startswith("app.json."):
            files.remove(f"{directory}/{name}")


def _from_source(directory: str, build_dir: str, name: str) -> bytes | None:
    base = os.path.realpath(directory)
    root = f"{base}/{build_dir}".rstrip("/")
    path = os.path.realpath(f"{root}/{name}")
    if not path.startswith(f"{base}/"):  # a link in the repository must not show us the host's files
        raise Failure(f"{name} of the source lies outside of it", "make it a plain file")
    if os.path.isfile(path):
        with open(path, "rb") as file:
            return file.read()
    if name != DEFAULT:
        files.remove(f"{root}/{DEFAULT}")
    return None


def _from_image(app: str, name: str) -> bytes | None:
    from dokku_min import run

    image = ask("git-get-property", app, "source-image")
    if not run.works("docker", "image", "inspect", "--", image):
        run.check(f"pull {image}", "docker", "image", "pull", "--quiet", "--", image)
    where = run.capture(f"look into {image}", "docker", "image", "inspect", "--format", "{{.Config.WorkingDir}}", "--",
                        image).strip() or "/"  # fmt: skip
    container = run.capture(f"look into {image}", "docker", "container", "create", "--", image, "true").strip()
    try:
        return _copied(container, f"{where.rstrip('/')}/{name}")
    finally:
        run.works("docker", "container", "rm", "--force", "--volumes", container)


def _copied(container: str, path: str) -> bytes | None:
    """A file of a container, which need not run; `docker cp` writes a tar of just it."""
    import io
    import tarfile

    from dokku_min import run

    status, data = run.answer("docker", "container", "cp", "--follow-link", f"{container}:{path}", "-", quiet=True)
    if status:
        return None
    with tarfile.open(fileobj=io.BytesIO(os.fsencode(data))) as archive:
        member = archive.next()
        file = archive.extractfile(member) if member and member.isfile() else None
        return file.read() if file else None


def _normal(data: bytes, name: str) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Failure(f"{name} line {line}: this is not UTF-8 text", "save the file as UTF-8") from None
    text = text.replace("\r\n", "\n")
    return text if text.endswith("\n") else f"{text}\n"


def validate(path: str, name: str) -> None:
    """Raise Failure with line and field for the first thing in the file that is not as it must be."""
    text = files.read(path)
    try:
        schema.check(lenient.parse(text, name) if text.strip() else {})
    except schema.Wrong as wrong:
        raise lenient.Document(text, name).error(wrong.path, wrong.what) from None


def line_of(path: str, where: str) -> int:
    return lenient.Document(files.read(path)).line(where)


def promote(app: str) -> None:
    """The deploy has succeeded: its app.json is the app's now."""
    fresh = _fresh(app)
    if os.path.exists(f"{fresh}.missing"):
        files.remove(_path(app))
        files.remove(f"{fresh}.missing")
    elif os.path.exists(fresh):
        os.rename(fresh, _path(app))
        files.sync_directory(os.path.dirname(fresh))


def copy(old: str, new: str) -> None:
    put(new, files.read(_path(old)))


def put(app: str, text: str) -> None:
    """The text becomes the app's app.json; nothing, or an empty object: it has none."""
    files.make_dir(os.path.dirname(_path(app)))
    if text.strip() in ("", "{}"):
        files.remove(_path(app))
    else:
        files.write(_path(app), text if text.endswith("\n") else f"{text}\n")


def forget(app: str) -> None:
    files.remove_tree(os.path.dirname(_path(app)))
