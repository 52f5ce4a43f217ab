"""Which of an app's build-phase docker options reach `docker image build`, and what EXPOSE says (commands-b.md 4.1)."""

_TAKE_VALUE = {
    "--add-host", "--allow", "--annotation", "--attest", "--build-arg", "--builder", "--cache-from", "--cache-to",
    "--call", "--cgroup-parent", "--label", "--memory", "-m", "--memory-swap", "--network", "--platform", "--progress",
    "--provenance", "--sbom", "--secret", "--shm-size", "--ssh", "--tag", "--target", "--ulimit",
}  # fmt: skip
_SWITCHES = {"--check", "-D", "--debug", "--no-cache"}
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-=/:")


def allowed(words: list[str]) -> list[str]:
    """The options that a build knows, each as one word or as flag and value; everything else is dropped.

    `-v data:/data` and its like are for containers. What follows a dropped flag goes with it, unless it is a flag.
    """
    kept: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, _ = word.partition("=")
        if word in _SWITCHES or (name in _TAKE_VALUE and equals):
            kept.append(word)
        elif word in _TAKE_VALUE and rest:
            kept += [word, rest.pop(0)]
    return kept


def names_without_value(words: list[str]) -> list[str]:
    """Variables that `--build-arg NAME` or `--secret ...env=NAME` takes from the environment of the build."""
    found = []
    for flag, value in _pairs(words):
        if flag == "--build-arg" and "=" not in value:
            found.append(value)
        elif flag == "--secret":
            found += [field[4:] for field in value.split(",") if field.startswith("env=")]
    return found


def _pairs(words: list[str]) -> list[tuple[str, str]]:
    pairs = []
    rest = list(words)
    while rest:
        flag, equals, value = rest.pop(0).partition("=")
        if flag in _TAKE_VALUE:
            pairs.append((flag, value if equals or not rest else rest.pop(0)))
    return pairs


def label_line(dockerfile: str, flags: list[str], extra: list[str]) -> str:
    """The Dockerfile with the labels of flags (all `--label=name=value`) as its last line; nothing where that is unsafe.

    It would be with --target, whose stage may not be the last, and after a line that goes on or may be in a heredoc.
    """
    pairs = [flag.removeprefix("--label=") for flag in flags if flag.startswith("--label=")]
    plain = all(_PLAIN.issuperset(pair) for pair in pairs)
    if len(pairs) != len(flags) or not plain or "<<" in dockerfile or any(w.startswith("--target") for w in extra):
        return ""
    if dockerfile.rstrip().endswith(("\\", "`")):
        return ""
    written = [pair if "=" in pair else f'{pair}=""' for pair in pairs]
    return f"{dockerfile}\nLABEL {' '.join(written)}\n"


def exposed(dockerfile: str) -> list[str]:
    """The first port of each EXPOSE line, as `8080` or `53/udp`; nothing when one of them needs a variable's value."""
    ports = []
    for line in dockerfile.splitlines():
        words = line.split()
        if len(words) > 1 and words[0].upper() == "EXPOSE":
            if not is_port(words[1]):
                return []
            ports.append(words[1])
    return ports


def has_stages(dockerfile: str) -> bool:
    return sum(line.upper().split()[:1] == ["FROM"] for line in dockerfile.splitlines()) > 1


def with_protocol(port: str) -> str:
    """As docker lists it: `8080` is `8080/tcp`."""
    return port.lower() if "/" in port else f"{port}/tcp"


def is_port(text: str) -> bool:
    number, slash, protocol = text.partition("/")
    fits = number.isascii() and number.isdigit() and 0 < int(number) < 65536
    return fits and (not slash or protocol.lower() in ("tcp", "udp"))


def port_maps(ports: list[str]) -> list[str]:
    """scheme:host-port:container-port of each exposed port, once."""
    found = []
    for port in ports:
        number, _, protocol = port.lower().partition("/")
        scheme = "udp" if protocol == "udp" else "https" if number == "443" else "http"
        found.append(f"{scheme}:{number}:{number}")
    return list(dict.fromkeys(found))
