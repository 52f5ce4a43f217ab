"""Every path of this plugin, named once."""

import os

from dokku_min.sdk import paths

OPENRESTY = "/usr/bin/openresty"
_BINARIES = (OPENRESTY, "/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/bin/nginx")


def main_conf() -> str:
    """nginx's own configuration file, root's."""
    return os.environ.get("DOKKU_NGINX_CONF") or "/etc/nginx/nginx.conf"


def conf_dir() -> str:
    return os.path.dirname(main_conf())


def test_conf() -> str:
    """The main configuration once more, from where relative includes lead to the candidate vhosts (candidate.py)."""
    return f"{conf_dir()}/dokku-test/nginx.conf"


def binary() -> str:
    """The nginx program (commands-a.md 7). A fixed list, not PATH: sudoers names it, and must name the same."""
    for path in _BINARIES:
        if os.access(path, os.X_OK):
            return path
    return "nginx"


def log_root() -> str:
    """Where the apps' logs are unless told otherwise; a second nginx on the machine keeps them beside its own conf."""
    if conf_dir() != "/etc/nginx" and not os.access(OPENRESTY, os.X_OK):
        return f"{conf_dir()}/log"
    return "/var/log/openresty" if os.access(OPENRESTY, os.X_OK) else "/var/log/nginx"


def data(app: str = "") -> str:
    return paths.data_dir("nginx-vhosts", f"app-{app}" if app else "")


def error_pages() -> str:
    return f"{data()}/dokku-errors"


def defaults() -> str:
    """Catch-all servers that only exist when an app needs them (catchall.py)."""
    return f"{data()}/defaults"


def candidate() -> str:
    """A directory that looks like DOKKU_ROOT to nginx, one app's vhost exchanged for the one on trial."""
    return f"{data()}/candidate"


def vhost(app: str) -> str:
    return f"{paths.app_dir(app)}/nginx.conf"


def includes(app: str) -> str:
    return f"{paths.app_dir(app)}/nginx.conf.d"
