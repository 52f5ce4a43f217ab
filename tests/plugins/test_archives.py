"""git:from-archive: nothing in an archive may touch anything but its own directory (commands-b.md 2)."""

import gzip
import io
import os
import stat
import struct
import tarfile
import tracemalloc
import zipfile

import pytest

from dokku_min.errors import Failure
from tests.plugins.modules import plugin_module

archives = plugin_module("git", "archives")


class Limits:
    size = 1000
    count = 10


def tar_entry(name, kind=tarfile.REGTYPE, target="", data=b"", mode=0o644):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.mode, entry.size = kind, target, mode, len(data)
    return entry, data


def tar_file(path, entries, mode="w"):
    with tarfile.open(path, mode) as tar:
        for entry, data in entries:
            tar.addfile(entry, io.BytesIO(data))
    return str(path)


def zip_file(path, entries):
    with zipfile.ZipFile(path, "w") as packed:
        for name, data, mode in entries:
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            packed.writestr(info, data)
    return str(path)


def refused(path, kind, target, why):
    with pytest.raises(Failure) as failure:
        archives.unpack(path, kind, str(target), Limits)
    assert why in failure.value.message
    assert os.listdir(target) == []


@pytest.fixture
def target(tmp_path):
    place = tmp_path / "target"
    place.mkdir()
    return place


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (tar_entry("/etc/x"), "absolute paths"),
        (tar_entry("a/../../x"), "parent directory traversal"),
        (tar_entry(".."), "parent directory traversal"),
        (tar_entry("a", tarfile.SYMTYPE, "/etc"), "symlinks"),
        (tar_entry("a/b", tarfile.SYMTYPE, "../../x"), "symlinks"),
        (tar_entry("a", tarfile.LNKTYPE, "/etc/passwd"), "hardlinks"),
        (tar_entry("a", tarfile.LNKTYPE, "../x"), "hardlinks"),
        (tar_entry("a", tarfile.CHRTYPE), "neither a file"),
        (tar_entry("a", tarfile.BLKTYPE), "neither a file"),
        (tar_entry("a", tarfile.FIFOTYPE), "neither a file"),
        (tar_entry("big", data=b"x" * 1001), "exceeds maximum allowed size"),
        (tar_entry("good/x", data=b"x"), "both as a file and as a directory"),
        (tar_entry("good", tarfile.DIRTYPE), "both as a file and as a directory"),
        (tar_entry("n" * 256), "a name that is too long"),
        (tar_entry("/".join(["d" * 200] * 11)), "a name that is too long"),
        (tar_entry("a", tarfile.SYMTYPE, "x" * 5000), "target is too long"),
    ],
)
@pytest.mark.parametrize("form", ["tar", "tar.gz"])
def test_a_bad_tar_entry_stops_all_before_anything_is_written(tmp_path, target, bad, why, form):
    mode = "w:gz" if form == "tar.gz" else "w"
    refused(tar_file(tmp_path / "x", [tar_entry("good", data=b"x"), bad], mode), form, target, why)


def test_an_entry_below_a_link_is_refused(tmp_path, target):
    entries = [tar_entry("d", tarfile.SYMTYPE, "e"), tar_entry("d/x", data=b"x")]
    refused(tar_file(tmp_path / "x", entries), "tar", target, "below symlinks")
    refused(tar_file(tmp_path / "x", entries[::-1]), "tar", target, "below symlinks")
    entries = [("d", "e", stat.S_IFLNK | 0o777), ("d/x", "x", stat.S_IFREG | 0o644)]
    refused(zip_file(tmp_path / "y", entries), "zip", target, "below symlinks")


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (("/etc/x", "x", 0), "absolute paths"),
        (("../x", "x", 0), "parent directory traversal"),
        (("a", "/etc", stat.S_IFLNK | 0o777), "symlinks"),
        (("a", "../x", stat.S_IFLNK | 0o777), "symlinks"),
        (("a", "", stat.S_IFCHR | 0o777), "neither a file"),
        (("a", "x" * 1001, 0), "exceeds maximum allowed size"),
        (("good/x", "x", 0), "both as a file and as a directory"),
        (("n" * 256, "x", 0), "a name that is too long"),
    ],
)
def test_a_bad_zip_entry_stops_all(tmp_path, target, bad, why):
    refused(zip_file(tmp_path / "x", [("good", "x", 0), bad]), "zip", target, why)


def test_copies_that_hard_links_ask_for_are_counted(tmp_path, target):
    entries = [tar_entry("a", data=b"x" * 400), *(tar_entry(f"l{n}", tarfile.LNKTYPE, "./a") for n in range(2))]
    refused(tar_file(tmp_path / "x", entries), "tar", target, "exceeds maximum allowed size")


def test_too_many_entries_and_none_at_all(tmp_path, target):
    many = [tar_entry(f"f{number}") for number in range(11)]
    refused(tar_file(tmp_path / "x", many), "tar", target, "exceeds the maximum of 10")
    refused(tar_file(tmp_path / "y", []), "tar", target, "empty")


