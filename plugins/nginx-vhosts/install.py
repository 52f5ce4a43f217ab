"""The `install` hook, as root: join the apps' vhosts to nginx's configuration, let the dokku user test and reload it.

In nginx's configuration directory, all of it root's and fixed:

    conf.d/00-default-vhost.conf  refuses unknown host names
    conf.d/dokku.conf             includes dokku-vhosts/*/nginx.conf, a path relative to the main configuration file
    dokku-vhosts                  -> DOKKU_ROOT
    dokku-test/nginx.conf         includes the main configuration; started from here, the relative path leads to
    dokku-test/dokku-vhosts       -> the candidate vhosts

So `nginx -t -c .../dokku-test/nginx.conf` tests the whole server with one vhost exchanged, before it is in place; and
what the dokku user can change is only ever included inside `http`, where no module can be loaded.
"""

import os

import catchall
import daemon
import places

from dokku_min import environment, host
from dokku_min.sdk import Failure, log, paths

_WRITTEN_BY = "# Written by `dokku setup`, which overwrites changes.\n"
_PATH = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._/-")


def install(proxy_port: str) -> None:
    """proxy_port: the global proxy port, "" for 80."""
    user = environment.system_user()
    if not os.path.isfile(places.main_conf()):
        raise Failure(f"there is no nginx configuration {places.main_conf()}", "install nginx: apt-get install nginx")
    before = len(host.changes)
    _data(user)
    _joints()
    _configuration(int(proxy_port or 80))
    _stock_site()
    _sudoers(user)
    _serve(changed=len(host.changes) > before)


def _data(user: str) -> None:
    for path in (places.data(), places.candidate(), places.defaults(), places.error_pages()):
        host.directory(path, user)
    source = f"{os.path.dirname(os.path.abspath(__file__))}/errors"
    for name in sorted(os.listdir(source)):
        with open(f"{source}/{name}") as page:
            host.file(f"{places.error_pages()}/{name}", page.read(), owner=user)
    if places.log_root().startswith(f"{places.conf_dir()}/"):
        host.directory(places.log_root())


def _joints() -> None:
    """Links, and for the test a second configuration directory with all that the first one has."""
    base, trial = places.conf_dir(), os.path.dirname(places.test_conf())
    host.directory(trial)
    host.link(f"{base}/dokku-vhosts", paths.dokku_root())
    host.link(f"{trial}/dokku-vhosts", places.candidate())
    own = {"dokku-test", "dokku-vhosts", os.path.basename(places.main_conf()), "log"}
    for name in sorted(os.listdir(base)):
        if name not in own and not name.endswith((".new", ".pid", ".log")):
            host.link(f"{trial}/{name}", f"../{name}")
    host.file(places.test_conf(), f"{_WRITTEN_BY}include {places.main_conf()};\n")


def _configuration(port: int) -> None:
    conf_d = f"{places.conf_dir()}/conf.d"
    host.directory(conf_d)
    host.file(f"{conf_d}/00-default-vhost.conf", _WRITTEN_BY + _default_vhost(port))
    if not _set_elsewhere("server_names_hash_bucket_size"):
        host.file(f"{conf_d}/server_names_hash_bucket_size.conf", "server_names_hash_bucket_size 512;\n")
    hidden = "" if _set_elsewhere("server_tokens") else "server_tokens off;\n"
    host.file(f"{conf_d}/dokku.conf", f"{_WRITTEN_BY}{hidden}include dokku-vhosts/*/nginx.conf;\n")


def _default_vhost(port: int) -> str:
    return f"{catchall.http_server(port)}include {_plain(places.defaults())}/*.conf;\n"


def _set_elsewhere(directive: str) -> bool:
    """Does a file that is not ours set it in http? A second time would be an error to nginx."""
    conf_d = f"{places.conf_dir()}/conf.d"
    others = [f"{conf_d}/{name}" for name in sorted(os.listdir(conf_d)) if name != "dokku.conf"]
    return any(_sets(path, directive) for path in (places.main_conf(), *others) if path.endswith(".conf"))


def _sets(path: str, directive: str) -> bool:
    with open(path, errors="surrogateescape") as conf:
        return any(line.split()[:1] == [directive] for line in conf)


def _stock_site() -> None:
    """The distribution's welcome page would answer on port 80 in place of the apps; an edited one is the operator's."""
    link = f"{places.conf_dir()}/sites-enabled/default"
    site = f"{places.conf_dir()}/sites-available/default"
    if os.path.islink(link) and os.path.realpath(link) == site and _is_stock(site):
        host.absent(link)


def _is_stock(site: str) -> bool:
    """dpkg notes every configuration file with the MD5 sum that its package shipped."""
    import hashlib

    from dokku_min import run

    with open(site, "rb") as file:
        digest = hashlib.md5(file.read(), usedforsecurity=False).hexdigest()
    status, noted = run.answer("dpkg-query", "--showformat", "${Conffiles}", "--show", "nginx-common", quiet=True)
    return status == 0 and [site, digest] in [line.split()[:2] for line in noted.splitlines()]


def _sudoers(user: str) -> None:
    """Fixed commands with fixed arguments, checked by visudo before sudo may see them."""
    from dokku_min import run

    text = sudoers(user)
    run.capture("check the sudo rules for nginx", "visudo", "-cqf", "-", data=text)
    host.file(f"/etc/sudoers.d/{user.replace('.', '_')}-nginx", text, mode=0o440)


def sudoers(user: str) -> str:
    confs = (places.main_conf(), places.test_conf())
    argvs = [*map(daemon.test_argv, confs), daemon.reload_argv(), daemon.start_argv(), daemon.stop_argv()]
    argvs += [argv for argv in map(daemon.boot_argv, ("enable", "disable")) if argv]
    if confs[0] == "/etc/nginx/nginx.conf":  # what plugins for Dokku say
        argvs += [[places.binary(), "-t"], [places.binary(), "-s", "reload"]]
    rules = [" ".join(map(_plain, argv)) for argv in argvs]
    return f"{_WRITTEN_BY}Defaults:{_plain(user)} !requiretty\n" + "".join(
        f"{_plain(user)} ALL=(root) NOPASSWD: {rule}\n" for rule in rules
    )


def _plain(word: str) -> str:
    """The word, if it means itself both to sudo and to nginx."""
    if not word or set(word) - _PATH:
        raise Failure(f"nginx and sudo cannot be told of {word!r}", "use paths of letters, digits, dots and dashes")
    return word


def _serve(changed: bool) -> None:
    """Take what changed into use, or start nginx, unless the operator has stopped it with nginx:stop."""
    if daemon.stopped_on_purpose() or (daemon.master() and not changed):
        return
    good, said = daemon.test(places.main_conf())
    if not good:
        raise Failure("nginx refuses its configuration", said)
    log.verbose("reload nginx" if daemon.master() else "start nginx")
    daemon.reload()
