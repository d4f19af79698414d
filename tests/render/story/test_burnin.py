# ruff: noqa: RUF001 - Chinese has commas of its own
from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from app.render.captions.cues import Cue, build_cues
from app.render.engine import render
from app.render.model.areas import unit
from app.render.model.storyboard import Step, Storyboard
from app.render.model.style import BURNT_CAPTION, contrast
from app.render.picture.compose import Compositor, runs
from app.render.picture.panels import luminance_range
from app.render.story import layout
from app.render.story.layout import PlacedText
from tests.render.films import make_payload, write_png
from tests.render.requests import storyboard_of

BODY = (
    "Place the wooden tokens beside the board. Each player takes five cards and looks at them in"
    " secret; nobody may show a hand to the others before the first round ends."
)
MODES = [
    "auto", "text-only", "full-bleed", "image-left", "image-right", "image-top", "center-focus",
    "split-teaching", "brand",
]  # fmt: skip


def burnt(*steps: dict[str, Any], resolution: str = "320x180", **options: Any) -> Storyboard:
    options = {"resolution": resolution, "burnInCaptions": True, **options}
    assets = {"pic": Path("pic.png")}
    return storyboard_of(make_payload(*steps, options=options), assets)


def placed(step: Step, film: Storyboard) -> layout.Layout:
    return layout.place(
        step.texts,
        step.pictures,
        width=film.width,
        height=film.height,
        arrangement=step.arrangement,
    )


def captions_of(step: Step, film: Storyboard) -> list[PlacedText]:
    return [text for text in placed(step, film).texts if text.layer.role == BURNT_CAPTION]


def test_captions_are_drawn_only_where_it_is_asked_for() -> None:
    step = {"body": BODY}
    assert captions_of((film := burnt(step)).steps[0], film)
    film = burnt(step, burnInCaptions=False)
    assert captions_of(film.steps[0], film) == []
    assert not film.steps[0].arrangement.captions
    without_files = burnt(step, includeCaptions=False)
    assert without_files.steps == burnt(step).steps


def test_a_step_without_words_keeps_its_whole_frame() -> None:
    film = burnt({"visuals": [{"assetId": "pic"}], "durationSec": 2})
    assert not film.steps[0].arrangement.captions


def test_each_cue_is_seen_while_it_stands() -> None:
    film = burnt({"body": BODY}, {"narration": "Now it is your turn.", "title": "Play"})
    for step in film.steps:
        shown = [text.layer for text in captions_of(step, film)]
        cues = [cue for cue in build_cues(film) if cue.step_id == step.id]
        assert [layer.text for layer in shown] == ["\n".join(cue.lines) for cue in cues]
        times = [(step.start + text.span.start, step.start + text.span.end) for text in shown]
        assert times == [
            (round(cue.start_seconds * 30), round(cue.end_seconds * 30)) for cue in cues
        ]
    starts = {run.start_frame for run in runs(film)}
    assert {round(cue.start_seconds * 30) for cue in build_cues(film)} <= starts


@pytest.mark.parametrize("resolution", ["320x180", "180x320", "240x240"])
@pytest.mark.parametrize("mode", MODES)
def test_texts_and_pictures_keep_clear_of_the_captions(mode: str, resolution: str) -> None:
    step = {
        "title": "Setup", "body": "Place the board in the middle.", "narration": BODY,
        "visuals": [{"assetId": "pic"}], "layout": {"mode": mode},
    }  # fmt: skip
    boxed = {"text": "Low", "placement": {"x": 0.3, "y": 0.85, "width": 0.4, "height": 0.1}}
    film = burnt(step, {"narration": BODY, "overlays": [boxed]}, resolution=resolution)
    for shown in film.steps:
        found, captions = placed(shown, film), captions_of(shown, film)
        others = [text.ink for text in found.texts if text.layer.role != BURNT_CAPTION]
        if mode != "full-bleed":
            others += [rect for _, rect in found.pictures]
        for caption in captions:
            assert caption.ink.bottom <= film.height * 0.92 + 1e-6
            for other in others:
                assert not caption.ink.overlaps(other)
                assert other.y >= film.height * 0.05 - 1e-6


def test_what_fills_the_frame_still_does() -> None:
    step = {"body": BODY, "visuals": [{"assetId": "pic"}]}
    film = burnt({**step, "layout": {"mode": "full-bleed"}})
    ((_, whole),) = placed(film.steps[0], film).pictures
    assert (whole.y, whole.height) == (0, film.height)
    split = burnt({**step, "layout": {"mode": "split-teaching"}})
    panel = placed(split.steps[0], split).panel
    assert panel is not None
    assert (panel.y, panel.height) == (0, split.height)


SPOKEN = st.text(
    st.sampled_from("abcdefgWM.,!? éüßΩЖ将卡牌。，カード카드אבגقدم\u0301-"),
    min_size=1,
    max_size=300,
)


