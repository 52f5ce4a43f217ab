"""Make an app's nginx.conf, have nginx agree to it, put it in place and into use (commands-a.md 7.2).

What is on disk is valid at every instant: a file is tried before it is in place, and put there by a rename. Everything
here happens with the vhosts locked, facts included, so that of two builds the later one wins with the later facts.
"""

import os

import candidate
import catchall
import daemon
import facts as facts_of
import places
import settings
import sigil
import template

from dokku_min.sdk import Failure, ask, directory_lock, dispatch, files, fire, log, names, paths

_HELD = "DOKKU_NGINX_LOCKED"  # set while this process tree holds the vhosts, for what nginx-pre-reload hooks call


class locked:  # noqa: N801 - used like a function
    """Nobody else changes a vhost or reloads nginx. A hook's nested call passes through."""

    def __enter__(self) -> None:
        self.lock = None if os.environ.get(_HELD) else directory_lock(places.data())
        if self.lock:
            self.lock.__enter__()
            os.environ[_HELD] = "1"

    def __exit__(self, *_: object) -> None:
        if self.lock:
            del os.environ[_HELD]
            self.lock.__exit__()


def is_ours(app: str) -> bool:
    return ask("proxy-type", app, must=True) in ("", "nginx")


def build(app: str, port: str = "", ip: str = "", new: bool = False, alone: bool = False) -> None:
    """Bring nginx to what the app is now; new: nobody expects it to run yet.

    port and ip: where a deploy has just put web.1 on record; without them the addresses are put on record anew.
    alone: leave other apps' vhosts as they are, else those that lead to this app's containers are built anew first.
    Raises Failure, with the vhost as it was, when nginx will not have the new one.
    """
    from dokku_min import run

    if not is_ours(app):
        return
    run.preload()
    if ask("proxy-is-enabled", app, must=True) == "false":
        log.info1(f"Nginx support is disabled for app ({app})")
        return clear(app)
    if not ip and ask("network-config-exists", app) == "true":
        fire("network-build-config", app)
    fire("ports-configure", app)
    with locked():
        facts = facts_of.of(app)
        for other in _misled(app, set(facts.listeners)) if not alone else ():
            build(other, alone=True)
        if not (facts.listeners or new):
            log.warn_quiet(f"No web listeners specified for {app}")
        text = _text(app, facts)
        added = _catch_all(facts)
        try:
            _put(facts, text, port, ip)
        except BaseException:  # its port may be taken, and then no app could be changed any more
            files.remove(added)
            raise
    return None


def _text(app: str, facts: template.Facts) -> str:
    own = "" if facts.settings["disable-custom-config"] == "true" else sigil.supplied(app)
    plugins = ask("nginx-app-template-source", app, "app-config")
    kind = "plugin-supplied" if plugins else "app-supplied" if own and facts.listeners else "built-in"
    for name in facts.domains or [app]:
        log.info1(f"Configuring {name}...(using {kind} template)")
    tls_names = _tls_names(facts)
    if kind == "built-in":
        return template.render(facts)
    return sigil.render(plugins or own, facts, tls_names, _listeners(app), _environment(app))


def try_template(app: str, path: str) -> None:
    """Raise Failure when the app's template cannot be rendered, or nginx would not take what it makes."""
    with locked():
        facts = facts_of.of(app)
        facts.listeners = ["127.0.0.1"]
        text = sigil.render(path, facts, facts.domains if facts.tls else [], {"web": "127.0.0.1:5000"}, _environment(app))
        candidate.check(app, text, facts.domains)


def _tls_names(facts: template.Facts) -> list[str]:
    """Domains that the certificate is good for; when it is for none of them, say what it is for."""
    if not facts.tls or not facts.domains:
        return []
    names = facts_of.certificate_names(facts.app)
    found = facts_of.matching(facts.domains, names)
    if not found:
        log.info1(f"No matching domains: the certificate of {facts.app} is for {' '.join(names) or 'no name'}")
        log.info1(f"The domains of {facts.app} are {' '.join(facts.domains)}")
    return found


def _listeners(app: str) -> dict[str, str]:
    scale = [line.partition("=")[0] for line in ask("ps-current-scale", app).split()]
    return {name: ask("network-get-listeners", app, name) for name in dict.fromkeys(["web", *scale])}


def _environment(app: str) -> dict[str, str]:
    import json

    found = json.loads(ask("config-export", app, "false", "true", "json") or "{}")
    return {name: value for name, value in found.items() if name != "PATH" and not name.startswith("LD_")}


def _catch_all(facts: template.Facts) -> str:
    if not facts.domains or not facts.tls:
        return ""
    usual = ask("ports-get-property", "--global", "proxy-ssl-port")
    port = int(usual) if usual.isdigit() and int(usual) else 443
    if port in template.tls_ports(facts) and facts.version >= (1, 19, 4):
        return catchall.ensure_tls(port)
    return ""


