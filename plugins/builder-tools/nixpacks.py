"""builder-nixpacks: build apps with nixpacks (commands-b.md 4.3)."""

from tool import Tool

from dokku_min import run
from dokku_min.sdk import files

# one word is a command line, as nixpacks writes it; several are a Procfile's words
ENTRYPOINT = ["/bin/bash", "-l", "-c", 'if [ $# = 1 ]; then exec /bin/bash -c "$1"; fi; exec "$@"', "start"]


def command(app, directory, image, options, env):
    path = f"{directory}/Procfile"
    text = files.read(path)
    if "release:" in text:  # nixpacks would run it while it builds
        kept = [line for line in text.splitlines(keepends=True) if not line.startswith("release:")]
        files.write(path, "".join(kept), 0o644)
    return ["nixpacks", "build", directory, "--name", image, *options]


def dockerfile(image):
    import json

    form = "--format={{json .Config.Cmd}}"
    cmd = run.capture(f"look into {image}", "docker", "image", "inspect", form, "--", image).strip()
    return f"ENTRYPOINT {json.dumps(ENTRYPOINT)}\nCMD {cmd if cmd != 'null' else '[]'}\n"


TOOL = Tool(
    "builder-nixpacks", program="nixpacks", manifest="nixpacks.toml", key="nixpackstoml-path", command=command, port="",
    dockerfile=dockerfile, hint="it is one file: https://nixpacks.com/docs/install, put it into /usr/local/bin",
)  # fmt: skip
