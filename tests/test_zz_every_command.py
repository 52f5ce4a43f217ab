"""The last test of a whole run looks back on it: was every command of the first two tiers seen to do its work?

Bad input has its own table in test_bad_input.py; what a command must have done is asserted where it is called.
"""

import pytest

from tests.server import SUCCEEDED
from tests.test_manifests import TIERS

# these need what no test machine has, or end a terminal; their own tests drive them in other ways
ELSEWHERE = {
    "git-upload-pack": "run by git itself",
}


@pytest.mark.parametrize("tier", ["1", "2"])
def test_every_command_has_worked_once(tier):
    wanted = {name for name, level in TIERS.items() if level == tier} - set(ELSEWHERE)
    assert sorted(wanted - SUCCEEDED) == []
