from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import av
import pytest

from app.errors import AssetFailed
from app.render.captions.translations import Translation, read_translations
from app.render.engine import render
from app.render.inspect.preview import preview_checks
from app.render.plan import plan
from tests.render.films import make_payload
from tests.render.requests import request_of, storyboard_of

STEPS = [
    {"id": "one", "text": "Take a card.", "durationSec": 2},
    {"id": "two", "text": "Play it.", "durationSec": 2},
]


def entry(start: str, end: str, text: str) -> str:
    return f"00:00:{start} --> 00:00:{end}\n{text}\n\n"


GERMAN = entry("00,100", "01,800", "Nimm eine Karte.") + entry("02,100", "03,800", "Spiel sie aus.")


def job(*, language: str = "de", **options: Any) -> dict[str, Any]:
    assets = [{"id": "words", "type": "captions", "path": "words.srt", "language": language}]
    options = {
        "resolution": "160x90", "quality": "draft", "thumbnails": 0,
        "captionLanguages": ["en", language], **options,
    }  # fmt: skip
    return make_payload(*STEPS, assets=assets, options=options)


def read(tmp_path: Path, content: str, *, language: str = "de") -> Translation:
    path = tmp_path / "words.srt"
    path.write_text(content)
    payload = job(language=language)
    film = storyboard_of(payload)
    (translation,) = read_translations(request_of(payload, {"words": path}), film)
    return translation


def test_captions_of_a_file_belong_to_the_steps_in_which_they_begin(tmp_path: Path) -> None:
    found = read(tmp_path, GERMAN)
    assert (found.language, found.warnings) == ("de", ())
    assert [(cue.index, cue.step_id, cue.lines) for cue in found.cues] == [
        (1, "one", ("Nimm eine Karte.",)),
        (2, "two", ("Spiel sie aus.",)),
    ]


def test_captions_are_clipped_to_the_film_and_that_is_told(tmp_path: Path) -> None:
    late = entry("02,100", "09,000", "Spiel sie.") + entry("10,000", "11,000", "Ende.")
    found = read(tmp_path, entry("00,100", "01,800", "Nimm.") + late)
    assert [cue.end_seconds for cue in found.cues] == [1.8, 4.0]
    assert found.warnings == ("captions in de: 2 of 3 end after the film, which lasts 4.0 s",)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (entry("00,000", "02,000", "a\nb\nc"), "1 of 1 have more than 2 lines"),
        (entry("00,000", "03,900", "x" * 43), "1 of 1 have lines of more than 42 characters"),
        (entry("00,000", "01,000", "x" * 20), "1 of 1 have more than 17 characters per second"),
        (entry("00,000", "00,900", "x"), "1 of 1 are shorter than 1 s"),
        (
            entry("00,000", "01,000", "x") + entry("01,050", "02,500", "y"),
            "1 of 2 end less than 0.083 s before the next",
        ),
    ],
)
def test_every_rule_of_reading_that_is_broken_is_told(
    tmp_path: Path, content: str, says: str
) -> None:
    (warning,) = read(tmp_path, content).warnings
    assert warning.startswith(f"captions in de: {says}")


def test_captions_at_the_same_time_are_stacked_and_their_lines_need_no_gap(tmp_path: Path) -> None:
    found = read(tmp_path, entry("00,000", "03,900", "Warte.") + entry("01,000", "02,500", "Eins."))
    assert [cue.lines for cue in found.cues] == [("Warte.",), ("Warte.", "Eins."), ("Warte.",)]
    assert found.warnings == ()


def test_what_a_file_loses_is_told(tmp_path: Path) -> None:
    found = read(tmp_path, GERMAN + entry("03,900", "03,900", "Weg."))
    (warning,) = found.warnings
    assert warning == "captions in de: 1 of 3 end when they begin and are left out (line 7)"


