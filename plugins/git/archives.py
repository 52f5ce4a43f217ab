"""git:from-archive: fetch an archive and unpack it, once nothing in it can do harm (commands-b.md 2)."""

import os
import stat
import sys

import commits

from dokku_min import log, properties, run
from dokku_min.errors import Failure

TYPES = ("tar", "tar.gz", "zip")
_CHUNK = 1 << 20
_LONGEST = 2000  # bytes of a path; the system takes 4096, and ours comes behind that of the work directory


class Limits:
    """How much an archive may unpack to: bytes, and entries."""

    def __init__(self) -> None:
        self.size = int(properties.get("git", "--global", "archive-max-size", "1073741824"))
        self.count = int(properties.get("git", "--global", "archive-max-files", "10000"))


class Entry:
    """One member of an archive: kind is "file", "directory", "symlink", "hardlink" or what else it may be."""

    __slots__ = ("handle", "kind", "mode", "name", "size", "target")

    def __init__(self, name: str, kind: str, size: int, mode: int, target: str, handle: object):
        self.name, self.kind, self.size, self.mode = name, kind, size, mode
        self.target, self.handle = target, handle


def deploy(app: str, url: str, kind: str, who: tuple[str, ...]) -> None:
    """Deploy the archive at url, or on stdin when url is `--`."""
    if kind not in TYPES:
        raise Failure(f"Invalid archive type: {kind}", f"use one of {', '.join(TYPES)}")
    if url not in ("--", "-") and not url.startswith(("http://", "https://")):
        raise Failure(f"cannot fetch {url}", "give a http or https URL, or -- and the archive on stdin")

    def fill(directory: str) -> str:
        packed = f"{directory}.packed"
        _fetch(url, packed)
        unpack(packed, kind, directory, Limits())
        os.unlink(packed)
        return _top(directory)

    commits.deploy_source(app, kind, "" if url in ("--", "-") else url, fill, who)


def _fetch(url: str, path: str) -> None:
    limits = Limits()
    most = limits.size + 2048 * limits.count  # what the names and headers of the allowed entries may take at most
    if url in ("--", "-"):
        log.info1("Reading archive from stdin")
        _copy(sys.stdin.buffer, path, most)
        return
    log.info1(f"Fetching {url.partition('?')[0]}")
    argv = ("curl", "--fail", "--location", "--silent", "--show-error", "--proto", "=http,https", "--output", path)
    # prlimit, as curl knows a file's size in advance only when the server says it
    if run.stream("prlimit", f"--fsize={most}", *argv, "--url", url):
        raise Failure("cannot fetch the archive", f"it must be there, and not larger than {most} bytes")


def _copy(source, path: str, most: int) -> None:  # type: ignore[no-untyped-def]
    total = 0
    with open(path, "wb") as target:
        while chunk := source.read(_CHUNK):
            total += len(chunk)
            if total > most:
                raise Failure(f"archive exceeds maximum allowed size of {most} bytes")
            target.write(chunk)
    if not total:
        raise Failure("there is no archive on stdin")


def unpack(packed: str, kind: str, directory: str, limits: Limits) -> None:
    """Put the entries of the archive into directory. All are looked at before the first one is written."""
    reader = _Zip if kind == "zip" else _Tar
    try:
        with reader(packed, kind, limits) as archive:
            check(archive.entries(), limits)
            for entry in archive.entries():
                _write(archive, entry, directory)
    except Failure:
        raise
    except Exception as error:  # what the parsers raise for bytes that somebody chose is more than they document
        raise Failure(f"cannot read the {kind} archive: {error}", "is --archive-type right?") from None


def check(entries, limits: Limits) -> None:  # type: ignore[no-untyped-def]
    """Raise Failure at the first entry that could touch anything outside, or that is too much."""
    total, count, links, leaves, parents = 0, 0, set(), set(), set()
    sizes: dict[str, int] = {}
    for entry in entries:
        name = os.path.normpath(entry.name)
        if entry.size < 0:
            _refuse(f"archive contains {name}, whose size is below zero")
        sizes[name] = sizes.get(os.path.normpath(entry.target), 0) if entry.kind == "hardlink" else entry.size
        count, total = count + 1, total + sizes[name]
        if count > limits.count:
            _refuse(f"archive exceeds the maximum of {limits.count} files")
        if total > limits.size:
            _refuse(f"archive exceeds maximum allowed size of {limits.size} bytes")
        _check_name(entry.name)
        if entry.kind in ("symlink", "hardlink"):
            _check_target(entry)
            links.add(name)
        elif entry.kind not in ("file", "directory"):
            _refuse(f"archive contains {entry.name}, which is neither a file, a directory nor a link")
        (parents if entry.kind == "directory" else leaves).add(name)
        parents |= _parents(name)
    if not count:
        _refuse("archive is empty")
    if links & parents:
        _refuse(f"archive contains entries below symlinks: {min(links & parents)}")
    if leaves & parents:
        _refuse(f"archive contains {min(leaves & parents)} both as a file and as a directory")


def _check_name(name: str) -> None:
    if len(os.fsencode(name)) > _LONGEST or any(len(os.fsencode(part)) > 255 for part in name.split("/")):
        _refuse(f"archive contains a name that is too long: {name[:60]}...")
    if name.startswith("/"):
        _refuse(f"archive contains absolute paths: {name}")
    if ".." in name.split("/"):
        _refuse(f"archive contains parent directory traversal: {name}")
    if "\0" in name:
        _refuse("archive contains a name with a NUL byte")


