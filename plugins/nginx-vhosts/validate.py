"""nginx:validate-config: which app's vhost is it that nginx refuses?"""

import candidate
import daemon
import places
import vhosts

from dokku_min.sdk import files, log


def validate(apps: list[str], clean: bool) -> int:
    """0 and silence when nginx takes its configuration. clean: delete the vhosts that are at fault."""
    with vhosts.locked():
        good, said = daemon.test(places.main_conf())
        if good:
            return 0
        for app in apps:
            _examine(app, clean)
        good, said = daemon.test(places.main_conf())
    if not good:
        log.warn("nginx refuses its configuration")
        log.warn(said)
    return 0 if good else 1


def _examine(app: str, clean: bool) -> None:
    text = files.read(places.vhost(app))
    if not text:
        log.warn_quiet(f"No nginx.conf exists for {app}")
        return
    good, said = candidate.alone(app)
    if good:
        return
    log.warn(f"The nginx.conf of {app} is not valid")
    log.warn(said)
    print(text, end="")
    if clean:
        log.info1(f"Deleting the nginx.conf of {app}")
        files.remove(places.vhost(app))