def test_a_caption_that_outstays_its_longest_is_told(tmp_path: Path) -> None:
    path = tmp_path / "words.srt"
    path.write_text(entry("00,000", "08,000", "Warte."))
    payload = make_payload(
        {"text": "Wait.", "durationSec": 9},
        assets=job()["previewRequest"]["assets"],
        options={"captionLanguages": ["de"]},
    )
    film = storyboard_of(payload)
    (found,) = read_translations(request_of(payload, {"words": path}), film)
    assert found.warnings == ("captions in de: 1 of 1 are longer than 7 s",)


def test_the_rules_of_the_language_count(tmp_path: Path) -> None:
    content = entry("00,000", "02,000", "抽一张牌放在桌子上面然后") + entry(
        "02,100", "03,900", "出牌"
    )
    assert read(tmp_path, content, language="zh-Hant").warnings == ()
    found = read(tmp_path, content, language="ja")
    assert found.warnings == ("captions in ja: 1 of 2 have more than 4 characters per second",)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("WEBVTT\n\nNOTE nothing\n", "it has no captions"),
        (
            entry("20,000", "21,000", "Late."),
            "all its captions begin after the end of the film, which",
        ),
        ("<svg/>", "line 1: '<svg/>' has no time"),
    ],
)
def test_a_file_that_is_of_no_use_is_refused_with_its_place(
    tmp_path: Path, content: str, says: str
) -> None:
    with pytest.raises(AssetFailed) as caught:
        read(tmp_path, content)
    (item,) = caught.value.errors
    assert (item.pointer, item.code) == ("/previewRequest/assets/0", "captions-malformed")
    assert "'words'" in item.detail
    assert says in item.detail


def languages(payload: dict[str, Any]) -> list[str]:
    return [asset.language for asset in request_of(payload).translations]


def test_only_languages_with_a_file_are_made_and_none_without_captions() -> None:
    payload = job(language="pt-BR")
    assert languages(payload) == ["pt-BR"]
    request = payload["previewRequest"]
    assert languages({"previewRequest": {**request, "assets": []}}) == []
    assert languages(job(includeCaptions=False)) == []
    assert languages({"previewRequest": {**request, "options": {}}}) == []


def test_a_preview_has_captions_in_each_language(tmp_path: Path) -> None:
    (tmp_path / "words.srt").write_text(GERMAN + entry("03,900", "09,000", "Ende."))
    out = tmp_path / "out"
    payload = job(language="de-AT")
    result = render(payload, asset_dir=tmp_path, out_dir=out, threads=1, on_progress=lambda _: None)
    files = {file.kind: file for file in result.files}
    assert files["captions.de-at.srt"].content_type == "application/x-subrip"
    assert files["captions.de-at.vtt"].content_type == "text/vtt"
    assert "Nimm eine Karte." in (out / "captions.de-at.srt").read_text()
    assert (
        "00:00:02.100 --> 00:00:03.800\nSpiel sie aus." in (out / "captions.de-at.vtt").read_text()
    )
    assert "Take a card." in (out / "captions.srt").read_text()
    with av.open(str(out / "preview.mp4")) as film:
        tracks = film.streams.subtitles
        assert [track.language for track in tracks] == ["eng", "deu"]
        said = b"".join(bytes(packet) for packet in film.demux(tracks[1]))
    assert b"Nimm eine Karte." in said
    assert b"Ende." in said
    manifest = json.loads((out / "manifest.json").read_text())
    assert manifest["captions"]["languages"]["de-at"]["cues"] == 3
    assert any("end after the film" in warning for warning in manifest["warnings"])
    assert {file["name"] for file in manifest["files"]} >= {
        "captions.de-at.srt",
        "captions.de-at.vtt",
        "captions.srt",
    }
    assert set(plan(payload)["files"]) == {file.name for file in result.files}
    checks = preview_checks(out, lambda _: None)
    assert [check.rule for check in checks if check.outcome == "broken"] == []
    # "Ende." stands for a tenth of a second: that is in the author's file.
    lengths = [check.outcome for check in checks if check.rule == "cue-length"]
    assert sorted(lengths) == ["ok", "warning"]
