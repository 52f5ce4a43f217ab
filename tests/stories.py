"""Stories: what somebody types on a server and what it answers: tests/data/stories/*.txt, run line by line on a real one.

    $ dokku apps:exists APP          a command; APP is a deployed app, NEW one that never was, LIB and ROOT dokku's trees
    text                             a line of its standard output; `...` in it stands for anything, alone for any lines
    2> text                          a line of its standard error
    [20]                             its exit status, when it is not 0
"""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

GIT = {"push": ["git-receive-pack", "git-hook"], "clone": ["git-upload-pack"], "archive": ["git-upload-archive"]}
STORIES = sorted(Path(__file__).with_name("data").glob("stories/*.txt"))


@dataclass
class Step:
    line: str
    out: list[str] = field(default_factory=list)
    err: list[str] = field(default_factory=list)
    status: int = 0

    def works(self) -> bool:
        """It does what is asked for; the status may be that of a program it ran."""
        return not any(line.startswith(" !     ") for line in self.err) or self.status == 0

    def commands(self) -> list[str]:
        """The dokku commands in the line, those included that git runs over ssh."""
        found = [words.split() for words in re.split(r"[|;]|\$\(|&&", self.line)]
        by_git = [name for words in found if words[:1] == ["git"] for verb in GIT if verb in words for name in GIT[verb]]
        return by_git + [_command(words[1:]) for words in found if words[:1] == ["dokku"]]


def _command(words: list[str]) -> str:
    while words[0].startswith("--"):
        words = words[2 if words[0] == "--app" else 1 :]
    return words[0].rstrip(")")


def steps(path: Path) -> list[Step]:
    found: list[Step] = []
    for line in path.read_text().splitlines():
        if line.startswith("$ "):
            found.append(Step(line[2:]))
        elif line.startswith("2> "):
            found[-1].err.append(line[3:])
        elif re.fullmatch(r"\[\d+\]", line):
            found[-1].status = int(line[1:-1])
        elif not line.startswith("# "):
            found[-1].out.append(line)
    return found


def run(step: Step, names: dict[str, str], env: dict[str, str], directory: Path) -> None:
    """Do it and compare: exit status, standard output, standard error."""
    argv = ["bash", "-o", "pipefail", "-c", replaced(step.line, names)]
    done = subprocess.run(argv, env=env, cwd=directory, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    said = f"$ {argv[-1]}\n{done.stdout}{done.stderr}[{done.returncode}]"
    assert done.returncode == step.status, said
    for name, text, lines in (("stdout", done.stdout, step.out), ("stderr", done.stderr, step.err)):
        wanted = "".join(_pattern(replaced(line, names)) for line in lines)
        assert re.fullmatch(wanted, text), f"{said}\n{name} should be:\n" + "\n".join(lines)


def replaced(text: str, names: dict[str, str]) -> str:
    return re.sub(rf"\b({'|'.join(names)})\b", lambda match: names[match[0]], text)


def _pattern(line: str) -> str:
    return r"(.*\n)*?" if line == "..." else ".*".join(re.escape(part) for part in line.split("...")) + " *\n"
