"""Servers for host names that no app has: refuse, rather than show whichever app happens to come first.

None says `default_server`: nginx takes the first server of a port, and these come first (conf.d/00-default-vhost.conf),
so an operator's own default server on the same port still wins, and so does an app without domains.
"""

import places

from dokku_min.sdk import files


def http_server(port: int) -> str:
    return _server(listens(port) + "  return 444;\n")


def tls_server(port: int) -> str:
    return _server(listens(port, " ssl") + "  ssl_protocols TLSv1.2 TLSv1.3;\n  ssl_reject_handshake on;\n")


def _server(body: str) -> str:
    return f"server {{\n  server_name _;\n  access_log off;\n{body}}}\n"


def listens(port: int, extra: str = "") -> str:
    text = f"  listen {port}{extra};\n"
    return f"  listen [::]:{port}{extra};\n{text}" if has_ipv6() else text


def has_ipv6() -> bool:
    """Can this kernel make IPv6 sockets? nginx does not start with a listen line for what is not there."""
    import _socket

    try:
        _socket.socket(_socket.AF_INET6, _socket.SOCK_STREAM).close()
    except OSError:
        return False
    return True


def ensure_tls(port: int) -> str:
    """From the first https vhost on, unknown names are refused on its port too. The file that this adds, or ""."""
    path = f"{places.defaults()}/tls-{port}.conf"
    if files.read(path) == tls_server(port):
        return ""
    files.make_dir(places.defaults())
    files.write(path, tls_server(port), mode=0o644)
    return path

