from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.support.processes import ROOT

FOREIGN = """
import sys
import app.http.wsgi
print(*sorted(
    name for name in sys.modules
    if name.split(".")[0] in {"av", "cv2", "numpy", "PIL"}
    or name.startswith(("app.render", "app.actors", "app.middleware"))
))
"""


def test_the_server_loads_neither_an_encoder_nor_the_actors(tmp_path: Path) -> None:
    environment = {"APP_ENV": "test", "PATH": "", "DATA_DIR": str(tmp_path)}
    loaded = subprocess.run(
        [sys.executable, "-c", FOREIGN],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert loaded.stdout.split() == []
