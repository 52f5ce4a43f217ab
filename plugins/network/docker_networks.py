"""Docker's networks: find, make, remove and show them."""

from dokku_min.sdk import Failure, log, report

MANAGED = "com.dokku.network-name"  # the label of networks that dokku made


def exists(name):
    return any(found["Name"] == name for found in inspect([name]))


def inspect(wanted):
    """What docker knows about the networks with these names or ids, as `docker network ls` would word it."""
    import json

    from dokku_min import run

    if not wanted:
        return []
    _, text = run.answer("docker", "network", "inspect", "--", *wanted, quiet=True)
    return [_summary(raw) for raw in json.loads(text or "[]")]


def _summary(raw):
    labels = raw["Labels"] or {}
    return {"CreatedAt": raw["Created"], "DokkuManaged": MANAGED in labels, "Driver": raw["Driver"], "ID": raw["Id"],
            "IPv6": raw["EnableIPv6"], "Internal": raw["Internal"], "Labels": labels, "Name": raw["Name"],
            "Scope": raw["Scope"]}  # fmt: skip


def check(wanted):
    """All of them exist, or Failure names the first that does not. One call of docker."""
    known = {found["Name"] for found in inspect(list(dict.fromkeys(wanted)))}
    for name in wanted:
        if name not in known:
            raise Failure(f"Network {name} does not exist", f"make it with: dokku network:create {name}")


def create(name):
    from dokku_min import run

    if exists(name):
        raise Failure(f"Unable to create network: network with name {name} already exists")
    flags = ("--attachable", "--driver=bridge", f"--label={MANAGED}={name}")
    status, _ = run.answer("docker", "network", "create", *flags, "--", name)
    if status:
        raise Failure(f"Unable to create network: docker exited {status} for {name}")


def remove(name):
    from dokku_min import run

    status, _ = run.answer("docker", "network", "rm", "--", name)
    if status:
        raise Failure(f"Unable to destroy network: docker exited {status} for {name}", "is an app still on it?")


def show(found, form):
    if form == "json":
        print(report.to_json(found))
        return
    log.info2_quiet(f"{found['Name']} network information")
    managed = str(found["DokkuManaged"]).lower()
    for label, value in (("ID", found["ID"]), ("Name", found["Name"]), ("Driver", found["Driver"]),
                         ("Scope", found["Scope"]), ("Dokku managed", managed)):  # fmt: skip
        log.verbose(f"{label + ':':<16}{value}")


def list_all(form, managed):
    from dokku_min import run

    text = run.capture("list networks", "docker", "network", "ls", "--quiet", "--no-trunc")
    found = sorted((f for f in inspect(text.split()) if f["DokkuManaged"] or not managed), key=lambda f: f["Name"])
    if form == "json":
        print(report.to_json(found))
        return
    log.info2_quiet("Networks")
    for each in found:
        print(each["Name"])
