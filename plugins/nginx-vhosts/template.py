"""The built-in vhost: from facts about an app to the text of its nginx.conf (commands-a.md 7.3). Pure."""

from syntax import host, plain_path, port, quoted

_GZIP = {
    "gzip": "on",
    "gzip_min_length": "1100",
    "gzip_buffers": "4 32k",
    "gzip_types": "text/css text/javascript text/xml text/plain text/x-component application/javascript "
    "application/x-javascript application/json application/xml application/rss+xml application/vnd.ms-fontobject "
    "font/truetype font/opentype image/svg+xml",
    "gzip_vary": "on",
    "gzip_comp_level": "6",
}
_TLS = """\
  ssl_certificate {tls}/server.crt;
  ssl_certificate_key {tls}/server.key;
  ssl_protocols TLSv1.2 TLSv1.3;
  ssl_prefer_server_ciphers off;
  ssl_session_cache shared:dokku:20m;
  ssl_session_timeout 1d;
"""
_CLIENT_ERRORS = ("400 401 402 403 405 406 407 408 409 410 411 412 413 414 415 416 417 418 420 422 423 424 426 428 429 "
                  "431 444 449 450 451")  # fmt: skip
_ERROR_PAGES = {
    "400-error.html": _CLIENT_ERRORS,
    "404-error.html": "404",
    "500-error.html": "500 501 503 504 505 506 507 508 509 510 511",
    "502-error.html": "502",
}
# server-level directives that carry a setting, unless a file of nginx.conf.d has them
_SETTINGS = {
    "underscores_in_headers": "underscore-in-headers", "client_body_timeout": "client-body-timeout",
    "client_header_timeout": "client-header-timeout", "client_max_body_size": "client-max-body-size",
    "keepalive_timeout": "keepalive-timeout", "lingering_timeout": "lingering-timeout", "send_timeout": "send-timeout",
}  # fmt: skip
_PROXY_SETTINGS = {
    "connect_timeout": "proxy-connect-timeout", "read_timeout": "proxy-read-timeout",
    "send_timeout": "proxy-send-timeout",
}  # fmt: skip
_BUFFERING = {
    "buffer_size": "proxy-buffer-size", "buffering": "proxy-buffering", "buffers": "proxy-buffers",
    "busy_buffers_size": "proxy-busy-buffers-size",
}  # fmt: skip


class Facts:
    """All that a vhost depends on. (No dataclass: importing that takes longer than to render.)"""

    app = app_dir = error_pages = ""
    settings: dict[str, str] = {}
    maps: list[tuple[str, int, str]] = []  # (scheme, port outside, port of the container)
    listeners: list[str] = []  # addresses of the web containers
    domains: list[str] = []
    bare = False  # domains are disabled: whatever reaches the port is the app's
    tls = False  # the app has a certificate
    proxy_port, ssl_port = 80, 443
    ipv6 = True
    version: tuple[int, ...] = (1, 25, 1)  # nginx's
    overridden: frozenset[str] = frozenset()  # server-level directives that nginx.conf.d sets

    def __init__(self, **known):
        self.__dict__.update(known)


def render(facts: Facts) -> str:
    """The whole file. Raises Failure for facts that nginx cannot be told."""
    servers = [_server(facts, *entry) for entry in facts.maps if _is_served(facts, entry[0])]
    return "".join(["# Made by dokku on every change: put your own directives into nginx.conf.d/*.conf\n",
                    *servers, *_upstreams(facts)])  # fmt: skip


def tls_ports(facts: Facts) -> set[int]:
    """Ports on which a handshake for one of the app's names is answered."""
    return {outside for scheme, outside, _ in facts.maps if scheme in ("https", "grpcs")}


def _is_served(facts: Facts, scheme: str) -> bool:
    if scheme in ("grpc", "grpcs"):
        return bool(facts.listeners)
    return scheme in ("http", "https")


def _server(facts: Facts, scheme: str, outside: int, inside: str) -> str:
    tls, http2 = scheme in ("https", "grpcs"), scheme != "http"
    body = _listen(facts, outside, tls, http2) + _names(facts) + _logs(facts)
    if http2 and _http2_is_directive(facts):
        body += "  http2 on;\n"
    if tls:
        body += _TLS.format(tls=plain_path(f"{facts.app_dir}/tls"))
    if scheme == "http" and _redirects(facts, outside):
        body += _include(facts) + f"  location / {{\n    return 301 https://$host:{facts.ssl_port}$request_uri;\n  }}\n"
    else:
        body += _settings(facts) + _location(facts, scheme, inside) + _errors(facts) + _include(facts)
    return f"server {{\n{body}}}\n"


def _redirects(facts: Facts, outside: int) -> bool:
    """Plain http only sends people on where an https vhost waits for them."""
    return outside in (80, facts.proxy_port) and facts.tls and any(scheme == "https" for scheme, _, _ in facts.maps)


def _http2_is_directive(facts: Facts) -> bool:
    return facts.version >= (1, 25, 1)


