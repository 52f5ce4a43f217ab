"""`sshcommand`: which keys may call one command over ssh, as lines of authorized_keys (commands-b.md 16, sshd(8))."""

import os
import pwd
import sys

from dokku_min import environment, files, paths, run
from dokku_min.errors import Failure
from dokku_min.locks import directory_lock

RESTRICTIONS = "no-agent-forwarding,no-user-rc,no-X11-forwarding,no-port-forwarding"
_KEY_TYPES = ("ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-")
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@+-")
_HELP = """Usage: sshcommand <command>

    create <user> <command>                       let the user's keys run this command only
    acl-add <user> <name> [--allow OPTIONS]       let the key on stdin in
    acl-remove <user> <name>                      remove the keys of that name
    acl-remove-by-fingerprint <user> <fingerprint>
    list <user> [<name>] [<format>]               show the keys, as text or json
    help, version
"""


def main(argv: list[str]) -> int:
    """Serve one call of the program."""
    environment.prepare()
    verbs: dict = {
        "create": (create, 2), "acl-remove": (acl_remove, 2), "list": (_list, 1),
        "acl-remove-by-fingerprint": (acl_remove_by_fingerprint, 2), "acl-add": (_acl_add_stdin, 2),
    }  # fmt: skip
    verb = argv[0] if argv else "help"
    if verb in ("help", "--help", "-h"):
        print(_HELP, end="")
    elif verb in ("version", "--version", "-v"):
        print("0.20.0")  # the sshcommand release whose interface this is
    elif verb not in verbs:
        raise Failure(f"sshcommand has no command {verb}", "see `sshcommand help`")
    else:
        function, count = verbs[verb]
        if len(argv) <= count:
            raise Failure(f"sshcommand {verb} needs {count} argument(s)", "see `sshcommand help`")
        function(*argv[1:])
    return 0


def create(user: str, *command: str) -> None:
    """Make the user, its .ssh directory and its .sshcommand, the command that sshd will run for every key."""
    environment.require_root()
    from dokku_min import host

    host.user(user, f"/home/{user}")
    home = _home(user)
    host.directory(home, user)
    host.directory(f"{home}/.ssh", user, 0o700)
    if not os.path.exists(_keys_file(user)):
        host.file(_keys_file(user), "", 0o600, user)
    host.file(f"{home}/.sshcommand", " ".join(command) + "\n", owner=user)


def _acl_add_stdin(user: str, name: str, *rest: str) -> None:
    if sys.stdin.isatty():
        raise Failure("No key specified via file or pipe", f"use: cat key.pub | sshcommand acl-add {user} {name}")
    print(acl_add(user, name, sys.stdin.read()))


def acl_add(user: str, name: str, text: str) -> str:
    """Let the one key in text in under name; return its fingerprint. Names and fingerprints are unique."""
    if not name or name[0] in ".-@+" or set(name) - _NAME:
        raise Failure(f"invalid key name: {name}", "use letters, digits and . _ @ + -")
    key = one_key(text)
    mark = fingerprint(key)
    with directory_lock(os.path.dirname(_keys_file(user))):
        known = entries(user)
        if any(entry["name"] == name for entry in known):
            raise Failure(f"Duplicate ssh key name: {name}", "remove the old key first, or choose another name")
        same = [entry["name"] for entry in known if entry["fingerprint"] == mark]
        if same:
            raise Failure(f"Duplicate ssh public key specified: it is there as {same[0]}")
        line = f'{_forced_command(user, name, mark)},{RESTRICTIONS} {key}\n'
        old = files.read(_keys_file(user))
        _write(user, old + ("" if not old or old.endswith("\n") else "\n") + line)
    return mark


def _forced_command(user: str, name: str, mark: str) -> str:
    """What sshd hands to the user's shell. Nothing in it comes from the far end but the variable, never parsed again."""
    return f'command="FINGERPRINT={mark} NAME=\\"{name}\\" `cat {_home(user)}/.sshcommand` $SSH_ORIGINAL_COMMAND"'


def one_key(text: str) -> str:
    """The single public key in text, as `type base64 [comment]`; keys that bring options of their own are refused."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    if not lines:
        raise Failure("Key is empty", "give one public key, as in ~/.ssh/id_ed25519.pub")
    if len(lines) > 1:
        raise Failure("Too many keys provided, only one is allowed at a time")
    if not lines[0].startswith(_KEY_TYPES) or len(lines[0].split()) < 2:
        raise Failure("Invalid ssh public key: it must start with its type", "a key with options in front is refused")
    return "".join(char for char in lines[0] if char.isprintable())


def fingerprint(key: str) -> str:
    """SHA256:... as ssh-keygen has it."""
    status, answer = run.answer("ssh-keygen", "-lf", "-", data=key + "\n", quiet=True)
    if status:
        raise Failure("Invalid ssh public key", "give a public key, as in ~/.ssh/id_ed25519.pub")
    return answer.split()[1]


def acl_remove(user: str, name: str) -> None:
    """Remove the keys of that name; none is fine."""
    _keep(user, lambda line: f'NAME=\\"{name}\\"' not in line)


def acl_remove_by_fingerprint(user: str, mark: str) -> None:
    _keep(user, lambda line: f"FINGERPRINT={mark} " not in line)


def _keep(user: str, wanted) -> None:  # type: ignore[no-untyped-def]
    with directory_lock(os.path.dirname(_keys_file(user))):
        lines = files.read(_keys_file(user)).splitlines(keepends=True)
        _write(user, "".join(line for line in lines if wanted(line)))


def entries(user: str) -> list[dict[str, str]]:
    """Our keys: fingerprint, name, SSHCOMMAND_ALLOWED_KEYS, public-key. Lines that we did not write are left out."""
    found = []
    for line in files.read(_keys_file(user)).splitlines():
        head, quoted, rest = line.partition('NAME=\\"')
        if not quoted or "FINGERPRINT=" not in head:
            continue
        name, _, tail = rest.partition('\\"')
        options, _, key = tail.partition('",')[2].partition(" ")
        mark = head.partition("FINGERPRINT=")[2].strip()
        found.append({"fingerprint": mark, "name": name, "SSHCOMMAND_ALLOWED_KEYS": options, "public-key": key})
    return found


def list_(user: str, name: str = "", form: str = "text") -> str:
    """The keys as text or JSON, all or those of one name."""
    if form not in ("text", "json", ""):
        raise Failure(f"Invalid output format specified: {form}", "use text or json")
    found = [entry for entry in entries(user) if not name or entry["name"] == name]
    if form == "json":
        from dokku_min.report import to_json

        return to_json(found)
    if not found:
        raise Failure(f"No public keys found{f' for {name}' if name else ''}")
    return "\n".join(
        f'{e["fingerprint"]} NAME="{e["name"]}" SSHCOMMAND_ALLOWED_KEYS="{e["SSHCOMMAND_ALLOWED_KEYS"]}"' for e in found
    )


def _list(user: str, name: str = "", form: str = "text") -> None:
    print(list_(user, name, form))


def _home(user: str) -> str:
    if user == environment.system_user():
        return paths.dokku_root()
    try:
        return pwd.getpwnam(user).pw_dir
    except KeyError:
        raise Failure(f"there is no user {user}") from None


def _keys_file(user: str) -> str:
    return f"{_home(user)}/.ssh/authorized_keys"


def _write(user: str, text: str) -> None:
    files.write(_keys_file(user), text, 0o600, (pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid))
