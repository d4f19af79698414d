from __future__ import annotations

from pathlib import Path

from app.render.model.sound import Ducking, LoudnessTarget, Music, SoundOptions
from tests.render.requests import request_of


def test_a_payload_without_wishes_has_the_usual_ones() -> None:
    assert request_of({"previewRequest": {}}).sound == SoundOptions()
    assert SoundOptions().ducking == Ducking("envelope", -10, 0.15, 0.35)
    assert SoundOptions().target == LoudnessTarget(-14, -1)


def test_every_wish_is_read() -> None:
    audio = {
        "music": {
            "assetId": "m",
            "relativeDb": -20,
            "loop": False,
            "fadeInSec": 0,
            "fadeOutSec": 3,
            "startSec": 7.5,
        },
        "ducking": {"mode": "sidechain", "dipDb": -6, "attackSec": 0.5, "releaseSec": 2},
        "loudness": {"targetLufs": -16, "truePeakDbtp": -2},
    }
    found = request_of({"previewRequest": {"audio": audio}}, {"m": Path("m.ogg")}).sound
    assert found.music == Music("m", Path("m.ogg"), -20, False, 0, 3, 7.5)  # noqa: FBT003 - loop
    assert found.ducking == Ducking("sidechain", -6, 0.5, 2)
    assert found.target == LoudnessTarget(-16, -2)