def _listen(facts: Facts, outside: int, tls: bool, http2: bool) -> str:
    """A bare app must win over the catch-all of the port, so it says default_server; two of them cannot share one."""
    extra = (" default_server" if facts.bare else "") + (" ssl" if tls else "")
    extra += " http2" if http2 and not _http2_is_directive(facts) else ""
    v4, v6 = facts.settings["bind-address-ipv4"], facts.settings["bind-address-ipv6"]
    text = f"  listen [{v6}]:{outside}{extra};\n" if facts.ipv6 and v6 else ""
    return f"{text}  listen {v4}{':' if v4 else ''}{outside}{extra};\n"


def _names(facts: Facts) -> str:
    return f"  server_name {' '.join(map(host, facts.domains))};\n" if facts.domains and not facts.bare else ""


def _logs(facts: Facts) -> str:
    access, error = facts.settings["access-log-path"], facts.settings["error-log-path"]
    form = facts.settings["access-log-format"] if access != "off" else ""
    return f"  access_log {access}{' ' if form else ''}{form};\n  error_log {'/dev/null' if error == 'off' else error};\n"


def _settings(facts: Facts) -> str:
    """What holds for the whole server, less what a file of nginx.conf.d sets, which would be an error to nginx."""
    wanted = {directive: facts.settings[key] for directive, key in _SETTINGS.items()} | _GZIP
    return "".join(f"  {name} {value};\n" for name, value in wanted.items() if name not in facts.overridden)


def _location(facts: Facts, scheme: str, inside: str) -> str:
    if not facts.listeners:
        return "  location / {\n    return 502;\n  }\n"
    kind = "grpc" if scheme.startswith("grpc") else "proxy"
    lines = [f"{kind}_pass {'grpc' if kind == 'grpc' else 'http'}://{_upstream(facts, inside)};"]
    lines += [f"{kind}_{name} {facts.settings[key]};" for name, key in _PROXY_SETTINGS.items()]
    if kind == "proxy":
        lines += ["proxy_http_version 1.1;"]
        lines += [f"proxy_{name} {facts.settings[key]};" for name, key in _BUFFERING.items()]
    lines += [f"{kind}_set_header {name} {value};" for name, value in _headers(facts, kind)]
    return "  location / {\n" + "".join(f"    {line}\n" for line in lines) + "  }\n"


def _headers(facts: Facts, kind: str) -> list[tuple[str, str]]:
    chosen = facts.settings
    found = [("Upgrade", "$http_upgrade"), ("Connection", "$http_connection")] if kind == "proxy" else []
    found += [
        ("Host", "$http_host"),
        ("X-Forwarded-For", quoted(chosen["x-forwarded-for-value"])),
        ("X-Forwarded-Port", quoted(chosen["x-forwarded-port-value"])),
        ("X-Forwarded-Proto", quoted(chosen["x-forwarded-proto-value"])),
        ("X-Request-Start", "$msec"),
    ]
    ssl = chosen["x-forwarded-ssl"]
    return [*found, ("X-Forwarded-Ssl", quoted(ssl))] if ssl else found


def _errors(facts: Facts) -> str:
    root = plain_path(facts.error_pages)
    return "".join(
        f"  error_page {codes} /{page};\n  location = /{page} {{\n    root {root};\n    internal;\n  }}\n"
        for page, codes in _ERROR_PAGES.items()
    )


def _include(facts: Facts) -> str:
    return f"  include {plain_path(facts.app_dir)}/nginx.conf.d/*.conf;\n"


def _upstream(facts: Facts, inside: str) -> str:
    return f"{facts.app}-{port(inside)}"


def _upstreams(facts: Facts) -> list[str]:
    """One a container port; the address is the listener's, the port the map's."""
    keepalive = facts.settings["proxy-keepalive"]
    last = f"  keepalive {keepalive};\n" if keepalive and int(keepalive) else ""
    ports = dict.fromkeys(inside for scheme, _, inside in facts.maps if _is_served(facts, scheme))
    return [
        f"upstream {_upstream(facts, inside)} {{\n"
        + "".join(f"  server {_address(address)}:{port(inside)};\n" for address in facts.listeners)
        + f"{last}}}\n"
        for inside in (ports if facts.listeners else ())
    ]


def _address(address: str) -> str:
    """An address or host name; IPv6 in brackets."""
    return f"[{address.strip('[]')}]" if ":" in address else host(address)


def hsts(settings: dict[str, str]) -> str:
    """nginx.conf.d/hsts.conf, or "" when HSTS is off."""
    if settings["hsts"] == "false":
        return ""
    words = [f"max-age={int(settings['hsts-max-age'])}"]
    words += ["includeSubdomains"] if settings["hsts-include-subdomains"] == "true" else []
    words += ["preload"] if settings["hsts-preload"] == "true" else []
    return f'add_header Strict-Transport-Security "{"; ".join(words)}" always;\n'


def directives(text: str) -> set[str]:
    """Names of the directives at the top level of an included file."""
    found, depth, fresh = set(), 0, True
    for line in text.splitlines():
        for word in line.partition("#")[0].replace("{", " { ").replace("}", " } ").replace(";", " ; ").split():
            if fresh and depth == 0 and word not in "{};":
                found.add(word)
            depth += {"{": 1, "}": -1}.get(word, 0)
            fresh = word in "{};"
    return found
