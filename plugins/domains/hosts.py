"""Host names: the one validator for those that reach the proxy, and the default names of an app (commands-a.md 4)."""

from dokku_min.errors import Failure

_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")


def is_host(name: str, underscores: bool = False) -> bool:
    """A lower-case host name of RFC 1123 lengths, `_`, `.name` (it and all below), `*.name` or `name.*`.

    A `*` anywhere else is no name to nginx, and would break the configuration of every app. underscores: allow them in
    labels, for names that are in use already.
    """
    if name == "_":
        return True
    if len(name) > 253 or name.startswith("-"):
        return False
    below = name.startswith((".", "*."))
    labels = (name.partition(".")[2] if below else name.removesuffix(".*")).split(".")
    known = _LETTERS | {"_"} if underscores else _LETTERS
    return all(0 < len(label) <= 63 and not set(label) - known for label in labels)


def checked(names) -> list[str]:  # type: ignore[no-untyped-def]
    """The names in lower case, each once; Failure if there are none or one is not a host name."""
    if not names:
        raise Failure("Please specify a domain name", "as in: example.com")
    for name in names:
        if not is_host(name.lower()):
            raise Failure(
                f"{name} is invalid. exiting...",
                "a domain is a bare host name such as example.com or *.example.com: no scheme, port or path",
            )
    return list(dict.fromkeys(name.lower() for name in names))


def is_address(name: str) -> bool:
    """Does the name end in an IPv4 or IPv6 address? Nothing can be a subdomain of that (`1.2.3.4.sslip.io` is fine)."""
    return ":" in name or name.rpartition(".")[2].isdigit()


def default(app: str, vhost: str) -> str:
    """The name of the app below a global one; an app that is named like a host keeps its name. "" if it has none."""
    label = app.replace("_", "-")  # older app names may hold it, host names may not
    name = label if "." in app else f"{label}.{vhost.lstrip('.')}"
    return name if is_host(name) else ""
