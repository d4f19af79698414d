from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from .golden import GOLDEN, SHEETS, art, sheet


@pytest.mark.parametrize("name", SHEETS)
def test_every_layout_and_motion_looks_as_it_did(name: str, tmp_path: Path) -> None:
    """Letters and resampling may differ by a little from library to library, places may not."""
    found = sheet(name, art(tmp_path)).convert("RGB")
    with Image.open(GOLDEN / f"{name}.png") as golden:
        wanted = golden.convert("RGB")
    assert found.size == wanted.size
    far = np.abs(np.asarray(found, np.int16) - np.asarray(wanted, np.int16)).max(axis=2)
    found.save(tmp_path / f"{name}.png")
    assert (far > 24).mean() < 0.005, f"look at {tmp_path / name}.png"
    assert far.mean() < 1
