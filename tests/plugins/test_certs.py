"""certs: certificates and keys, made by the real openssl, on a real server."""

import io
import json
import socket
import stat
import subprocess
import tarfile
import tempfile
from pathlib import Path

import pytest

from dokku_min.errors import Failure
from tests.plugins.modules import plugin_module
from tests.plugins.spy import refused, trigger
from tests.server import run

archive = plugin_module("certs", "archive")
store = plugin_module("certs", "store")
x509 = plugin_module("certs", "x509")


def make_pair(directory, name="server", *options, key_options=("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256")):
    """A certificate and its key, which everybody may read; their paths."""
    crt, key = directory / f"{name}.crt", directory / f"{name}.key"
    options = options or ("-subj", "/C=US/O=A; B/CN=a.example", "-addext", "subjectAltName=DNS:b.example,IP:1.2.3.4")
    run("openssl", "req", "-x509", "-new", *key_options, "-nodes", "-keyout", key, "-out", crt, "-days", "9", *options)
    key.chmod(0o644)
    return crt, key


@pytest.fixture(scope="module")
def shelf():
    """A directory that the dokku user can read (no other user reads pytest's own), with server.* and other.* in it."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        directory.chmod(0o755)
        make_pair(directory)
        make_pair(directory, "other", "-subj", "/CN=other.example")
        yield directory


def pair(shelf, name="server"):
    return str(shelf / f"{name}.crt"), str(shelf / f"{name}.key")


def texts(shelf, name="server"):
    return [(shelf / f"{name}.{kind}").read_text() for kind in ("crt", "key")]


# what openssl says


def test_a_pair_that_belongs_together(shelf):
    x509.check_pair(*texts(shelf))


def test_a_chain_of_certificates(shelf):
    crt, key = texts(shelf)
    x509.check_pair(crt + texts(shelf, "other")[0], key)
    with pytest.raises(Failure, match="does not belong"):
        x509.check_pair(texts(shelf, "other")[0] + crt, key)
    with pytest.raises(Failure, match="one of the certificates"):
        x509.check_pair(crt + crt.replace("\nM", "\nN"), key)


def test_pairs_that_no_proxy_could_use(shelf):
    crt, key = texts(shelf)
    for one, other, part in (
        ("", key, "holds no certificate"),
        ("garbage", key, "holds no certificate"),
        (key, key, "holds no certificate"),
        (crt, "", "holds no private key"),
        (crt, crt, "holds no private key"),
        (crt, texts(shelf, "other")[1], "does not belong to the certificate"),
    ):
        with pytest.raises(Failure, match=part):
            x509.check_pair(one, other)


def test_a_key_with_a_passphrase(shelf):
    crt, key = texts(shelf)
    locked = run("openssl", "pkey", "-aes256", "-passout", "pass:secret", input=key).stdout
    with pytest.raises(Failure, match="passphrase"):
        x509.check_pair(crt, locked)


def test_facts(shelf):
    facts = x509.facts(texts(shelf)[0])
    assert facts["hostnames"] == "a.example b.example"
    assert facts["subject"] == facts["issuer"] == "C=US; O=A; B; CN=a.example"
    assert facts["starts-at"].endswith(" GMT") and facts["expires-at"].endswith(" GMT")
    assert x509.facts("garbage") == {}
    assert not x509.has_expired(texts(shelf)[0])


def test_made_certificates(tmp_path):
    made = x509.make("*.long.example")
    x509.check_pair(made["crt"], made["key"])
    assert x509.facts(made["crt"])["hostnames"] == "*.long.example"
    request = run("openssl", "req", "-noout", "-subject", "-verify", input=made["csr"])
    assert "CN = *.long.example" in request.stdout
    long = ".".join(["a" * 40] * 3)
    assert x509.facts(x509.make(long)["crt"])["hostnames"] == long


# archives


def packed(*members, form=tarfile.PAX_FORMAT):
    """A tar of (name, content) pairs; a content that is a function changes the TarInfo instead."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            if callable(content):
                content(member)
                tar.addfile(member)
            else:
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    return out.getvalue()


def link(kind, target):
    def change(member):
        member.type, member.linkname = kind, target

    return change


def kind_of(kind):
    def change(member):
        member.type = kind

    return change


PAIR = (("server.crt", b"C"), ("server.key", b"K"))


