"""builder-railpack: build apps with railpack (commands-b.md 4.3)."""

from tool import Tool

from dokku_min import run
from dokku_min.sdk import files


def command(app, directory, image, options, env):
    path = f"{directory}/Procfile"
    text = files.read(path)
    if "release:" in text:  # a deploy runs it, not the build
        kept = [line for line in text.splitlines(keepends=True) if not line.startswith("release:")]
        files.write(path, "".join(kept), 0o644)
    return ["railpack", "build", directory, "--name", image, *options]


def dockerfile(image):
    """No entrypoint, so that a Procfile's words are what runs; the image's own start stays what it was."""
    import json

    form = "--format={{json .Config}}"
    config = json.loads(run.capture(f"look into {image}", "docker", "image", "inspect", form, "--", image))
    cmd = [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])]
    return f"ENTRYPOINT []\nCMD {json.dumps(cmd)}\n"


TOOL = Tool(
    "builder-railpack", program="railpack", manifest="railpack.json", key="railpackjson-path", command=command, port="",
    dockerfile=dockerfile, hint="it is one file: https://railpack.com/installation, put it into /usr/local/bin",
)  # fmt: skip
