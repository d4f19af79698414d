from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from .golden import GOLDEN, art, sheets


def test_every_layout_motion_and_theme_looks_as_it_did(tmp_path: Path) -> None:
    """Letters and resampling may differ by a little from library to library, places may not."""
    other = []
    for name, picture in sheets(art(tmp_path)):
        found = picture.convert("RGB")
        with Image.open(GOLDEN / f"{name}.png") as golden:
            wanted = golden.convert("RGB")
        assert found.size == wanted.size, name
        far = np.abs(np.asarray(found, np.int16) - np.asarray(wanted, np.int16)).max(axis=2)
        found.save(tmp_path / f"{name}.png")
        if (far > 24).mean() >= 0.005 or far.mean() >= 1:
            other.append(f"{tmp_path / name}.png")
    assert other == []
