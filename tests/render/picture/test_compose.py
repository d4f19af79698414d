from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from app.errors import AssetFailed
from app.render.model.areas import Rect, safe_area
from app.render.model.storyboard import Storyboard
from app.render.model.style import luminance
from app.render.picture.compose import Compositor, Run, runs
from app.render.story import layout
from tests.render.requests import storyboard_of

LOREM = "Each player draws one card from the deck and places it face up on the table. "
HOSTILE = {
    "long": (LOREM * 30)[:2000],
    "one word": "w" * 200,
    "arabic": "ضع اللوحة في منتصف الطاولة ثم يسحب كل لاعب 5 بطاقات (Gem Cards). " * 5,
    "missing": "字 \U0001f389 " * 40,
    "accents": "ẤẬ gjpqy ÅÇ " * 12,
}
SIZES = ["1280x720", "720x1280", "160x90", "3840x2160"]
#: The linear light of each 8-bit value.
LINEAR = np.array([luminance((value, value, value)) for value in range(256)])


def board(
    *steps: dict[str, Any], assets: dict[str, Path] | None = None, **options: Any
) -> Storyboard:
    plain = [{"background": {"color": "#0f172a"}, **step} for step in steps]
    request = {"steps": plain, "assets": [], "audio": {}, "options": options}
    payload = {"previewRequest": request, "dryRun": False}
    return storyboard_of(payload, assets or {})


def frames(storyboard: Storyboard) -> list[NDArray[np.uint8]]:
    compositor = Compositor(storyboard)
    return [compositor.picture(run) for run in runs(storyboard)]


def ink_box(frame: NDArray[np.uint8]) -> Rect:
    """The box of all that differs from the colour of the frame's corner."""
    inked = (frame != frame[0, 0]).any(axis=2)
    rows, columns = (np.flatnonzero(inked.any(axis=axis)) for axis in (1, 0))
    x, y = columns.min(), rows.min()
    return Rect(x, y, columns.max() + 1 - x, rows.max() + 1 - y)