@pytest.mark.parametrize(
    "members",
    [
        PAIR,
        tuple(reversed(PAIR)),
        (("./a/b/x.crt", b"C"), ("./a/y.key", b"K")),
        (*PAIR, ("._server.crt", b"mac"), ("README", b"x"), ("d.crt", kind_of(tarfile.DIRTYPE))),
        (*PAIR, ("a/link", link(tarfile.SYMTYPE, "../server.crt"))),
        (("a" * 150 + "/server.crt", b"C"), ("server.key", b"K")),
    ],
)
def test_the_pair_in_an_archive(members):
    for form in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        assert archive.read_pair(io.BytesIO(packed(*members, form=form))) == (b"C", b"K")


@pytest.mark.parametrize(
    "members, part",
    [
        (PAIR[:1], "missing .key file"),
        (PAIR[1:], "missing .crt file"),
        ((), "missing .crt file"),
        ((*PAIR, ("b/other.crt", b"C")), "more than one .crt file"),
        ((*PAIR, ("b/other.key", b"C")), "more than one .key file"),
        ((("/etc/x.crt", b"C"), PAIR[1]), "lies outside"),
        ((("../x.crt", b"C"), PAIR[1]), "lies outside"),
        ((("a/../../x.crt", b"C"), PAIR[1]), "lies outside"),
        ((*PAIR, ("l", link(tarfile.SYMTYPE, "/etc/passwd"))), "links to /etc/passwd"),
        ((*PAIR, ("a/l", link(tarfile.SYMTYPE, "../../x"))), "links to"),
        ((*PAIR, ("a/l", link(tarfile.LNKTYPE, "../x"))), "links to"),
        ((("server.crt", link(tarfile.SYMTYPE, "a/b")), PAIR[1]), "is a link"),
        ((*PAIR, ("null", kind_of(tarfile.CHRTYPE))), "neither a file nor a directory"),
        ((*PAIR, ("fifo", kind_of(tarfile.FIFOTYPE))), "neither a file nor a directory"),
        ((("server.crt", b"C" * (archive.MOST_OF_ONE + 1)), PAIR[1]), "larger than"),
        ((*PAIR, *[(f"f{n}", b"") for n in range(archive.MOST_MEMBERS)]), "more than 10000 entries"),
    ],
)
def test_archives_that_are_refused(members, part):
    with pytest.raises(Failure) as failure:
        archive.read_pair(io.BytesIO(packed(*members)))
    assert part in failure.value.message


def test_an_archive_that_claims_too_much_is_refused_by_its_headers():
    def huge(size, kind=tarfile.REGTYPE):
        member = tarfile.TarInfo("big")
        member.size, member.type = size, kind
        return member.tobuf(tarfile.GNU_FORMAT)

    for data, part in (
        (huge(archive.MOST_BYTES + 1), "more than"),
        (huge(1 << 29, tarfile.GNUTYPE_LONGNAME), "impossible size"),
        (huge(1 << 29, tarfile.XHDTYPE), "impossible size"),
        (huge(-512), "impossible size"),
    ):
        with pytest.raises(Failure) as failure:
            archive.read_pair(io.BytesIO(data))
        assert part in failure.value.message


@pytest.mark.parametrize("cut", [0, 100, 700, 1100])
def test_half_an_archive_is_refused(cut):
    with pytest.raises(Failure):
        archive.read_pair(io.BytesIO(packed(*PAIR)[:cut]))


# the store


def test_files_change_together(monkeypatch, tmp_path):
    monkeypatch.setenv("DOKKU_ROOT", str(tmp_path))
    (tmp_path / "web").mkdir()
    store.write("web", {"crt": "C", "key": "K", "csr": "R"})
    first = (tmp_path / "web/tls").stat().st_ino
    store.write("web", {"crt": "C2", "key": "K2"})
    assert store.read("web") == {"crt": "C2", "key": "K2"}
    assert (tmp_path / "web/tls").stat().st_ino != first  # the directory as a whole was exchanged
    assert stat.S_IMODE((tmp_path / "web/tls").stat().st_mode) == 0o750
    assert stat.S_IMODE((tmp_path / "web/tls/server.key").stat().st_mode) == 0o640
    monkeypatch.setattr(store, "_exchanged", lambda *_: False)
    store.write("web", {"crt": "C3", "key": "K3"})
    assert store.read("web") == {"crt": "C3", "key": "K3"}
    store.write("web", {})
    assert [each.name for each in (tmp_path / "web").iterdir()] == []
    assert not store.exists("web")


# commands


def report(server, app, key):
    return server.dokku("certs:report", app, f"--ssl-{key}").stdout.strip()


def installed(server, app):
    return [(server.root / app / "tls" / f"server.{kind}").read_text() for kind in ("crt", "key")]


