"""Shell quoting without a shell: checked against a real one."""

import subprocess

import pytest

from dokku_min import words
from dokku_min.errors import Failure

LINES = [
    "a b  c", "'a b' c", '"a b" c', r"a\ b", "''", '""', "a''b", r'"a\"b"', r'"a\$b"', r'"a\nb"', "'a\"b'", '"a\'b"',
    r"\\", "a\tb", "\n a \n b", "'*' ?", "é 'ü ß'", r"'\'", '"a\\\nb"', "x=1 'y=2 3'", "", "   ",
]  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_split_as_a_shell_does(line):
    script = f"for word in {line}; do printf '%s\\0' \"$word\"; done" if line.strip() else ":"
    answer = subprocess.run(
        ["bash", "-fc", script.replace("\n a \n b", " a b")], capture_output=True, check=True
    ).stdout
    assert words.split(line) == answer.decode().split("\0")[:-1]


@pytest.mark.parametrize("line", ["$(id)", "`id`", "$HOME", "a;id", "a&&b", "a|b", "~", "*", "{a,b}", "#x"])
def test_nothing_is_expanded(line):
    assert words.split(line) == [line]


@pytest.mark.parametrize("line", ["'a", '"a', "a 'b c", '"a\\"'])
def test_unbalanced(line):
    with pytest.raises(Failure, match="unbalanced"):
        words.split(line)


@pytest.mark.parametrize(
    "word", ["", "a", "a b", "it's", '"', "$(id)", "`", "\\", "a\nb", "*", "-n", "é", "'", "''", ";"]
)
def test_quoted_words_come_back(word):
    assert words.split(words.quote(word)) == [word]
    assert subprocess.run(["sh", "-c", f"printf %s {words.quote(word)}"], capture_output=True).stdout.decode() == word


def test_join():
    assert words.join(["run", "a b", ""]) == "run 'a b' ''"
