"""A bash completion file: commands from the manifests, then the names of the apps."""

from dokku_min import plugins
from dokku_min.sdk import paths

_SCRIPT = """# bash completion for dokku, written by `dokku setup`
_dokku() {{
  local line="${{COMP_LINE:0:COMP_POINT}}"
  local word="${{line##* }}"
  if [[ "$line" != *' '*' '* ]]; then
    mapfile -t COMPREPLY < <(compgen -W "{commands}" -- "$word")
    # what follows a colon is a word of its own to readline
    [[ "$word" != *:* ]] || COMPREPLY=("${{COMPREPLY[@]#"${{word%:*}}:"}}")
  else
    mapfile -t COMPREPLY < <(cd {root} 2>/dev/null && compgen -d -X '[!a-z0-9]*' -- "$word")
  fi
}}
complete -F _dokku dokku
"""


def script(bundled: list[str]) -> str:
    """The text of the file; names of commands hold no character that bash would take for its own."""
    names = {"help", "version"}
    for name in bundled:
        lines = plugins.manifest_of(f"{paths.bundled_plugins()}/{name}")["commands"]
        names |= {line.split()[0] for line, text in lines.items() if text}
    return _SCRIPT.format(commands=" ".join(sorted(names)), root=paths.dokku_root())