@pytest.mark.parametrize("kind", archives.TYPES)
def test_what_is_no_archive_is_said_so(tmp_path, target, kind):
    (tmp_path / "x").write_bytes(b"hello, I am a text" * 100)
    refused(str(tmp_path / "x"), kind, target, f"cannot read the {kind} archive")


def header(kind, size):
    """A tar header that says what it wants of the size of what follows."""
    entry = tarfile.TarInfo("x")
    entry.type = kind
    block = bytearray(entry.tobuf(tarfile.USTAR_FORMAT))
    block[124:136] = b"\xff" * 4 + struct.pack(">q", size) if size < 0 else b"%011o\0" % size
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize("kind", [tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_unpacks_to_far_more_is_not_taken_into_memory(tmp_path, target, kind):
    with gzip.open(tmp_path / "x", "wb", 1) as packed:
        packed.write(header(kind, 40 << 20))
        for _ in range(40):
            packed.write(bytes(1 << 20))
    tracemalloc.start()
    refused(str(tmp_path / "x"), "tar.gz", target, "a header of more than")
    assert tracemalloc.get_traced_memory()[1] < 10 << 20
    tracemalloc.stop()


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE])
def test_a_size_below_zero_frees_no_space(tmp_path, target, kind):
    (tmp_path / "x").write_bytes(header(kind, -1024) + bytes(1024))
    with pytest.raises(Failure):
        archives.unpack(str(tmp_path / "x"), "tar", str(target), Limits)
    assert os.listdir(target) == []


def test_a_zip_whose_directory_is_larger_than_its_entries_may_be(tmp_path, target, monkeypatch):
    monkeypatch.setattr(archives, "_CHUNK", 1000)
    many = [(f"{number}" + "n" * 200, "", 0) for number in range(100)]
    refused(zip_file(tmp_path / "x", many), "zip", target, "a header of more than")


def test_a_zip_that_lies_about_its_size_writes_no_more_than_it_said(tmp_path, target):
    packed = bytearray(open(zip_file(tmp_path / "x", [("bomb", "x" * 5000, 0)]), "rb").read())
    for mark, at in ((b"PK\3\4", 22), (b"PK\1\2", 24)):
        place = packed.index(mark) + at
        packed[place : place + 4] = struct.pack("<I", 10)
    (tmp_path / "x").write_bytes(packed)
    with pytest.raises(Failure, match="cannot read the zip archive"):
        archives.unpack(str(tmp_path / "x"), "zip", str(target), Limits)
    assert sum(path.stat().st_size for path in target.iterdir()) <= 10


def test_a_zip_with_a_name_that_is_no_text(tmp_path, target):
    packed = open(zip_file(tmp_path / "x", [("\u00e4", "x", 0)]), "rb").read()
    (tmp_path / "x").write_bytes(packed.replace("\u00e4".encode(), b"\xff\xff"))
    refused(str(tmp_path / "x"), "zip", target, "cannot read the zip archive")


def test_a_torn_archive_is_no_success(tmp_path, target):
    whole = tar_file(tmp_path / "x", [tar_entry("a", data=os.urandom(900))], "w:gz")
    data = open(whole, "rb").read()
    (tmp_path / "x").write_bytes(data[: len(data) // 2])
    with pytest.raises(Failure):
        archives.unpack(whole, "tar.gz", str(target), Limits)


def test_a_good_tar_is_unpacked_as_it_is(tmp_path, target):
    entries = [
        tar_entry("./", tarfile.DIRTYPE),
        tar_entry("app/run", data=b"old", mode=0o600),
        tar_entry("app/run", data=b"new", mode=0o4755),
        tar_entry("app/link", tarfile.SYMTYPE, "run"),
        tar_entry("app/again", tarfile.LNKTYPE, "app/run"),
        tar_entry("app/empty", tarfile.DIRTYPE),
    ]
    archives.unpack(tar_file(tmp_path / "x", entries), "tar", str(target), Limits)
    assert (target / "app/run").read_text() == "new"
    assert stat.S_IMODE((target / "app/run").stat().st_mode) & 0o7111 == 0o111
    assert os.readlink(target / "app/link") == "run"
    assert (target / "app/again").read_text() == "new"
    assert archives._top(str(target)) == f"{target}/app"


def test_a_good_zip_is_unpacked(tmp_path, target):
    entries = [("run", "x", stat.S_IFREG | 0o755), ("www/i.html", "hi", 0), ("l", "run", stat.S_IFLNK | 0o777)]
    archives.unpack(zip_file(tmp_path / "x", entries), "zip", str(target), Limits)
    assert os.access(target / "run", os.X_OK)
    assert (target / "www/i.html").read_text() == "hi"
    assert os.readlink(target / "l") == "run"
    assert archives._top(str(target)) == str(target)
