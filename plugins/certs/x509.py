"""What openssl says about a certificate and a key."""

from dokku_min.errors import Failure

_NAMES = ("-nameopt", "sep_semi_plus_space,sname,utf8,esc_ctrl")  # C=US; ST=B; CN=x
_READABLE = "make it with: openssl rsa -in server.key -out server.key"


def check_pair(crt: str, key: str) -> None:
    """Raises Failure unless crt is a PEM certificate, maybe with its chain, and key the private key that belongs to it."""
    own = _public_key("x509", "-noout", "-pubkey", data=crt)
    if not own:
        raise Failure("the CRT file holds no certificate", "it must be in PEM form, with -----BEGIN CERTIFICATE-----")
    if not _works("crl2pkcs7", "-nocrl", "-certfile", "/dev/stdin", data=crt):
        raise Failure(
            "one of the certificates in the CRT file cannot be read", "it must hold the whole chain in PEM form"
        )
    other = _public_key("pkey", "-pubout", "-passin", "pass:", data=key)
    if not other and "ENCRYPTED" in key:
        raise Failure("the key in the KEY file has a passphrase, which nobody could type for the proxy", _READABLE)
    if not other:
        raise Failure("the KEY file holds no private key", "it must be in PEM form, with -----BEGIN PRIVATE KEY-----")
    if own != other:
        raise Failure(
            "the key in the KEY file does not belong to the certificate in the CRT file",
            "the CRT file begins with the server's own certificate, then come those of its issuers",
        )


def _public_key(*argv: str, data: str) -> str:
    from dokku_min import run

    status, out = run.answer("openssl", *argv, data=data, quiet=True)
    return out if status == 0 else ""


def _works(*argv: str, data: str) -> bool:
    from dokku_min import run

    return run.works("openssl", *argv, data=data)


def has_expired(crt: str) -> bool:
    return not _works("x509", "-noout", "-checkend", "0", data=crt)


def facts(crt: str) -> dict[str, str]:
    """starts-at, expires-at, subject, issuer and hostnames of a certificate; {} if it cannot be read."""
    from dokku_min import run

    what = ("-startdate", "-enddate", "-subject", "-issuer", "-ext", "subjectAltName")
    status, out = run.answer("openssl", "x509", "-noout", *what, *_NAMES, data=crt, quiet=True)
    found = dict(line.partition("=")[::2] for line in out.splitlines() if "=" in line and not line.startswith(" "))
    if status or "notAfter" not in found:
        return {}
    return {
        "starts-at": found.get("notBefore", ""),
        "expires-at": found["notAfter"],
        "subject": found.get("subject", ""),
        "issuer": found.get("issuer", ""),
        "hostnames": " ".join(_hostnames(found.get("subject", ""), out)),
    }


def _hostnames(subject: str, out: str) -> list[str]:
    """The common name and the DNS names, each once."""
    names = {part[3:] for part in subject.split("; ") if part.startswith("CN=")}
    for line in out.splitlines():
        if line.startswith(" "):
            names |= {each[4:] for each in line.strip().split(", ") if each.startswith("DNS:")}
    return sorted(names)


def is_verified(path: str) -> bool:
    """Does the certificate at path lead to an authority that this host trusts?"""
    from dokku_min import run

    return run.works("openssl", "verify", "-purpose", "sslserver", "-untrusted", path, path)


def make(domain: str) -> dict[str, str]:
    """A new 2048-bit RSA key, a signing request and a self-signed certificate of 365 days: {file ending: PEM text}."""
    key = _made("make a key", "genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
    subject = f"/CN={domain}" if len(domain) <= 64 else "/"  # X.520: a common name holds 64 characters
    who = ("-key", "/dev/stdin", "-subj", subject, "-addext", f"subjectAltName=DNS:{domain}")
    return {
        "key": key,
        "csr": _made("make a signing request", "req", "-new", *who, data=key),
        "crt": _made("make a certificate", "req", "-x509", "-new", "-days", "365", *who, data=key),
    }


def _made(purpose: str, *argv: str, data: str | None = None) -> str:
    from dokku_min import run

    status, out = run.answer("openssl", *argv, data=data, quiet=True)
    if status:
        raise Failure(f"cannot {purpose}: openssl exited {status}")
    return out
