"""A stub of kubectl: answers from files and writes down how it was called.

No cluster stands behind it. It shows which questions the script asks and that it reads
answers of this form. ``port-forward`` names a port on which a real process listens.
In the directory STUB_DIRECTORY: ``calls`` is written, ``deployments``, ``pods``,
``rollout`` (absent: all is well) and ``ports`` are read.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Answer one call."""
    directory = Path(os.environ["STUB_DIRECTORY"])
    with (directory / "calls").open("a") as calls:
        calls.write(" ".join(arguments) + "\n")
    words = [word for word in arguments if not word.startswith("-")]
    if "get" in words:
        sys.stdout.write((directory / words[words.index("get") + 1]).read_text())
        return 0
    if "rollout" in words:
        trouble = directory / "rollout"
        sys.stderr.write(trouble.read_text() if trouble.exists() else "")
        return int(trouble.exists())
    if "port-forward" in words:
        port = words[-1].removeprefix(":")
        here = json.loads((directory / "ports").read_text())[port]
        sys.stdout.write(f"Forwarding from 127.0.0.1:{here} -> {port}\n")
        sys.stdout.flush()
        signal.pause()
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
