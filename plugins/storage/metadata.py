"""Annotations and labels of storage entries: notes for people and for schedulers (commands-a.md 13)."""

import entries

from dokku_min.sdk import Failure, log, report

_WORDS = {"annotations": "annotation", "labels": "label"}


def register(plugin):
    for kind in _WORDS:
        plugin.command(f"storage:{kind}:set")(_setter(kind))
        plugin.commands[f"storage:{kind}:report"] = (_reporter(kind), None, None)


def _setter(kind):
    def set_(name, key, *value):
        entry, text = entries.get(name), " ".join(value)
        if not key or set(key) & set("=\r\n\t ") or set(text) & set("\r\n"):
            raise Failure(f"Invalid {_WORDS[kind]}: {key}", "a key has no blank and no '=' in it, a value is one line")
        _store(entry, kind, key, text)

    return set_


def _store(entry, kind, key, text):
    found = dict(entry.get(kind, {}))
    if text:
        log.info2_quiet(f"Setting {_WORDS[kind]} {key} to {text}")
        found[key] = text
    else:
        log.info2_quiet(f"Unsetting {_WORDS[kind]} {key}")
        found.pop(key, None)
    entries.save({**entry, kind: found})


def _reporter(kind):
    def show(*argv):
        name, flag, form = _parsed(kind, argv)
        if flag and not name:
            raise Failure(f"{flag} needs the name of a storage entry")
        for entry in [entries.get(name)] if name else entries.all_entries():
            _print(kind, entry, flag.partition(".")[2], form)

    return show


def _parsed(kind, argv):
    """(entry name, flag, format) of a report's arguments, in any order."""
    name = flag = ""
    form, rest = "stdout", [word for word in argv if word not in ("--quiet", "--trace", "--force")]
    while rest:
        word = rest.pop(0)
        if word == "--format":
            form = rest.pop(0) if rest else ""
        elif not word.startswith("--") and not name:
            name = word
        elif word.startswith(f"--storage-{kind}.") and not flag:
            flag = word
        elif word.startswith(f"--storage-{kind}."):
            raise Failure(f"storage:{kind}:report command allows only a single flag")
        else:
            raise Failure(f"Unexpected argument(s): {word}", f"flags have the form --storage-{kind}.KEY")
    if form not in ("stdout", "json"):
        raise Failure('Format must be "stdout" or "json"')
    return name, flag, form


def _print(kind, entry, key, form):
    found = entry.get(kind, {})
    if key:
        if key not in found:
            raise Failure(
                f"Invalid flag passed, valid flags: {', '.join(f'--storage-{kind}.{k}' for k in sorted(found))}"
            )
        print(found[key])
    elif form == "json":
        print(report.to_json(found))
    else:
        log.info2_quiet(f"{entry['name']} {kind} information")
        for each in sorted(found):
            log.verbose(f"{_WORDS[kind].capitalize() + ' ' + each + ':':<31}{found[each]}")
