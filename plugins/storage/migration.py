"""Mounts given as docker options (`-v host:container`) become mounts of ours, so that reports know them."""

import entries
import mounts

from dokku_min.sdk import Failure, ask, check, log, properties, words

_FLAGS = ("-v", "--volume")


def migrate(app):
    found = [
        (phase, option, text)
        for phase in mounts.PHASES
        for option in ask("docker-options-list", app, phase).splitlines()
        for text in [mount_in(option)]
        if text
    ]
    for phase, _, text in found:
        _add(app, phase, *mounts.parse(text))
    for phase, option, _ in found:
        check("docker-options:remove", app, phase, option)
    if found:
        properties.put("storage", app, "legacy-mounts-migrated", "true")
        log.info1(f"Re-migrated {app}")


def mount_in(option):
    """HOST:CONTAINER[:OPTIONS] of a docker option that is a mount we can express, else nothing."""
    tokens = words.split(option)
    flag, equals, value = tokens[0].partition("=")
    if flag not in _FLAGS or len(tokens) != (1 if equals else 2):
        return ""
    text = value if equals else tokens[1]
    try:
        mounts.parse(text)
    except Failure as failure:
        log.warn(f"leaving the docker option {option} as it is: {failure.message}")
        return ""
    return text


def _add(app, phase, source, target, readonly, options):
    entry = entries.legacy(source)
    with properties.editing("storage", app):
        found = mounts.read(app)
        new = {"entry_name": entry["name"], "container_path": target, "phases": [phase], "readonly": readonly,
               "volume_options": options}  # fmt: skip
        same = [old for old in found if mounts.same_place(old, new)]
        for old in same:
            old["phases"] = sorted({*old["phases"], phase})
        if entries.find(entry["name"]) is None:
            entries.save(entry)
        mounts.write(app, found if same else [*found, new])
