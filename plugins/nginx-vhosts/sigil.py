"""Templates that an app or a plugin brings, rendered by the program `sigil` (commands-a.md 7.4)."""

import places
from template import Facts

from dokku_min.sdk import Failure, files, paths


def render(path: str, facts: Facts, tls_names: list[str], scale: dict[str, str], env: dict[str, str]) -> str:
    """The vhost out of the template at path. scale: process type -> its listeners; env: the app's environment."""
    return render_words(path, variables(facts, tls_names, scale), env)


def render_words(path: str, words: dict[str, str], env: dict[str, str] | None = None) -> str:
    from dokku_min import run

    need(path)
    status, text = run.answer("sigil", "-f", path, *(f"{k}={v}" for k, v in words.items()), env=env or {})
    if status:
        raise Failure(f"cannot render {path}: sigil exited {status}", "it says above what it did not understand")
    return text


def need(path: str) -> None:
    from dokku_min import run

    if not run.installed("sigil"):
        raise Failure(
            "a template needs the program sigil, which is not installed",
            "install it (https://github.com/gliderlabs/sigil), or use dokku's own template:\n"
            "dokku nginx:set <app> disable-custom-config true",
        )


def variables(facts: Facts, tls_names: list[str], scale: dict[str, str]) -> dict[str, str]:
    """What a template may use; the names are part of Dokku's interface."""
    chosen, version = facts.settings, facts.version
    found = {
        "APP": facts.app,
        "DOKKU_ROOT": paths.dokku_root(),
        "DOKKU_LIB_ROOT": paths.lib_root(),
        "APP_SSL_PATH": f"{facts.app_dir}/tls",
        "SSL_INUSE": "true" if facts.tls else "",
        "SSL_SERVER_NAME": " ".join(tls_names),
        "NOSSL_SERVER_NAME": " ".join(facts.domains),
        "PROXY_PORT": str(facts.proxy_port),
        "PROXY_SSL_PORT": str(facts.ssl_port),
        "NGINX_PORT": str(facts.proxy_port),
        "NGINX_SSL_PORT": str(facts.ssl_port),
        "PROXY_PORT_MAP": " ".join(f"{scheme}:{outside}:{inside}" for scheme, outside, inside in facts.maps),
        "PROXY_UPSTREAM_PORTS": " ".join(dict.fromkeys(inside for _, _, inside in facts.maps)),
        "NGINX_LOG_ROOT": places.log_root(),
        "HTTP2_SUPPORTED": _yes(facts.tls),
        "HTTP2_DIRECTIVE_SUPPORTED": _yes(version >= (1, 25, 1)),
        "HTTP2_PUSH_SUPPORTED": _yes((1, 13, 9) <= version < (1, 25)),
        "TLS13_SUPPORTED": "true",
        "GRPC_SUPPORTED": "true",
        "SPDY_SUPPORTED": "false",
    }
    found.update({_name_of(key): chosen[key] for key in chosen if key not in _NOT_FOR_TEMPLATES})
    found.update({f"DOKKU_APP_{proc.upper().replace('-', '_')}_LISTENERS": where for proc, where in scale.items()})
    web = scale.get("web", "")
    address, _, port = (web.split() or [""])[0].rpartition(":")
    return {**found, "DOKKU_APP_LISTENERS": web, "DOKKU_APP_LISTEN_PORT": port, "DOKKU_APP_LISTEN_IP": address,
            "PASSED_LISTEN_IP_PORT": "true" if web else ""}  # fmt: skip


_NOT_FOR_TEMPLATES = {"disable-custom-config", "nginx-conf-sigil-path", "nginx-service-command", "hsts",
                      "hsts-include-subdomains", "hsts-max-age", "hsts-preload"}  # fmt: skip
_NAMES = {
    "access-log-format": "NGINX_ACCESS_LOG_FORMAT", "access-log-path": "NGINX_ACCESS_LOG_PATH",
    "error-log-path": "NGINX_ERROR_LOG_PATH", "bind-address-ipv4": "NGINX_BIND_ADDRESS_IP4",
    "bind-address-ipv6": "NGINX_BIND_ADDRESS_IP6", "underscore-in-headers": "NGINX_UNDERSCORE_IN_HEADERS",
    "x-forwarded-for-value": "PROXY_X_FORWARDED_FOR", "x-forwarded-port-value": "PROXY_X_FORWARDED_PORT",
    "x-forwarded-proto-value": "PROXY_X_FORWARDED_PROTO", "x-forwarded-ssl": "PROXY_X_FORWARDED_SSL",
}  # fmt: skip


def _name_of(key: str) -> str:
    return _NAMES.get(key) or key.upper().replace("-", "_")


def _yes(holds: bool) -> str:
    return "true" if holds else "false"


def supplied(app: str) -> str:
    """The app's own template as its last deploy brought it, or ""."""
    path = f"{places.data(app)}/nginx.conf.sigil"
    return path if files.read(path) else ""
