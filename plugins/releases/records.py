"""Release records on disk: LIB/data/releases/APP/N.json, written once, and `current`, which points at one.

A record is {number, image, image_vendor, builder, revision, source, created_at, user, config, formation, ports,
docker_options, commands, procfile, app_json, generation}: all that is needed to run this version again. formation is
{type: count}, ports are `scheme:host:container` maps, docker_options {dyno: [docker flags]}, commands {type: [argv]};
created_at is in seconds since 1970. generation is {type: number of the release that last asked for fresh containers}.
"""

import os

from dokku_min.sdk import Failure, files, paths

KEPT = 10  # releases to go back to


def base(app):
    return paths.data_dir("releases", app)


def numbers(app):
    try:
        entries = os.listdir(base(app))
    except FileNotFoundError:
        return []
    return sorted(int(name[:-5]) for name in entries if name.endswith(".json") and name[:-5].isdigit())


def current_number(app):
    """The number of the release that serves, 0 before the first."""
    return int(files.read(f"{base(app)}/current") or 0)


def text(app, number):
    return files.read(f"{base(app)}/{number}.json")


def load(app, number):
    import json

    found = text(app, number)
    if not found:
        raise Failure(f"{app} has no release {number}", f"see `dokku releases {app}`")
    return json.loads(found)


def current(app):
    """The current record, or None."""
    number = current_number(app)
    return load(app, number) if number else None


def add(app, record):
    """Write a new record and return its number. Records above `current` are of deploys that came to nothing."""
    import json

    files.make_dir(base(app), 0o700)
    serving = current_number(app)
    for number in numbers(app):
        if number > serving:
            discard(app, number)
    record = {"number": serving + 1, **record}
    files.write(f"{base(app)}/{serving + 1}.json", json.dumps(record, sort_keys=True, indent=1))
    return serving + 1


def discard(app, number):
    if number != current_number(app):
        files.remove(f"{base(app)}/{number}.json")


def activate(app, number):
    files.write(f"{base(app)}/current", str(number))


def past_keeping(app):
    """Numbers of releases that are too old to go back to."""
    serving = current_number(app)
    return [number for number in numbers(app) if number <= serving - KEPT]
