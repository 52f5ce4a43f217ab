"""What names a buildpack: a URL of a repository or an archive, or the short form `heroku/python` (commands-b.md 9)."""

from dokku_min.errors import Failure

_SHORT = r"[A-Za-z0-9_][\w.-]*/[A-Za-z0-9_][\w.-]*"
_HTTP = r"https?://[^\s/@:]+(:\d+)?(/[^\s/]+){2,}/?"
_GIT = r"git://[^\s/@:]+(:\d+)?(/[^\s/]+)+/?"
_SSH = r"git@[\w.-]+:[^\s:]+/[^\s:]+"


def url_of(reference: str) -> str:
    """The URL that a reference stands for; Failure for what is none."""
    import re

    if re.fullmatch(_SHORT, reference, re.ASCII):
        owner, _, name = reference.partition("/")
        owner = "heroku" if owner == "heroku-community" else owner
        return f"https://github.com/{owner}/heroku-buildpack-{name}.git"
    if re.fullmatch(f"({_HTTP}|{_GIT}|{_SSH})", reference) and reference.isprintable():
        return reference
    hint = "give a URL of a git repository, or OWNER/NAME for one on GitHub"
    raise Failure(f"Invalid buildpack specified: {reference}", hint)


def rewritten(text: str) -> str:
    """A `.buildpacks` file with its short forms written out; comments and blank lines stay."""
    return "".join(f"{_line(line)}\n" for line in text.splitlines())


def _line(line: str) -> str:
    reference = line.strip()
    return url_of(reference) if reference and not reference.startswith("#") else line
