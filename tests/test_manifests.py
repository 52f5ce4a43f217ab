"""What the manifests declare: it is documented, and covers Dokku's commands (that it is served: test_warm.py)."""

import re
import subprocess
import tomllib

import pytest

from dokku_min import builtins
from tests.server import CHECKOUT

MANIFESTS = {p.parent.name: tomllib.loads(p.read_text()) for p in sorted((CHECKOUT / "plugins").glob("*/plugin.toml"))}
DECLARED = {line.split()[0] for m in MANIFESTS.values() for line in m.get("commands", {})} | set(builtins.COMMANDS)
TIERS = dict(
    line.split("\t") for line in (CHECKOUT / "tests/data/dokku-commands.tsv").read_text().splitlines() if line[0] != "#"
)


@pytest.mark.parametrize("name", MANIFESTS)
def test_every_flag_of_a_usage_line_is_one_of_the_command(name):
    """The usage is prose for people; what it names must exist."""
    for line in MANIFESTS[name].get("commands", {}):
        command = line.split()[0]
        for flag in set(re.findall(r"--[a-z][a-z-]+", line)) - {"--global", "--all", "--format"}:
            words = flag[2:].replace("-", "_")
            sources = "".join(p.read_text() for p in (CHECKOUT / "plugins" / name).glob("*.py"))
            assert words in sources or flag in sources, f"{command} does not know {flag}"


def test_the_page_of_commands_is_fresh():
    done = subprocess.run([CHECKOUT / "scripts/commands-doc", "--check"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("tier", ["1", "2"])
def test_dokkus_commands_are_there(tier, capsys):
    """Every command that people use every day, or that parity asks for; how many, `make test` prints."""
    wanted = {name for name, level in TIERS.items() if level == tier}
    missing = sorted(wanted - DECLARED)
    with capsys.disabled():
        print(f"\ntier {tier}: {len(wanted) - len(missing)} of Dokku's {len(wanted)} commands")
    assert missing == []
