"""How many processes of each type an app has (commands-b.md 6, "Scale state"). Property ps.scale: `type=n` lines."""

import extract
import procfile

from dokku_min import names
from dokku_min.sdk import Failure, log, properties


def current(app):
    """{process type: count}, sorted by type."""
    pairs = (line.partition("=") for line in properties.get_list("ps", app, "scale"))
    return {name: int(count) for name, _, count in sorted(pairs) if count.isdigit()}


def put(app, scale):
    properties.put_list("ps", app, "scale", [f"{name}={count}" for name, count in sorted(scale.items())])


def types(app):
    """Process types that the Procfile names, or None without a Procfile."""
    text = extract.text(app)
    return list(procfile.parse(text)) if text else None


def pairs_of(words):
    """`web=2` words to {type: count}."""
    found = {}
    for word in words:
        name, equals, count = word.partition("=")
        if not equals or not count:
            raise Failure(f"Missing count for process type {name}", "write TYPE=NUMBER, as in web=2")
        if not count.isascii() or not count.isdigit() or len(count) > 4:
            raise Failure(f"Invalid count for process type {name}: {count}", "counts are whole numbers from 0 on")
        if not names.is_process_type(name):
            raise Failure(f"{name} is not a valid process name", "names hold letters, digits, _ and -")
        found[name] = int(count)
    return found


def change(app, wanted, clear=False):
    """Store the new counts; return the types whose count is another than before."""
    known = types(app)
    for name, count in wanted.items():
        if count and known is not None and name not in known:
            raise Failure(f"{name} is not a valid process name to scale up", f"the Procfile has: {', '.join(known)}")
    with properties.editing("ps", app):
        before = current(app)
        after = {**({} if clear else before), **wanted}
        put(app, after)
    return sorted(name for name in {*before, *after} if before.get(name, 0) != after.get(name, 0))


def refresh(app):
    """Types that came with a new Procfile start at 0 (`web` at 1, when it was never scaled)."""
    known = types(app) or ["web"]
    with properties.editing("ps", app):
        before = current(app)
        after = {**{name: int(name == "web") for name in known}, **before}
        if after != before:
            put(app, after)


def show(app, form):
    scale = current(app)
    if form == "json":
        from dokku_min.report import to_json

        return print(to_json([{"process_type": name, "quantity": count} for name, count in scale.items()]))
    if form not in ("", "stdout"):
        raise Failure('Format must be "stdout" or "json"')
    log.info1_quiet(f"Scaling for {app}")
    log.plain_quiet("proctype: qty")
    log.plain_quiet("--------: ---")
    for name, count in scale.items():
        print(f"{name + ':':<5} {count}")
    return None
