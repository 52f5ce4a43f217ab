"""Try a vhost on nginx, together with everything else it serves, before it is in place.

dokku-test/nginx.conf (install.py) is the live configuration, but reads the vhosts from a directory of ours. It has
a link to every app's directory, except for the app on trial, which has a directory with the new file instead.
"""

import os

import daemon
import places

from dokku_min.sdk import Failure, files, log, paths


def check(app: str, text: str, domains: list[str]) -> None:
    """Raise Failure when nginx would not take text as the app's vhost. Call it with the vhosts locked."""
    _arrange(app, text)
    good, said = daemon.test(places.test_conf())
    mine = f"{os.path.dirname(places.test_conf())}/dokku-vhosts/{app}/nginx.conf"
    if not good:
        raise _refused(app, text, said, mine)
    warn_of_shared_names(said, domains)


def alone(app: str) -> tuple[bool, str]:
    """Does nginx take the app's vhost as it is, without those of the other apps? And what it said."""
    _link({app})
    return daemon.test(places.test_conf())


def _arrange(app: str, text: str) -> None:
    root = paths.dokku_root()
    others = {name for name in os.listdir(root) if name[0] != "." and os.path.isfile(f"{root}/{name}/nginx.conf")}
    _link(others - {app})
    files.make_dir(f"{places.candidate()}/{app}")
    files.write(f"{places.candidate()}/{app}/nginx.conf", text, mode=0o644)


def _link(apps: set[str]) -> None:
    """Links to these apps' directories and nothing else; what was there may be a killed process's."""
    base = places.candidate()
    files.make_dir(base)
    for name in os.listdir(base):
        if name not in apps or not os.path.islink(f"{base}/{name}"):
            files.remove_tree(f"{base}/{name}")
    for name in apps - set(os.listdir(base)):
        os.symlink(paths.app_dir(name), f"{base}/{name}")


def _refused(app: str, text: str, said: str, mine: str) -> Failure:
    """The fault is the new vhost's if nginx names it, or takes the configuration as it is without it."""
    errors = [reason(line) for line in said.splitlines() if "[emerg]" in line] or [said]
    if mine not in said and not daemon.test(places.main_conf())[0]:
        return Failure(f"nginx refuses its configuration, of which {app} is a part", "\n".join(errors))
    number = errors[0].rpartition(":")[2].strip()
    lines = text.splitlines()
    shown = [lines[int(number) - 1].strip()] if number.isdigit() and 0 < int(number) <= len(lines) else []
    told = [error.replace(mine, "its new nginx.conf") for error in errors]
    return Failure(f"nginx refuses the new configuration of {app}, the old one stays", "\n".join([*told, *shown]))


def reason(line: str) -> str:
    """What an `[emerg] PID#PID: reason` line of nginx says."""
    return line.partition("[emerg] ")[2].partition(": ")[2]


def warn_of_shared_names(said: str, domains: list[str]) -> None:
    """nginx serves a name that two vhosts claim from the first one, and only mutters about it."""
    claimed = {line.partition('conflicting server name "')[2].partition('"')[0] for line in said.splitlines()}
    for name in sorted(claimed & set(domains)):
        log.warn(f"another app has the domain {name} too, and only one of them is served")
