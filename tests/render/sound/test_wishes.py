from __future__ import annotations

from pathlib import Path

from app.render.sound.wishes import Ducking, LoudnessTarget, Music, SoundWishes, read_wishes


def test_a_payload_without_wishes_has_the_usual_ones() -> None:
    assert read_wishes({"audio": {}}, {}) == SoundWishes()
    assert SoundWishes().ducking == Ducking("envelope", -10, 0.15, 0.35)
    assert SoundWishes().target == LoudnessTarget(-14, -1)


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
    found = read_wishes({"audio": audio}, {"m": Path("m.ogg")})
    assert found.music == Music("m", Path("m.ogg"), -20, False, 0, 3, 7.5)  # noqa: FBT003 - loop
    assert found.ducking == Ducking("sidechain", -6, 0.5, 2)
    assert found.target == LoudnessTarget(-16, -2)