@settings(deadline=None, max_examples=60)
@given(
    text=SPOKEN, resolution=st.sampled_from(["320x180", "180x320", "160x90", "90x160", "200x200"])
)
def test_captions_of_any_text_have_two_lines_at_most_and_a_readable_size(
    text: str, resolution: str
) -> None:
    film = burnt({"narration": text}, resolution=resolution)
    pixel = unit(film.width, film.height)
    found = captions_of(film.steps[0], film)
    for caption in found:
        assert len(caption.block.lines) <= 2
        assert caption.block.size >= 40 * pixel * 0.999
        assert caption.ink.x >= film.width * 0.08 - 0.5
        assert caption.ink.right <= film.width * 0.92 + 0.5
        assert 0 <= caption.layer.span.start < caption.layer.span.end <= film.steps[0].frames


def test_a_cue_too_wide_for_an_upright_frame_follows_itself_in_parts() -> None:
    wide = "WWW MMM WWW MMM WWW MMM WWW MMM WWW MMM WWW MMM WWW MMM WWW MMM WWW MMM WWW MMM."
    film = burnt({"narration": wide}, resolution="180x320")
    parts = captions_of(film.steps[0], film)
    assert len(parts) > len(build_cues(film))
    assert " ".join(part.layer.text for part in parts).split() == wide.split()
    for before, after in pairwise(parts):
        assert before.layer.span.end <= after.layer.span.start


def test_a_caption_of_one_line_stands_as_low_as_one_of_two() -> None:
    film = burnt({"narration": f"{BODY} Go. " + "And then all of the others take theirs. " * 3})
    found = captions_of(film.steps[0], film)
    assert {len(text.block.lines) for text in found} == {1, 2}
    bottoms = [text.ink.bottom for text in found]
    assert max(bottoms) - min(bottoms) < 2
    assert len({text.block.size for text in found}) == 1


@pytest.mark.parametrize("ground", ["noise", "white", "black"])
@pytest.mark.parametrize("moving", [False, True])
def test_captions_have_a_contrast_of_seven_on_rendered_pixels(
    tmp_path: Path, ground: str, *, moving: bool
) -> None:
    path = tmp_path / "pic.png"
    if ground == "noise":
        dots = np.random.default_rng(7).integers(0, 256, (270, 480, 3), dtype=np.uint8)
        Image.fromarray(dots).save(path)
    else:
        write_png(path, colour=ground)
    motions = [{"type": "zoom", "from": 1, "to": 1.05}] if moving else []
    visual = {"assetId": "pic", "motions": motions}
    step = {"narration": BODY, "visuals": [visual], "layout": {"mode": "full-bleed"}}
    film = storyboard_of(
        make_payload(step, options={"resolution": "960x540", "burnInCaptions": True}), {"pic": path}
    )
    caption = captions_of(film.steps[0], film)[0]
    frame = Image.fromarray(Compositor(film).picture(runs(film)[0]))
    ink, pixel = caption.ink, unit(960, 540)
    inks = luminance_range(frame, ink)[1]
    for edge in (
        replace(ink, x=ink.x - 10 * pixel, width=8 * pixel),
        replace(ink, y=ink.y - 10 * pixel, height=8 * pixel),
        replace(ink, y=ink.bottom + 2 * pixel, height=8 * pixel),
    ):
        assert contrast(inks, luminance_range(frame, edge)[1]) >= 7


def test_glyphs_that_only_the_captions_lack_are_told() -> None:
    film = burnt({"id": "a", "title": "Setup", "narration": "Take one \U0001f389."})
    assert film.warnings == ("step a: no font has \U0001f389 (U+1F389)",)
    shown = burnt({"id": "a", "body": "Take one \U0001f389."})
    assert shown.warnings == film.warnings


def test_a_plate_is_seen_in_the_decoded_film(tmp_path: Path) -> None:
    step = {"narration": "Take a card from the market.", "background": {"color": "white"}}
    dark = []
    for burns in (False, True):
        options = {"resolution": "320x180", "quality": "draft", "burnInCaptions": burns}
        out = tmp_path / str(burns)
        render(
            make_payload({**step, "durationSec": 2.5}, options=options),
            asset_dir=tmp_path,
            out_dir=out,
            threads=1,
            on_progress=lambda _: None,
        )
        with av.open(str(out / "preview.mp4")) as film:
            frame = next(film.decode(video=0)).to_ndarray(format="gray")
        dark.append(int((frame[140:166, 100:220] < 100).sum()))
    assert dark[0] == 0
    assert dark[1] > 1000


def test_a_caption_runs_in_the_direction_of_most_of_its_letters() -> None:
    film = burnt(
        {"narration": "UNO קח קלף אחד והנח אותו על השולחן"}, {"narration": "UNO means one קח"}
    )
    (hebrew,), (english,) = (captions_of(step, film) for step in film.steps)
    assert hebrew.block.rtl
    assert not english.block.rtl
    assert film.warnings == ()


def test_a_cue_belongs_to_the_step_in_which_it_begins() -> None:
    film = burnt({"id": "step-2", "narration": "One."}, {"narration": "Two."})
    assert [step.id for step in film.steps] == ["step-2", "step-2"]
    texts = [[text.layer.text for text in captions_of(step, film)] for step in film.steps]
    assert texts == [["One."], ["Two."]]
    assert isinstance(build_cues(film)[0], Cue)
