"""A bash completion file: commands of the manifests and of what was installed since, then the names of the apps."""

from dokku_min import plugins
from dokku_min.sdk import paths

_SCRIPT = """# bash completion for dokku, written by `dokku setup`
_dokku_installed() {{
  local kind name owner file core=' '
  while IFS=$'\\t' read -r kind name owner _; do
    [[ "$kind $owner" != 'P 1' ]] || core+="$name "
    [[ "$kind" != C || "$core" == *" $owner "* ]] || printf '%s\\n' "$name"
  done <"{lib}/plugins/.index"
  for file in "{lib}"/plugins/enabled/*/subcommands/*; do
    name="${{file#"{lib}/plugins/enabled/"}}"
    [[ ! -x "$file" ]] || printf '%s\\n' "${{name%%/*}}:${{file##*/}}"
  done
}}
_dokku() {{
  local line="${{COMP_LINE:0:COMP_POINT}}"
  local word="${{line##* }}" installed
  if [[ "$line" != *' '*' '* ]]; then
    installed="$(_dokku_installed 2>/dev/null | grep -x '[[:alnum:]:_-]*')"
    mapfile -t COMPREPLY < <(compgen -W "{commands} $installed" -- "$word" | sort -u)
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
    return _SCRIPT.format(commands=" ".join(sorted(names)), root=paths.dokku_root(), lib=paths.lib_root())