def _check_target(entry: Entry) -> None:
    if len(os.fsencode(entry.target)) > _LONGEST:
        _refuse(f"archive contains a link whose target is too long: {entry.name}")
    if entry.target.startswith("/") or ".." in entry.target.split("/") or not entry.target:
        _refuse(f"archive contains {entry.kind}s that lead outside, or symlinks with ..: {entry.name} -> {entry.target}")


def _parents(name: str) -> set[str]:
    parts = name.split("/")
    return {"/".join(parts[:length]) for length in range(1, len(parts))}


def _refuse(why: str) -> None:
    print(f"[archive-security] {why}", file=sys.stderr)
    raise Failure(why, "nothing of it was unpacked")


def _write(archive, entry: Entry, directory: str) -> None:  # type: ignore[no-untyped-def]
    path = os.path.normpath(f"{directory}/{entry.name}")
    if path == directory:
        return
    if entry.kind == "directory":
        os.makedirs(path, exist_ok=True)
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if os.path.lexists(path):  # the last entry of a name counts
        os.unlink(path)
    if entry.kind == "symlink":
        os.symlink(entry.target, path)
    elif entry.kind == "hardlink":
        _copy_linked(f"{directory}/{entry.target}", path)
    else:
        _write_file(archive.open(entry), path, entry)


def _copy_linked(source: str, path: str) -> None:
    import shutil

    if not os.path.isfile(source) or os.path.islink(source):
        raise Failure(f"cannot unpack {os.path.basename(path)}: the archive lacks the file that it is a link to")
    shutil.copy2(source, path)


def _write_file(source, path: str, entry: Entry) -> None:  # type: ignore[no-untyped-def]
    """Never more than the entry's own header said: that is what was counted."""
    left = entry.size
    mode = 0o755 if entry.mode & 0o111 else 0o644
    with source, open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as target:
        while left and (chunk := source.read(min(left, _CHUNK))):
            left -= len(chunk)
            target.write(chunk)


def _top(directory: str) -> str:
    """Where the source is: archives often hold everything in one directory."""
    found = os.listdir(directory)
    only = f"{directory}/{found[0]}" if len(found) == 1 else directory
    return only if os.path.isdir(only) and not os.path.islink(only) else directory


class _Frugal:
    """A file whose reader gets no more than `most` bytes at once: a header may claim, and unpack to, gigabytes."""

    def __init__(self, file, most: int):  # type: ignore[no-untyped-def]
        self.file, self.most = file, most

    def __getattr__(self, name: str):  # type: ignore[no-untyped-def]
        return getattr(self.file, name)

    def read(self, size: int = -1) -> bytes:
        data = self.file.read(min(size, self.most + 1) if size >= 0 else self.most + 1)
        if len(data) > self.most:
            _refuse(f"archive has a header of more than {self.most} bytes")
        return data


class _Tar:
    def __init__(self, path: str, kind: str, _limits: Limits):
        import gzip
        import tarfile

        self.data = gzip.open(path) if kind == "tar.gz" else open(path, "rb")
        self.file = tarfile.open(fileobj=_Frugal(self.data, _CHUNK), mode="r:")  # type: ignore[call-overload]

    def __enter__(self) -> "_Tar":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.data.close()

    def entries(self):  # type: ignore[no-untyped-def]
        for member in self.file:
            member.pax_headers, member.uname, member.gname = {}, "", ""  # kept for every member, and not looked at
            yield Entry(member.name, self._kind(member), member.size, member.mode, member.linkname, member)

    def _kind(self, member) -> str:  # type: ignore[no-untyped-def]
        kinds = ((member.isreg, "file"), (member.isdir, "directory"), (member.issym, "symlink"), (member.islnk, "hardlink"))
        return next((name for test, name in kinds if test()), "other")

    def open(self, entry: Entry):  # type: ignore[no-untyped-def]
        return self.file.extractfile(entry.handle)


class _Zip:
    def __init__(self, path: str, _kind: str, limits: Limits):
        import zipfile

        self.data = open(path, "rb")
        # its directory is read in one go
        self.file = zipfile.ZipFile(_Frugal(self.data, _CHUNK + 512 * limits.count))  # type: ignore[arg-type]

    def __enter__(self) -> "_Zip":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()
        self.data.close()

    def entries(self):  # type: ignore[no-untyped-def]
        for info in self.file.infolist():
            mode = info.external_attr >> 16
            kind = self._kind(info, mode)
            target = self._target(info) if kind == "symlink" else ""
            if info.flag_bits & 1:
                raise Failure("the archive is encrypted", "give one that is not")
            yield Entry(info.filename, kind, info.file_size, mode, target, info)

    def _kind(self, info, mode: int) -> str:  # type: ignore[no-untyped-def]
        if info.is_dir():
            return "directory"
        if stat.S_ISLNK(mode):
            return "symlink"
        return "file" if stat.S_IFMT(mode) in (0, stat.S_IFREG) else "other"

    def _target(self, info) -> str:  # type: ignore[no-untyped-def]
        with self.file.open(info) as content:
            return os.fsdecode(content.read(4096))

    def open(self, entry: Entry):  # type: ignore[no-untyped-def]
        return self.file.open(entry.handle)