def add_archive(server, app, data, check=True):
    argv = [server.bin / "dokku", "certs:add", app]
    done = subprocess.run(argv, input=data, env=server.env, capture_output=True, check=False)
    assert not check or done.returncode == 0, done
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def test_add_files(server, created, shelf, spy):
    done = server.dokku("certs:add", created, *pair(shelf))
    assert f"-----> Installing SSL endpoint of {created}\n" in done.stdout
    assert f"for a.example b.example, valid until {report(server, created, 'expires-at')}\n" in done.stdout
    assert spy.heard() == [f"post-certs-update {created}", f"post-domains-update {created}"]
    assert installed(server, created) == texts(shelf)
    assert trigger(server, "certs-exists", created).stdout == "true\n"
    tls = server.root / created / "tls"
    assert (tls.owner(), (tls / "server.key").owner()) == (server.user, server.user)


def test_add_an_archive_and_update(server, created, shelf):
    crt, key = [text.encode() for text in texts(shelf)]
    add_archive(server, created, packed(("x/server.crt", crt), ("x/server.key", key)))
    assert installed(server, created) == texts(shelf)
    server.dokku("certs:update", created, *pair(shelf, "other"))
    assert installed(server, created) == texts(shelf, "other")
    assert report(server, created, "hostnames") == "other.example"


def test_add_over_ssh(server, created, shelf):
    crt, key = [text.encode() for text in texts(shelf)]
    argv = server.ssh_argv("certs:add", created)
    run_ = subprocess.run(argv, input=packed(("a.crt", crt), ("a.key", key)), capture_output=True, check=False)
    assert run_.returncode == 0, run_
    assert server.ssh("certs:show", created, "crt").stdout == texts(shelf)[0]


def test_an_expired_certificate_is_told(server, created, shelf):
    crt, key = make_pair(shelf, "expired")
    run("openssl", "x509", "-in", crt, "-signkey", key, "-days", "-1", "-out", crt)
    done = server.dokku("certs:add", created, crt, key)
    assert " !     the certificate expired on " in done.stderr


def test_show_and_get(server, created, shelf):
    server.dokku("certs:add", created, *pair(shelf))
    for number, kind in enumerate(("crt", "key")):
        assert server.dokku("certs:show", created, kind).stdout == texts(shelf)[number]
        assert trigger(server, "certs-get", created, kind).stdout == texts(shelf)[number]


def test_remove(server, created, shelf, spy):
    server.dokku("certs:add", created, *pair(shelf))
    spy.reset()
    done = server.dokku("certs:remove", created)
    assert done.stdout.startswith(f"-----> Removing SSL endpoint from {created}\n")
    assert spy.heard() == [f"post-certs-remove {created}", f"post-domains-update {created}"]
    assert not (server.root / created / "tls").exists()
    assert trigger(server, "certs-exists", created).stdout == "false\n"
    assert trigger(server, "certs-get", created, "crt").returncode == 1
    refused(server, ("certs:show", created, "crt"), 1, f"{created} doesn't have an SSL endpoint defined")


def test_generate(server, created, spy):
    done = server.dokku("certs:generate", created, "New.example")
    assert "-----BEGIN CERTIFICATE REQUEST-----" in done.stdout
    assert report(server, created, "subject") == "CN=new.example"
    assert report(server, created, "verified") == "self signed"
    assert "new.example" in server.dokku("domains:report", created, "--domains-app-vhosts").stdout.split()
    assert spy.heard() == [f"post-certs-update {created}", f"post-domains-update {created} add new.example"]
    assert (server.root / created / "tls/server.csr").exists()
    before = installed(server, created)
    again = server.dokku("certs:generate", created, "other.example")
    assert again.stdout == f"-----> {created} has an SSL endpoint already defined\n"
    assert installed(server, created) == before


def test_set_and_remove_by_trigger(server, created, shelf, spy):
    assert trigger(server, "certs-set", created, *pair(shelf)).returncode == 0
    assert installed(server, created) == texts(shelf)
    assert trigger(server, "certs-remove", created).returncode == 0
    assert trigger(server, "certs-exists", created).stdout == "false\n"


def test_report(server, created, shelf):
    keys = ("dir", "enabled", "expires-at", "hostnames", "issuer", "starts-at", "subject", "verified")
    found = json.loads(server.dokku("certs:report", created, "--format", "json").stdout)
    assert found == {**dict.fromkeys(keys, ""), "dir": f"{server.root}/{created}/tls", "enabled": "false"}
    server.dokku("certs:add", created, *pair(shelf))
    assert server.dokku("certs:report", created).stdout.startswith(f"=====> {created} ssl information\n")
    assert report(server, created, "enabled") == "true"
    assert report(server, created, "subject") == "C=US; O=A; B; CN=a.example"
    assert server.dokku("certs:report", "--global", "--format", "json").stdout == "{}\n"


