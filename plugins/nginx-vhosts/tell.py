"""What another plugin's command prints, for what no trigger answers."""

import os

from dokku_min.sdk import call, dispatch


def told(command: str, *arguments: str) -> str:
    """The command's stdout, less white space around it; "" when it fails or no plugin has it."""
    if not dispatch.index().command(command):
        return ""
    answer, ours = os.memfd_create("answer", os.MFD_CLOEXEC), os.dup(1)
    os.dup2(answer, 1)
    try:
        status = call(command, *arguments)
    finally:
        os.dup2(ours, 1)
        os.close(ours)
    text = os.fsdecode(os.pread(answer, os.fstat(answer).st_size, 0)).strip()
    os.close(answer)
    return text if status == 0 else ""
