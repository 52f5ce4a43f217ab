"""A certificate and its key out of a tar archive from anywhere: nothing of it is unpacked, only two members are read."""

import os

from dokku_min.errors import Failure

MOST_BYTES = 1 << 30  # of all members together
MOST_MEMBERS = 10_000
MOST_OF_ONE = 1 << 20  # a chain of certificates is a few KiB
_EXPECTED = "Tar archive containing server.crt and server.key expected on stdin"


def read_pair(stream) -> tuple[bytes, bytes]:  # type: ignore[no-untyped-def]
    """(certificate, key): the one `*.crt` and the one `*.key` at any depth of the archive on the stream.

    Raises Failure if there are more or fewer, or if the archive tries to reach outside of itself or is a bomb
    (commands-a.md 8). Dot-files, as macOS adds them, do not count.
    """
    import tarfile

    found: dict[str, bytes] = {}
    try:
        with tarfile.open(fileobj=stream, mode="r|", tarinfo=_header_class()) as archive:
            total = 0
            for number, member in enumerate(archive, 1):
                total += member.size
                _check(member, number, total)
                name = os.path.basename(member.name)
                end = name[-4:]
                if end not in (".crt", ".key") or name.startswith(".") or member.isdir():
                    continue
                if member.issym() or member.islnk():
                    raise Failure(f"{member.name} is a link in the tar archive", "pack what it points at: tar -h")
                if end in found:
                    raise Failure(f"Tar archive contains more than one {end} file")
                found[end] = _content(archive, member)
    except (tarfile.TarError, EOFError) as error:
        raise Failure(_EXPECTED, f"what came is no whole tar archive: {error}") from None
    for end in (".crt", ".key"):
        if end not in found:
            raise Failure(f"Tar archive is missing {end} file")
    return found[".crt"], found[".key"]


def _content(archive, member) -> bytes:  # type: ignore[no-untyped-def]
    if member.size > MOST_OF_ONE:
        raise Failure(f"{member.name} in the tar archive is larger than {MOST_OF_ONE} bytes, it holds no certificate")
    return archive.extractfile(member).read()


def _check(member, number: int, total: int) -> None:  # type: ignore[no-untyped-def]
    if number > MOST_MEMBERS:
        raise Failure(f"unsafe tar archive: more than {MOST_MEMBERS} entries")
    if total > MOST_BYTES:
        raise Failure(f"unsafe tar archive: more than {MOST_BYTES} bytes")
    if _escapes(member.name):
        raise Failure(f"unsafe tar archive: {member.name} lies outside of it")
    if member.issym() or member.islnk():
        start = os.path.dirname(member.name) if member.issym() else ""
        if _escapes(os.path.join(start, member.linkname)):
            raise Failure(f"unsafe tar archive: {member.name} links to {member.linkname}")
    elif not (member.isfile() or member.isdir()):
        raise Failure(f"unsafe tar archive: {member.name} is neither a file nor a directory")


def _escapes(path: str) -> bool:
    return path.startswith("/") or ".." in os.path.normpath(path).split("/")


def _header_class():  # type: ignore[no-untyped-def]
    """A tar header that refuses sizes made to fill our memory: tarfile reads long names whole before we see them."""
    import tarfile

    class Header(tarfile.TarInfo):
        @classmethod
        def frombuf(cls, buf, encoding, errors):  # type: ignore[no-untyped-def]
            header = super().frombuf(buf, encoding, errors)
            special = not header.isfile() and not header.isdir()
            if header.size < 0 or (special and header.size > MOST_OF_ONE):
                raise Failure("unsafe tar archive: impossible size in a header")
            return header

    return Header