def test_clone_has_no_certificate_and_a_renamed_app_keeps_it(server, fresh, shelf):
    new = f"{fresh}-2"
    server.dokku("certs:add", fresh, *pair(shelf))
    server.dokku("apps:clone", "--skip-deploy", fresh, new)
    assert report(server, new, "enabled") == "false"
    server.dokku("apps:destroy", new, "--force")
    server.dokku("apps:rename", "--skip-deploy", fresh, new)
    assert installed(server, new) == texts(shelf)
    server.dokku("apps:destroy", new, "--force")


def test_when_a_plugin_cannot_follow_the_old_pair_stays(server, created, shelf, spy):
    spy.fail_at("post-domains-update")
    assert server.dokku("certs:add", created, *pair(shelf), check=False).returncode == 1
    assert not (server.root / created / "tls").exists()
    spy.reset()
    server.dokku("certs:add", created, *pair(shelf))
    spy.fail_at("post-domains-update")
    assert server.dokku("certs:update", created, *pair(shelf, "other"), check=False).returncode == 1
    assert server.dokku("certs:remove", created, check=False).returncode == 1
    assert installed(server, created) == texts(shelf)


def test_a_port_that_is_taken_fails_this_app_only(server, created, shelf):
    with socket.create_server(("0.0.0.0", 0)) as taken:
        server.dokku("proxy:set", "--global", "proxy-ssl-port", str(taken.getsockname()[1]))
        try:
            done = server.dokku("certs:add", created, *pair(shelf), check=False)
            assert done.returncode == 1 and "Address already in use" in done.stderr
            assert not (server.root / created / "tls").exists()
            server.dokku("domains:add", created, "later.example")
        finally:
            server.dokku("proxy:set", "--global", "proxy-ssl-port", str(server.https_port))


def test_bad_input_is_refused_and_changes_nothing(server, created, shelf):
    crt, key = pair(shelf)
    refused(server, ("certs:remove", created), 1, "An app-specific SSL endpoint is not defined")
    server.dokku("certs:add", created, crt, key)
    for argv, status, part in (
        (("certs:add",), 1, "app"),
        (("certs:add", "no-such-app", crt, key), 20, "App no-such-app does not exist"),
        (("certs:add", created), 1, "Tar archive containing server.crt and server.key expected on stdin"),
        (("certs:add", created, crt), 1, "KEY file specified not found"),
        (("certs:add", created, "/nowhere.crt", key), 1, "CRT file specified not found"),
        (("certs:add", created, crt, "/nowhere.key"), 1, "KEY file specified not found"),
        (("certs:add", created, "/etc", key), 1, "CRT file specified not found or unreadable"),
        (("certs:add", created, key, crt), 1, "the CRT file holds no certificate"),
        (("certs:add", created, crt, pair(shelf, "other")[1]), 1, "does not belong to the certificate"),
        (("certs:add", created, crt, key, "surplus"), 1, "Unexpected argument"),
        (("certs:update", created, "--bogus"), 2, "unknown flag: --bogus"),
        (("certs:show", created), 1, "specify either 'key' or 'crt'"),
        (("certs:show", created, "csr"), 1, "specify either 'key' or 'crt'"),
        (("certs:show", "no-such-app", "crt"), 20, "does not exist"),
        (("certs:generate", created), 1, "Missing argument: <domain>"),
        (("certs:generate", "no-such-app", "a.com"), 20, "does not exist"),
        (("certs:remove", "no-such-app"), 20, "does not exist"),
        (("certs:report", created, "--bogus"), 1, "Invalid flag passed"),
        (("certs:report", "no-such-app"), 20, "does not exist"),
        (("certs:chain", created), 1, "is not a dokku command"),
    ):
        refused(server, argv, status, part)
    for data, part in (
        (b"garbage", "no whole tar archive"),
        (packed(("../server.crt", b"x"), PAIR[1]), "unsafe tar archive"),
        (packed(*PAIR), "holds no certificate"),
    ):
        status, out, err = add_archive(server, created, data, check=False)
        assert (status, out) == (1, "") and part in err
    assert installed(server, created) == texts(shelf)


def test_generate_refuses_what_is_no_domain(server, created):
    for domain in ("a.com/O=Evil", "a.com,DNS:b.com", "$ENV::HOME", "a b", "http://a.com", "*", "a..com"):
        refused(server, ("certs:generate", created, domain), 1, f"{domain.lower()} is invalid. exiting...")
    assert not (server.root / created / "tls").exists()
