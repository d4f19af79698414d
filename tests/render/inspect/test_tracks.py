"""What a film carries, against the files beside it: real films, spoilt."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.packet import Packet

from app.render.inspect.captions import read_cues
from app.render.inspect.rules import Check
from app.render.inspect.sound import decoded
from app.render.inspect.tracks import onset_checks, track_checks
from tests.render.finished import finish, outcomes, replace

Keep = Callable[["Packet[Any]", int], bool]


@pytest.fixture(scope="module", params=["mp4", "webm"])
def made(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finish(tmp_path_factory.mktemp("made"), format=request.param, fps=24)


@pytest.fixture
def film(made: Path, tmp_path: Path) -> Path:
    """A copy that a test may spoil."""
    return shutil.copytree(made, tmp_path / "film")


def video(film: Path) -> Path:
    return next(film.glob("preview.*"))


def checks(film: Path, srt: str | None = None) -> dict[str, Check]:
    text = (film / "captions.srt").read_text() if srt is None else srt
    written = [read_cues(text, escaped=False)] if text else []
    timeline = json.loads((film / "manifest.json").read_bytes())["timeline"]
    found = (
        *track_checks(video(film), written),
        *onset_checks(timeline, decoded(video(film))),
    )
    return {check.rule: check for check in found}


def remuxed(film: Path, keep: Keep) -> None:
    """Write the film anew with the packets that are to be kept, counted in each stream."""
    path = video(film)
    target = path.with_stem("other")
    with av.open(str(path)) as source, av.open(str(target), "w") as sink:
        streams = {
            stream.index: sink.add_stream_from_template(stream, opaque=True)
            for stream in source.streams
        }
        counts = dict.fromkeys(streams, 0)
        for packet in source.demux(list(source.streams)):
            index = packet.stream.index
            counts[index] += 1
            if packet.dts is not None and keep(packet, counts[index]):
                packet.stream = streams[index]
                sink.mux(packet)
    target.replace(path)


def test_a_whole_preview_has_these_rules_and_breaks_none(made: Path) -> None:
    found = outcomes(made)
    assert "broken" not in found.values()
    held = ("soft-track", "cue-words", "audio-gaps", "narration-start", "colours", "manifest",
            "contact-sheet-frames", "manifest-captions")  # fmt: skip
    assert {rule: found[rule] for rule in held} == dict.fromkeys(held, "ok")


def test_captions_in_the_film_that_are_not_those_of_the_file_are_found(film: Path) -> None:
    text = (film / "captions.srt").read_text()
    assert checks(film)["soft-track"].outcome == "ok"
    for spoilt in (
        text.replace("Count", "Cut"),
        text.replace("00:00:00,000", "00:00:00,200"),
        text.partition("\n\n")[2],
        "",
    ):
        assert spoilt != text
        assert checks(film, spoilt)["soft-track"].outcome == "broken"


def test_a_film_without_its_captions_is_found(film: Path) -> None:
    remuxed(film, lambda packet, _: packet.stream.type in ("video", "audio"))
    found = checks(film)
    assert found["soft-track"].outcome == "broken"
    assert found["audio-gaps"].outcome == "ok"


def test_a_gap_in_the_sound_is_found(film: Path) -> None:
    remuxed(film, lambda packet, count: packet.stream.type != "audio" or count != 50)
    assert checks(film)["audio-gaps"].outcome == "broken"


def test_a_narration_that_is_late_early_or_missing_is_found(film: Path) -> None:
    path, timeline = film / "manifest.json", json.loads((film / "manifest.json").read_bytes())
    entry = timeline["timeline"][1]["narration"]
    begins = entry["startSec"]
    for way, outcome in ((0.008, "ok"), (0.014, "broken"), (-0.05, "broken"), (-1.0, "broken")):
        entry["startSec"] = begins + way
        path.write_text(json.dumps(timeline))
        assert checks(film)["narration-start"].outcome == outcome, way


def test_what_was_not_spoken_or_is_silent_cannot_be_late() -> None:
    nothing = iter([np.zeros((48_000, 2), np.float32)])
    for timeline in ([{"narration": None}], [{"narration": {"assetId": "a", "startSec": 0}}]):
        (check,) = onset_checks(timeline, nothing)
        assert check.outcome == "not applicable"


def test_a_caption_file_of_other_words_is_found(film: Path) -> None:
    for name in ("captions.srt", "captions.vtt"):
        replace(film, name, (film / name).read_bytes().replace(b"Count the", b"Count two"))
    found = outcomes(film)
    spoilt = {rule for rule, outcome in found.items() if outcome == "broken"}
    assert spoilt == {"soft-track", "cue-words"}
