"""What lets the server fetch from other places: netrc entries, known hosts and the deploy key (commands-b.md 2)."""

import os
import sys

from dokku_min import files, log, paths, run
from dokku_min.errors import Failure
from dokku_min.locks import directory_lock

_HOST = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_:")
_KEYWORDS = ("login", "password", "account")


def netrc_file() -> str:
    return f"{paths.dokku_root()}/.netrc"


def check_host(host: str) -> str:
    if not host:
        raise Failure("Please specify a host", "as in: github.com")
    if host[0] in "-." or set(host) - _HOST:
        raise Failure(f"not a host name: {host}")
    return host


def read_netrc() -> dict[str, dict[str, str]]:
    """{host: {login, password, account}}; the `default` entry has the host ""."""
    found: dict[str, dict[str, str]] = {}
    host = None
    words = iter(files.read(netrc_file()).split())
    for word in words:
        if word == "machine":
            host = next(words, "")
            found[host] = {}
        elif word == "default":
            host = ""
            found[host] = {}
        elif word in _KEYWORDS and host is not None:
            found[host][word] = next(words, "")
    return found


def write_netrc(entries: dict[str, dict[str, str]]) -> None:
    """One line an entry, `default` last, as netrc(5) wants it; only the dokku user can read it."""
    lines = []
    for host in sorted(entries, key=lambda name: (not name, name)):
        fields = [f"{key} {entries[host][key]}" for key in _KEYWORDS if entries[host].get(key)]
        lines.append(" ".join([f"machine {host}" if host else "default", *fields]))
    files.write(netrc_file(), "".join(f"{line}\n" for line in lines), 0o600)


def auth(host: str, user: str, password: str) -> None:
    """Remember user and password for host; without a user, forget them."""
    check_host(host)
    wanted = credentials(user, password) if user else None
    with directory_lock(paths.dokku_root()):
        entries = read_netrc()
        if wanted:
            entries[host] = {**wanted}
        else:
            entries.pop(host, None)
        write_netrc(entries)


def credentials(user: str, password: str) -> dict[str, str]:
    if not password and sys.stdin is not None and not sys.stdin.isatty():
        password = sys.stdin.readline().rstrip("\r\n")
    if not password:
        raise Failure("Missing password for netrc auth entry", "give it as an argument, or on stdin")
    for what, text in (("user", user), ("password", password)):
        if text[0] == '"' or any(char.isspace() or not char.isprintable() for char in text):
            raise Failure(f"the {what} holds blanks or a leading quote, which no netrc file can", "use an access token")
    return {"login": user, "password": password}


def auth_matches(host: str, user: str, password: str) -> bool:
    entry = read_netrc().get(check_host(host))
    if not user:
        return entry is None
    wanted = credentials(user, password)
    return entry is not None and all(entry.get(key) == value for key, value in wanted.items())


def secure() -> None:
    """Only the dokku user may read the file, whoever wrote it."""
    if os.path.isfile(netrc_file()):
        os.chmod(netrc_file(), 0o600)
        if os.geteuid() == 0:
            os.chown(netrc_file(), *files.owner_ids())


def _ssh_dir() -> str:
    return f"{paths.dokku_root()}/.ssh"


def allow_host(host: str) -> None:
    """Trust the keys that the host shows now."""
    check_host(host)
    name, _, port = host.partition(":")
    place = ("-p", port) if port else ()
    status, shown = run.answer("ssh-keyscan", "-T", "10", *place, "-t", "rsa,ecdsa,ed25519", "--", name, quiet=True)
    keys = [line for line in shown.splitlines() if line and not line.startswith("#")]
    if status or not keys:
        raise Failure(f"{host} shows no ssh host key", "is its name right, and does it answer ssh?")
    path = f"{_ssh_dir()}/known_hosts"
    with directory_lock(_ssh_dir()):
        known = files.read(path).splitlines()
        files.write(path, "".join(f"{line}\n" for line in [*known, *(key for key in keys if key not in known)]), 0o644)
    log.plain(f"{host} added to known hosts")


def generate_deploy_key() -> None:
    path = f"{_ssh_dir()}/id_ed25519"
    if os.path.exists(path):
        log.warn("A deploy key already exists on this host, nothing is generated")
        return
    comment = f"dokku@{os.uname().nodename}"
    argv = ("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", path)
    run.capture("generate a deploy key", *argv)
    log.info1("Deploy key generated")


def public_key() -> str:
    for name in ("id_ed25519", "id_rsa"):
        text = files.read(f"{_ssh_dir()}/{name}.pub").strip()
        if text:
            return text
    raise Failure("There is no deploy key", "generate one with: dokku git:generate-deploy-key")
