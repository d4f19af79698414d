"""The commands on a machine that has nothing but Python."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.bare_machine import bare_machine
from tests.support.payloads import payload

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="hides libraries from its linker")


def test_a_film_in_two_scripts_is_rendered(
    preview_process: Callable[..., subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    step = {"id": "a", "title": "שלום Board", "text": "Take a card.", "durationSec": 2}
    file = tmp_path / "job.json"
    request = payload()["previewRequest"] | {"steps": [step]}
    file.write_text(json.dumps(payload(previewRequest=request)))
    machine = bare_machine(tmp_path / "none")
    result = preview_process("render", file, "--out", tmp_path / "film", **machine)
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "film" / "preview.mp4").stat().st_size > 0
