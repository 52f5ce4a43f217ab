#!/usr/bin/python3
"""certs: the TLS certificate and key of an app (commands-a.md 8). State: ROOT/APP/tls."""

import sys

import archive
import store
import x509

from dokku_min.sdk import GLOBAL, Failure, Plugin, apps, files, fire, log

plugin = Plugin("certs")
main = plugin.main


@plugin.command("certs:add", "certs:update")
def add(app, crt="", key=""):
    install(app, *(given_files(app, crt, key) if crt else given_archive()))


def given_files(app, crt, key):
    return [read_file(app, kind, path) for kind, path in (("CRT", crt), ("KEY", key))]


def read_file(app, kind, path):
    if not path:
        raise Failure(f"{kind} file specified not found", "give the certificate and its key: certs:add APP CRT KEY")
    try:
        with open(path, "rb") as file:
            data = file.read(archive.MOST_OF_ONE + 1)
    except OSError as error:
        hint = f"the dokku user must be able to read it; or: tar c server.crt server.key | dokku certs:add {app}"
        raise Failure(f"{kind} file specified not found or unreadable: {path} ({error.strerror})", hint) from None
    if len(data) > archive.MOST_OF_ONE:
        raise Failure(f"{kind} file {path} is larger than {archive.MOST_OF_ONE} bytes, it holds no certificate")
    return text(data)


def given_archive():
    if sys.stdin is None or sys.stdin.isatty():
        raise Failure(
            "Tar archive containing server.crt and server.key expected on stdin", "or give: certs:add APP CRT KEY"
        )
    return [text(data) for data in archive.read_pair(sys.stdin.buffer)]


def text(data):
    return data.decode("utf-8", "surrogateescape")


def install(app, crt, key):
    """Nothing changes unless the two belong together, and the proxy can use them."""
    x509.check_pair(crt, key)
    facts = x509.facts(crt)
    if x509.has_expired(crt):
        log.warn(f"the certificate expired on {facts.get('expires-at')}, clients will refuse it")
    log.info1_quiet(f"Installing SSL endpoint of {app}")
    log.verbose_quiet(f"for {facts.get('hostnames') or 'no host name'}, valid until {facts.get('expires-at')}")
    change(app, {"crt": crt, "key": key}, ("post-certs-update", app), ("post-domains-update", app))


def change(app, texts, *notices):
    """Replace the files and tell everybody. If a plugin cannot follow (nginx refuses the pair), the old ones are back."""
    before = store.read(app)
    store.write(app, texts)
    try:
        for notice in notices:
            fire(*notice)
    except Failure:
        store.write(app, before)
        raise


@plugin.command("certs:remove")
def remove(app):
    if not store.exists(app):
        raise Failure("An app-specific SSL endpoint is not defined")
    log.info1(f"Removing SSL endpoint from {app}")
    change(app, {}, ("post-certs-remove", app), ("post-domains-update", app))


@plugin.command("certs:show")
def show(app, what=""):
    if what not in ("crt", "key"):
        raise Failure("specify either 'key' or 'crt'", "as in: dokku certs:show APP crt")
    if not store.exists(app):
        raise Failure(f"{app} doesn't have an SSL endpoint defined")
    sys.stdout.write(files.read(store.path(app, what)))


@plugin.command("certs:generate")
def generate(app, domain):
    """Asks nothing: the certificate is for the domain, and whoever signs the request fills in the rest."""
    if store.exists(app):
        return log.info1(f"{app} has an SSL endpoint already defined")
    domain = checked(domain.lower())
    texts = x509.make(domain)
    log.info1_quiet(f"Installing a self-signed certificate for {domain}")
    change(app, texts, ("post-certs-update", app), ("domains-add", app, domain))
    log.info1_quiet("Generated this request for a signed certificate")
    print(texts["csr"], end="")
    return None


def checked(domain):
    """What openssl may be told; the last word on host names is that of domains-add, before nginx hears of it."""
    for label in domain.removeprefix("*.").split("."):
        plain = label.replace("-", "")
        if not (plain.isascii() and plain.isalnum()) or len(label) > 63 or len(domain) > 253:
            raise Failure(f"{domain} is invalid. exiting...", "a domain is a bare host name such as example.com")
    return domain


@plugin.report(heading="ssl")
def rows(scope):
    if scope == GLOBAL:
        return {}
    found = {"dir": store.directory(scope), "enabled": store.exists(scope)}
    facts = x509.facts(files.read(store.path(scope, "crt"))) if found["enabled"] else {}
    for key in ("hostnames", "expires-at", "issuer", "starts-at", "subject"):
        found[key] = facts.get(key, "")
    found["verified"] = lambda: verified(scope) if facts else ""
    return {f"ssl-{key}": value for key, value in found.items()}


def verified(app):
    return "verified by a certificate authority" if x509.is_verified(store.path(app, "crt")) else "self signed"


@plugin.trigger("certs-exists")
def certs_exists(app):
    return "true" if store.exists(app) else "false"


@plugin.trigger("certs-get")
def certs_get(app, what):
    if store.exists(app) and what in ("crt", "key"):
        sys.stdout.write(files.read(store.path(app, what)))
        return None
    return 1


@plugin.trigger("certs-set")
def certs_set(app, crt, key):
    install(apps.verify(app), *given_files(app, crt, key))


@plugin.trigger("certs-remove")
def certs_remove(app):
    remove(apps.verify(app))


@plugin.trigger("post-app-clone")
def post_app_clone(_old, new):
    """A clone has no certificate (commands-a.md 1.11), whatever else was copied."""
    if store.read(new):
        store.write(new, {})
        fire("post-certs-remove", new)


if __name__ == "__main__":
    plugin.run()
