"""The properties of nginx:set (commands-a.md 7.1): what each may be and what it is when nobody has set it."""

import os

import places
import syntax

from dokku_min.sdk import Failure, properties

_STORE = "nginx"
_PAGE = os.sysconf("SC_PAGE_SIZE") // 1024

CHECKS = {
    "access-log-format": syntax.format_name,
    "access-log-path": syntax.log_path,
    "bind-address-ipv4": syntax.ipv4,
    "bind-address-ipv6": syntax.ipv6,
    "client-body-timeout": syntax.duration,
    "client-header-timeout": syntax.duration,
    "client-max-body-size": syntax.size,
    "disable-custom-config": syntax.boolean,
    "error-log-path": syntax.log_path,
    "hsts": syntax.boolean,
    "hsts-include-subdomains": syntax.boolean,
    "hsts-max-age": syntax.number,
    "hsts-preload": syntax.boolean,
    "keepalive-timeout": syntax.duration,
    "lingering-timeout": syntax.duration,
    "nginx-conf-sigil-path": syntax.source_path,
    "nginx-service-command": syntax.command,
    "proxy-buffer-size": syntax.size,
    "proxy-buffering": syntax.switch,
    "proxy-buffers": syntax.buffers,
    "proxy-busy-buffers-size": syntax.size,
    "proxy-connect-timeout": syntax.duration,
    "proxy-keepalive": syntax.number,
    "proxy-read-timeout": syntax.duration,
    "proxy-send-timeout": syntax.duration,
    "send-timeout": syntax.duration,
    "underscore-in-headers": syntax.switch,
    "x-forwarded-for-value": syntax.text,
    "x-forwarded-port-value": syntax.text,
    "x-forwarded-proto-value": syntax.text,
    "x-forwarded-ssl": syntax.text,
}
DEFAULTS = {
    "bind-address-ipv6": "::", "client-body-timeout": "60s", "client-header-timeout": "60s",
    "client-max-body-size": "1m", "disable-custom-config": "false", "hsts": "true", "hsts-include-subdomains": "true",
    "hsts-max-age": "15724800", "hsts-preload": "false", "keepalive-timeout": "75s", "lingering-timeout": "5s",
    "nginx-conf-sigil-path": "nginx.conf.sigil", "proxy-buffer-size": f"{_PAGE}k", "proxy-buffering": "on",
    "proxy-buffers": f"8 {_PAGE}k", "proxy-busy-buffers-size": f"{2 * _PAGE}k", "proxy-connect-timeout": "60s",
    "proxy-read-timeout": "60s", "proxy-send-timeout": "60s", "send-timeout": "60s", "underscore-in-headers": "off",
    "x-forwarded-for-value": "$remote_addr", "x-forwarded-port-value": "$server_port",
    "x-forwarded-proto-value": "$scheme",
}  # fmt: skip


def default(app: str, key: str) -> str:
    if key in ("access-log-path", "error-log-path"):
        return f"{places.log_root()}/{app}-{key.partition('-')[0]}.log"
    return DEFAULTS.get(key, "")


def raw(scope: str, key: str) -> str:
    return properties.get(_STORE, scope, key)


def effective(app: str, key: str) -> str:
    return properties.effective(_STORE, app, key, default(app, key))


def checked(key: str, value: str) -> str:
    """The value as nginx may have it; also stored ones are checked, for they may come from an older installation."""
    try:
        return CHECKS[key](value)
    except Failure as failure:
        raise Failure(f"{key}: {failure.message}", failure.hint) from None


def all_of(app: str) -> dict[str, str]:
    """Every setting that holds for the app."""
    found = {key: effective(app, key) for key in CHECKS}
    return {key: checked(key, value) if value else "" for key, value in found.items()}


def report(scope: str) -> dict[str, object]:
    """Rows for nginx:report; of `--global` only the global values."""
    rows = {f"nginx-global-{key}": raw("--global", key) for key in CHECKS}
    if scope == "--global":
        return rows
    rows.update({f"nginx-{key}": raw(scope, key) for key in CHECKS})
    rows.update({f"nginx-computed-{key}": effective(scope, key) for key in CHECKS})
    return {**rows, "nginx-last-visited-at": lambda: last_visited_at(scope)}


def last_visited_at(app: str) -> str:
    """When the app's own access log was last written to, in seconds; "" unless one has been set."""
    path = raw(app, "access-log-path")
    return str(int(os.stat(path).st_mtime)) if path and os.path.isfile(path) else ""
