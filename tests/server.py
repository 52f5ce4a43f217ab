#!/usr/bin/env python3
"""A whole dokku server for tests and development, beside any other on this machine: server.py NAME [--stop|--remove].

It is a second installation: own user, own trees under /srv/dokku-NAME, own sshd and nginx on loopback ports that follow
from the name; only the docker engine is shared. Everything is the real program. Run as root.
"""

import os
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent

SSHD = """Port {ssh_port}
ListenAddress 127.0.0.1
HostKey {base}/ssh/host_key
PidFile {base}/ssh/sshd.pid
AuthorizedKeysFile .ssh/authorized_keys
PasswordAuthentication no
UsePAM no
StrictModes no
AcceptEnv LANG LC_*
LogLevel ERROR
"""
NGINX = """pid {base}/nginx/nginx.pid;
error_log {base}/nginx/error.log;
worker_processes 2;
events {{ worker_connections 1024; }}
http {{
  include /etc/nginx/mime.types;
  access_log {base}/nginx/access.log;
  include {base}/nginx/conf.d/*.conf;
}}
"""


class Server:
    """One installation. dokku(...) runs a command as root does, ssh(...) as a far developer with the key `admin`."""

    def __init__(self, name: str):
        self.name = name
        self.user = f"dokku-{name}"
        self.base = Path(f"/srv/dokku-{name}")
        self.root, self.lib, self.bin = self.base / "home", self.base / "lib", self.base / "bin"
        self.ssh_port = 10000 + zlib.crc32(name.encode()) % 10000  # both below 32768, where outgoing connections start
        self.http_port = self.ssh_port + 10000
        self.https_port = self.ssh_port - 8900
        self.key = self.base / "ssh/id"
        self.env = {
            "DOKKU_ROOT": str(self.root), "DOKKU_LIB_PATH": str(self.lib), "DOKKU_SYSTEM_USER": self.user,
            "DOKKU_SYSTEM_GROUP": self.user, "DOKKU_BIN_DIR": str(self.bin), "LANG": "C.UTF-8", "HOME": "/root",
            "DOKKU_LOGS_DIR": str(self.base / "log"), "DOKKU_NGINX_CONF": str(self.base / "nginx/nginx.conf"),
            "PATH": f"{self.bin}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        }  # fmt: skip

    def start(self, archive: Path | None = None) -> None:
        """Install (or upgrade to) the archive, built anew from this checkout unless given, and start its daemons."""
        archive = archive or self.build()
        self.lay_out()
        run(archive, "setup", "--ssh-key", f"{self.key}.pub", "--name", "admin", env=self.env)
        # what the operator's environment tells a command typed on the server, dokkurc tells one that comes over ssh
        settings = ("DOKKU_NGINX_CONF", "DOKKU_LOGS_DIR", "DOKKU_SYSTEM_GROUP")
        (self.root / "dokkurc").write_text("".join(f"export {name}={self.env[name]}\n" for name in settings))
        run("chown", "-R", f"{self.user}:{self.user}", self.root / "dokkurc", self.lib / "config")
        self.start_daemons()

    def lay_out(self) -> None:
        """What a machine has before setup: keys, daemons configured, and ports that are its own."""
        for part in ("ssh", "nginx/conf.d", "bin", "log"):
            (self.base / part).mkdir(parents=True, exist_ok=True)
        for key in ("host_key", "id", "other"):
            if not (self.base / "ssh" / key).exists():
                run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", key, "-f", self.base / "ssh" / key)
        for name, text in (("ssh/sshd_config", SSHD), ("nginx/nginx.conf", NGINX)):
            self.configure(self.base / name, text.format(**vars(self)))
        proxy = self.lib / "config/proxy/--global"
        proxy.mkdir(parents=True, exist_ok=True)
        (proxy / "proxy-port").write_text(str(self.http_port))
        (proxy / "proxy-ssl-port").write_text(str(self.https_port))

    def configure(self, path: Path, text: str) -> None:
        if path.exists() and path.read_text() != text:
            self.stop()
        path.write_text(text)

    def app(self, name: str) -> str:
        """A name for an app of this server; docker is shared with others, so each server has its own prefix."""
        return f"{self.name}-{name}"

    def build(self) -> Path:
        archive = self.base / "dokku.build"
        self.base.mkdir(parents=True, exist_ok=True)
        run(CHECKOUT / "scripts/build", archive, cwd=CHECKOUT)
        return archive

    def start_daemons(self) -> None:
        Path("/run/sshd").mkdir(exist_ok=True)
        if not alive(self.base / "ssh/sshd.pid"):
            run("/usr/sbin/sshd", "-f", self.base / "ssh/sshd_config")
        if not alive(self.base / "nginx/nginx.pid"):
            run("nginx", "-c", self.base / "nginx/nginx.conf")

    def stop(self) -> None:
        for pid_file in (self.base / "ssh/sshd.pid", self.base / "nginx/nginx.pid"):
            if alive(pid_file):
                os.kill(int(pid_file.read_text()), signal.SIGTERM)
            for _ in range(50):
                if alive(pid_file):
                    time.sleep(0.1)

    def remove(self) -> None:
        """Every trace of it, apps included."""
        if (self.bin / "dokku").exists():
            for app in self.dokku("apps:list", "--quiet", check=False).stdout.split():
                self.dokku("apps:destroy", app, "--force", check=False)
        self.stop()
        for pid in run("ps", "-u", self.user, "-o", "pid=", check=False).stdout.split():  # those that retire containers
            subprocess.run(["kill", "-9", pid], check=False, stderr=subprocess.DEVNULL)
        for _ in range(5):  # somebody who is just ending may still write
            if run("rm", "-rf", self.base, check=False).returncode == 0:
                break
            time.sleep(0.5)
        for place in ("/etc/sudoers.d", "/etc/cron.d", "/etc/init.d", "/etc/logrotate.d", "/etc/bash_completion.d",
                      "/usr/local/libexec"):  # fmt: skip
            run("rm", "-f", f"{place}/{self.user}", *Path(place).glob(f"{self.user}-*"))
        subprocess.run(["userdel", self.user], check=False, stderr=subprocess.DEVNULL)

    def dokku(self, *words: str, check: bool = True, **how) -> subprocess.CompletedProcess:
        """Run a dokku command on the server itself, as root does; stdout and stderr are captured text."""
        return run(self.bin / "dokku", *words, env=self.env, check=check, **how)

    @staticmethod
    def docker(*words: str, check: bool = True) -> subprocess.CompletedProcess:
        """Ask the docker engine what really is there."""
        return run("docker", *words, check=check)

    def ssh_options(self, key: Path | None = None) -> list[str]:
        return ["-i", str(key or self.key), "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
                "-o", "LogLevel=ERROR", "-o", "IdentitiesOnly=yes"]  # fmt: skip

    def ssh_argv(self, *words: str, key: Path | None = None, options: tuple[str, ...] = ()) -> list[str]:
        where = ["-p", str(self.ssh_port), f"{self.user}@127.0.0.1"]
        return ["ssh", *self.ssh_options(key), *options, *where, *(["--", *words] if words else [])]

    def ssh(self, *words: str, check: bool = True, key: Path | None = None, **how) -> subprocess.CompletedProcess:
        """Run a dokku command as a developer does, over ssh."""
        return run(*self.ssh_argv(*words, key=key), check=check, **how)

    def git_env(self, key: Path | None = None) -> dict[str, str]:
        return {**os.environ, "GIT_SSH_COMMAND": " ".join(["ssh", *self.ssh_options(key)])}

    def remote(self, app: str) -> str:
        return f"ssh://{self.user}@127.0.0.1:{self.ssh_port}/{app}"

    def push(self, repo: Path, app: str, ref: str = "HEAD:refs/heads/main", check: bool = True,
             key: Path | None = None) -> subprocess.CompletedProcess:  # fmt: skip
        return run("git", "-C", repo, "push", "--force", self.remote(app), ref, env=self.git_env(key), check=check)

    def curl(self, host: str, path: str = "/", *options: str) -> subprocess.CompletedProcess:
        """GET through nginx; stdout is the body, then a line with the status."""
        url = f"http://127.0.0.1:{self.http_port}{path}"
        return run("curl", "-s", "-m", "10", "-w", "\n%{http_code}", "-H", f"Host: {host}", *options, url, check=False)


def run(*words: object, env: dict | None = None, check: bool = True, **how) -> subprocess.CompletedProcess:
    """Run a program; its output is captured, and shown when it fails and check is set."""
    argv = [str(word) for word in words]
    how.setdefault("stdin", None if "input" in how else subprocess.DEVNULL)
    if "input" in how:
        how.pop("stdin")
    done = subprocess.run(argv, env=env, capture_output=True, text=True, errors="surrogateescape", **how)
    if check and done.returncode:
        raise AssertionError(f"{argv} exited {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def alive(pid_file: Path) -> bool:
    try:
        os.kill(int(pid_file.read_text()), 0)
    except (OSError, ValueError):
        return False
    return True


def main() -> None:
    server = Server(sys.argv[1])
    if "--remove" in sys.argv:
        return server.remove()
    if "--stop" in sys.argv:
        return server.stop()
    server.start()
    wrapper = server.bin / "d"
    exports = "".join(f"export {name}='{value}'\n" for name, value in server.env.items())
    wrapper.write_text(f"#!/bin/sh\n{exports}exec {server.bin}/dokku \"$@\"\n")
    wrapper.chmod(0o755)
    print(f"dokku as root:  {wrapper} COMMAND...")
    print(f"over ssh:       {' '.join(server.ssh_argv())} COMMAND...")
    print(f"git remote:     {server.remote('APP')} with GIT_SSH_COMMAND='{server.git_env()['GIT_SSH_COMMAND']}'")
    print(f"nginx:          http://127.0.0.1:{server.http_port}/")
    return None


if __name__ == "__main__":
    main()