@pytest.fixture(scope="module")
def art(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    directory = tmp_path_factory.mktemp("art")
    noise = np.random.default_rng(7).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    Image.fromarray(noise).resize((800, 600), Image.Resampling.BICUBIC).save(directory / "busy.png")
    Image.new("RGB", (300, 400), (250, 250, 250)).save(directory / "white.png")
    Image.new("RGBA", (100, 100), (255, 0, 0, 128)).save(directory / "glass.png")
    Image.new("RGB", (200, 100), (0, 200, 0)).save(directory / "green.png")
    return {path.stem: path for path in directory.glob("*.png")}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("name", HOSTILE)
def test_no_rendered_pixel_of_text_leaves_the_safe_area(name: str, size: str) -> None:
    storyboard = board({"title": HOSTILE[name][:160], "body": HOSTILE[name]}, resolution=size)
    safe = safe_area(storyboard.width, storyboard.height)
    for frame in frames(storyboard):
        ink = ink_box(frame)
        assert ink.x >= safe.x - 1
        assert ink.y >= safe.y - 1
        assert ink.right <= safe.right + 1
        assert ink.bottom <= safe.bottom + 1


@pytest.mark.parametrize("name", HOSTILE)
def test_every_rendered_pixel_of_text_lies_in_the_box_of_its_layer(name: str) -> None:
    storyboard = board({"id": "s", "text": HOSTILE[name]})
    step = storyboard.steps[0]
    placed = layout.place(step.texts, step.pictures, width=1280, height=720).texts
    for run, frame in zip(runs(storyboard), frames(storyboard), strict=True):
        (shown,) = [t for t in placed if t.layer.span.start == run.start_frame]
        ink = ink_box(frame)
        assert ink.x >= shown.ink.x - 1
        assert ink.y >= shown.ink.y - 1
        assert ink.right <= shown.ink.right + 1
        assert ink.bottom <= shown.ink.bottom + 1


def test_runs_cover_the_film_without_gap_and_change_only_where_something_does() -> None:
    overlays = [
        {"text": "one", "startSec": 0.5, "endSec": 1},
        {"text": "two", "startSec": 1, "position": "bottom"},
    ]
    storyboard = board({"durationSec": 2, "overlays": overlays}, {"durationSec": 1, "text": "x"})
    assert runs(storyboard) == (
        Run(0, 0, 15),
        Run(0, 15, 15),
        Run(0, 30, 30),
        Run(1, 60, 30),
    )
    assert sum(run.frames for run in runs(storyboard)) == storyboard.frames


def test_a_film_of_no_steps_has_no_runs() -> None:
    assert runs(board()) == ()


def test_frames_have_the_size_of_the_film() -> None:
    (frame,) = frames(board({"text": "Hi"}, resolution="320x240"))
    assert (frame.shape, frame.dtype) == ((240, 320, 3), np.dtype(np.uint8))


def test_the_ground_is_exactly_the_colour_given() -> None:
    (frame,) = frames(board({"background": {"color": "#13579b"}}))
    assert (frame == (0x13, 0x57, 0x9B)).all()


def test_text_shows_only_in_its_time() -> None:
    overlays = [{"text": "late", "startSec": 1}]
    before, after = frames(board({"durationSec": 2, "overlays": overlays}))
    assert (before == before[0, 0]).all()
    assert not (after == after[0, 0]).all()


def least_contrast(storyboard: Storyboard, monkeypatch: pytest.MonkeyPatch) -> float:
    """The least contrast of the first frame's text with any pixel that it covers.

    The ink is the commonest colour among the pixels that drawing text changes.
    """
    inked = frames(storyboard)[0]
    monkeypatch.setattr("app.render.picture.lettering.draw_block", lambda *_, **__: None)
    bare = frames(storyboard)[0]
    changed = (inked != bare).any(axis=2)
    colours, counts = np.unique(inked[changed], axis=0, return_counts=True)
    ink = brightness(colours[counts.argmax()])
    grounds = LINEAR[bare[changed]] @ (0.2126, 0.7152, 0.0722)
    lighter, darker = np.maximum(grounds, ink), np.minimum(grounds, ink)
    return float(((lighter + 0.05) / (darker + 0.05)).min())


def brightness(pixel: NDArray[np.uint8]) -> float:
    red, green, blue = map(int, pixel)
    return luminance((red, green, blue))


@pytest.mark.parametrize(
    "colour", ["#0f172a", "#000000", "#ffffff", "#777777", "#ff0000", "#88aa33"]
)
@pytest.mark.parametrize("given", [None, "#808080", "white", "#ff0000"])
def test_text_can_be_read_on_any_ground(
    colour: str, given: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    overlay = {"role": "body", "text": "Words to read", **({"color": given} if given else {})}
    step = {"background": {"color": colour}, "overlays": [overlay]}
    assert least_contrast(board(step), monkeypatch) >= 7


@pytest.mark.parametrize("role", ["title", "heading"])
@pytest.mark.parametrize("given", ["#38bdf8", "#223344", "white"])
def test_large_accents_can_be_read(role: str, given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    overlay = {"role": role, "text": "Words to read", "color": given}
    assert least_contrast(board({"overlays": [overlay]}), monkeypatch) >= 4.5


@pytest.mark.parametrize("given", ["#a78bfa", "#223344", "#808080"])
def test_badges_can_be_read(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    overlay = {"role": "badge", "text": "STEP 1", "color": given}
    assert least_contrast(board({"overlays": [overlay]}), monkeypatch) >= 7


@pytest.mark.parametrize("style", ["cover", "contain", "blur-fill"])
@pytest.mark.parametrize("name", ["busy", "white", "green"])
@pytest.mark.parametrize("role", ["body", "caption", "warning"])
def test_text_can_be_read_over_any_picture(
    art: dict[str, Path], style: str, name: str, role: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    overlay = {"role": role, "text": "Words to read", "position": "center"}
    step = {"background": {"assetId": name, "style": style}, "overlays": [overlay]}
    assert least_contrast(board(step, assets=art), monkeypatch) >= 7


@pytest.mark.parametrize(("position", "text_at"), [("top", 0), ("bottom", -1)])
def test_a_scrim_darkens_the_picture_beside_the_text_and_fades_out(
    art: dict[str, Path], position: str, text_at: int
) -> None:
    overlay = {"role": "body", "text": "Words to read", "position": position}
    bare, darkened = (
        frames(board({"background": {"assetId": "busy"}, "overlays": texts}, assets=art))[0]
        for texts in ([], [overlay])
    )
    rows = darkened[:, :60].mean(axis=(1, 2)) / bare[:, :60].mean(axis=(1, 2))
    assert rows[text_at] < 0.6
    assert rows[-1 - text_at] == 1, "the other half is as it was"
    assert np.abs(np.diff(rows)).max() < 0.05, "there is no edge"


def test_texts_close_to_each_other_share_one_panel(art: dict[str, Path]) -> None:
    overlays = [
        {"role": "heading", "text": "Short", "position": "center"},
        {"role": "body", "text": "Words that are a good deal wider", "position": "center"},
    ]
    step = {"background": {"assetId": "busy"}, "overlays": overlays}
    storyboard = board(step, assets=art)
    (frame,) = frames(storyboard)
    step_texts = storyboard.steps[0].texts
    heading, body = layout.place(step_texts, (), width=1280, height=720).texts
    # Right of the short heading the panel is as dark as beside the body.
    row = int(heading.ink.y + heading.ink.height / 2)
    columns = slice(int(heading.ink.right) + 20, int(body.ink.right))
    assert max(brightness(pixel) for pixel in frame[row, columns]) < 0.1


def test_a_placed_picture_lies_where_it_was_put(art: dict[str, Path]) -> None:
    placement = {"x": 0.25, "y": 0.5, "width": 0.25, "height": 0.25}
    visual = {"assetId": "green", "placement": placement, "fit": "cover"}
    (frame,) = frames(board({"visuals": [visual]}, assets=art))
    green = (frame == (0, 200, 0)).all(axis=2)
    rows, columns = (np.flatnonzero(green.any(axis=axis)) for axis in (1, 0))
    assert (rows.min(), rows.max() + 1, columns.min(), columns.max() + 1) == (360, 540, 320, 640)
    corner = green[360:378, 320:338]
    assert not corner[0, 0], "corners are round"
    assert green[360:540, 338:622].all()
    assert (frame[:300] == frame[0, 0]).all()
    below = frame[541:600, 480].astype(int).sum(axis=1)
    assert below[5] < frame[0, 0].astype(int).sum(), "and it throws a shadow"


def test_contain_shows_the_whole_picture_in_the_middle_of_its_box(art: dict[str, Path]) -> None:
    placement = {"x": 0.0, "y": 0.0, "width": 0.5, "height": 1.0}
    (frame,) = frames(
        board({"visuals": [{"assetId": "green", "placement": placement}]}, assets=art)
    )
    box = ink_box(frame)
    assert (box.x, box.y, box.width, box.height) == (0, 200, 640, 320)


def test_higher_layers_cover_lower_ones(art: dict[str, Path]) -> None:
    whole = {"x": 0, "y": 0, "width": 1, "height": 1}
    visuals = [
        {"assetId": "green", "placement": whole, "fit": "cover", "layer": 2},
        {"assetId": "white", "placement": whole, "fit": "cover", "layer": 1},
    ]
    (frame,) = frames(board({"visuals": visuals}, assets=art))
    assert (frame == (0, 200, 0)).all()


def test_transparency_lets_the_ground_through(art: dict[str, Path]) -> None:
    step = {"background": {"color": "#0000ff"}, "visuals": [{"assetId": "glass"}]}
    (frame,) = frames(board(step, assets=art))
    assert np.abs(frame[360, 640].astype(int) - (128, 0, 127)).max() <= 2


def test_a_contained_ground_leaves_its_colour_at_the_sides(art: dict[str, Path]) -> None:
    back = {"assetId": "white", "style": "contain", "color": "#102030"}
    (frame,) = frames(board({"background": back}, assets=art))
    assert tuple(frame[360, 5]) == (0x10, 0x20, 0x30)
    assert tuple(frame[360, 640]) == (250, 250, 250)


def test_a_blurred_ground_fills_the_frame(art: dict[str, Path]) -> None:
    (sharp,) = frames(board({"background": {"assetId": "busy"}}, assets=art))
    back = {"assetId": "busy", "style": "blur-fill"}
    (blurred,) = frames(board({"background": back}, assets=art))
    edge = slice(None), slice(0, 150)
    assert blurred[edge].std() < 0.6 * sharp[edge].std()
    assert not (blurred[edge] == (15, 23, 42)).all(axis=2).any()


def test_a_broken_picture_names_its_asset(tmp_path: Path) -> None:
    (tmp_path / "x.png").write_bytes(b"no picture")
    storyboard = board({"visuals": [{"assetId": "pic"}]}, assets={"pic": tmp_path / "x.png"})
    with pytest.raises(AssetFailed, match="'pic'"):
        frames(storyboard)


def test_runs_may_be_drawn_in_any_order_and_twice(art: dict[str, Path]) -> None:
    storyboard = board(
        {"title": "A", "body": LOREM, "visuals": [{"assetId": "busy"}]},
        {"text": "مرحبا", "background": {"assetId": "busy", "style": "blur-fill"}},
        {"overlays": [{"text": "x", "startSec": 1}, {"role": "badge", "text": "NEW"}]},
        assets=art,
    )
    forwards = [frame.tobytes() for frame in frames(storyboard)]
    compositor = Compositor(storyboard)
    backwards = [compositor.picture(run).tobytes() for run in reversed(runs(storyboard))]
    assert forwards == backwards[::-1]