def _put(facts: template.Facts, text: str, port: str, ip: str) -> None:
    """Into place and into use. A hook may change the file in place; if nginx refuses that, the old one comes back."""
    app, path = facts.app, places.vhost(facts.app)
    before, loaded = files.read(path), _loaded(app)
    hsts_before = _put_hsts(facts)
    hooked = bool(dispatch.index().handlers("nginx-pre-reload"))
    if text == before and not hooked and _state(app) == loaded and daemon.master():
        return
    try:
        candidate.check(app, text, facts.domains)
        log.info1(f"Creating {'https' if template.tls_ports(facts) else 'http'} nginx.conf")
        files.remove(_marker(app))
        files.write(path, text, mode=0o644)
        fire("nginx-pre-reload", app, port or _first_port(facts), ip or (facts.listeners or [""])[0])
        if files.read(path) != text:
            _check_live()
        _into_use(app, loaded)
    except BaseException:  # a Failure of ours, a hook's exit status, Ctrl-C: none may leave a half-made change
        _restore(path, before)
        _restore(f"{places.includes(app)}/hsts.conf", hsts_before)
        raise


def _restore(path: str, text: str) -> None:
    if text:
        files.write(path, text, mode=0o644)
    else:
        files.remove(path)


def _first_port(facts: template.Facts) -> str:
    return facts.maps[0][2] if facts.listeners and facts.maps else ""


def _check_live() -> None:
    good, said = daemon.test(places.main_conf())
    if not good:
        raise Failure("nginx refuses its configuration after a plugin changed it, the old one stays", said)


def _into_use(app: str, loaded: str) -> None:
    """Reload, unless nginx has exactly this already; then note what it has."""
    state = _state(app)
    if daemon.stopped_on_purpose():
        return
    if state != loaded or not daemon.master():
        log.verbose("Reloading nginx")
        daemon.reload(settings.effective(app, "nginx-service-command"))
    files.make_dir(places.data(app))
    files.write(_marker(app), state)


def _marker(app: str) -> str:
    return f"{places.data(app)}/loaded"


def _loaded(app: str) -> str:
    return files.read(_marker(app))


def _state(app: str) -> str:
    """A digest of all the files that nginx reads for the app."""
    import hashlib

    total = hashlib.sha256()
    for path in (places.vhost(app), *_below(places.includes(app)), *_below(f"{paths.app_dir(app)}/tls")):
        total.update(f"{path}\0".encode() + files.read(path).encode("utf-8", "surrogateescape"))
    return total.hexdigest()


def _below(directory: str) -> list[str]:
    names = sorted(os.listdir(directory)) if os.path.isdir(directory) else []
    return [f"{directory}/{name}" for name in names if os.path.isfile(f"{directory}/{name}")]


def _put_hsts(facts: template.Facts) -> str:
    """nginx.conf.d/hsts.conf, valid in any vhost, as it should be; what it was before."""
    path = f"{places.includes(facts.app)}/hsts.conf"
    files.make_dir(places.includes(facts.app))
    before = files.read(path)
    text = _hsts(facts) if facts.tls and facts.listeners else ""
    if text != before:
        _restore(path, text)
    return before


def _hsts(facts: template.Facts) -> str:
    source = ask("nginx-app-template-source", facts.app, "hsts-config")
    text = template.hsts(facts.settings)
    if text:
        log.verbose(f"Enabling HSTS (using {'plugin-supplied' if source else 'built-in'} template)")
    if not (text and source):
        return text
    words = {key.upper().replace("-", "_"): value for key, value in facts.settings.items() if key.startswith("hsts")}
    return sigil.render_words(source, words)


def clear(app: str) -> None:
    """Take the app's vhost away, files first, so that whenever nginx starts anew it starts without it."""
    with locked():
        files.remove(_marker(app))
        if files.remove(places.vhost(app)):
            log.info1("Deleting nginx.conf")
            reload_all()


def clear_strangers() -> None:
    """Take the vhosts away that point at what is no longer their app's container: it may be another app's by now."""
    with locked():
        stale = [app for app in names.all_apps() if _strangers(app)]
        for app in stale:
            log.info1(f"Addresses of {app} have changed, it is back when it is restored")
            files.remove(_marker(app))
            files.remove(places.vhost(app))
        if stale:
            reload_all()


def _misled(app: str, addresses: set[str]) -> list[str]:
    """Apps whose vhost still leads to where this one is now: their container is gone, and docker has dealt it out anew."""
    others = [each for each in names.all_apps() if each != app and _servers(each) & addresses]
    return [each for each in others if _strangers(each)]


def _strangers(app: str) -> set[str]:
    """Addresses in the app's vhost at which none of its containers listens now."""
    servers = _servers(app)
    return servers - set(facts_of.addresses(ask("network-get-listeners", app, "web"))) if servers else set()


def _servers(app: str) -> set[str]:
    """The addresses that the app's vhost leads to."""
    told = (line.split() for line in files.read(places.vhost(app)).splitlines() if line.lstrip().startswith("server "))
    return {words[1].rpartition(":")[0].strip("[]") for words in told if ":" in words[1]}


def reload_all() -> None:
    """Reload nginx after its configuration has passed; quietly nothing when the operator has stopped it."""
    if daemon.stopped_on_purpose() or not daemon.master():
        return
    good, said = daemon.test(places.main_conf())
    if not good:
        raise Failure("nginx refuses its configuration, it goes on with the old one", said)
    daemon.reload(settings.effective("--global", "nginx-service-command"))
