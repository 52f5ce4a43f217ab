"""Bring the apps up again after a boot or a restart of docker, and clear away what has had its grace period."""

import os

from dokku_min import environment, host, run
from dokku_min.sdk import words

RESTORE = """[Unit]
Description=Bring dokku apps back to their current release
Requires=docker.service
After=docker.service
PartOf=docker.service

[Service]
Type=oneshot
User={user}
ExecStart={program} ps:restore --parallel -1
RemainAfterExit=yes

[Install]
WantedBy=docker.service
"""
# Containers come up with each other's addresses, and are up before anybody is told that docker is. docker is not to be
# asked here: systemd would start it, and it waits for us.
HOLD = """[Unit]
Description=Have nginx point at no container until docker has started them anew
After=nginx.service
Before=docker.service
PartOf=docker.service

[Service]
Type=oneshot
User={user}
Environment=DOCKER_HOST=unix:///nonexistent
ExecStart={program} --quiet proxy:build-config --all
RemainAfterExit=yes

[Install]
WantedBy=docker.service
"""
RETIRE = """[Unit]
Description=Remove dokku containers whose grace period is over
After=docker.service

[Service]
Type=oneshot
User={user}
ExecStart={program} ps:retire
SuccessExitStatus=137
"""
TIMER = """[Unit]
Description=Remove dokku containers whose grace period is over, every five minutes

[Timer]
OnCalendar=*:0/5
Persistent=true

[Install]
WantedBy=timers.target
"""
SCRIPT = """#!/bin/sh
### BEGIN INIT INFO
# Provides:          {name}
# Required-Start:    $remote_fs $network docker
# Required-Stop:
# Default-Start:     2 3 4 5
# Default-Stop:
# Short-Description: Bring dokku apps back to their current release
### END INIT INFO
# Run me after docker has started. systemd is not needed, and not used.
case "${{1:-start}}" in
  start | restart) exec {command} ps:restore --parallel -1 ;;
esac
"""


def install():
    """Units where systemd runs the machine; else an init script and a cron line. A second installation gets only the
    latter two: its places come from the environment, which units do not see."""
    user = environment.system_user()
    with open(f"{os.environ['DOKKU_ROOT']}/.sshcommand") as file:
        command = file.read().strip()
    name = "dokku-redeploy" if user == "dokku" else f"{user}-redeploy"
    if os.path.isdir("/run/systemd/system") and command.startswith("/"):
        _units(user, command, name)
        return
    host.file(f"/etc/init.d/{name}", SCRIPT.format(name=name, command=command), mode=0o755)
    if os.path.isdir("/etc/cron.d"):
        retire = name.replace("redeploy", "retire")
        line = " ".join(words.quote(word) for word in command.split())
        host.file(f"/etc/cron.d/{retire}", f"*/5 * * * * {user} {line} ps:retire >/dev/null 2>&1\n")


def _units(user, program, name):
    units = {f"{name}.service": RESTORE, "dokku-hold.service": HOLD,
             "dokku-retire.service": RETIRE, "dokku-retire.timer": TIMER}  # fmt: skip
    changed = [
        host.file(f"/etc/systemd/system/{unit}", text.format(user=user, program=program)) for unit, text in units.items()
    ]
    if any(changed) and not host.dry():
        run.check("load the units", "systemctl", "daemon-reload")
        run.check("enable the units", "systemctl", "enable", "-q", f"{name}.service", "dokku-hold.service",
                  "dokku-retire.timer")  # fmt: skip
        run.check("start the timer", "systemctl", "start", "dokku-retire.timer")
