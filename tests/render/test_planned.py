from __future__ import annotations

from pathlib import Path
from typing import Any

from app.render.plan import plan
from app.render.story.cost import estimate
from tests.render.films import make_payload, write_png
from tests.render.requests import storyboard_of

ZOOM = {"type": "zoom", "startSec": 1, "endSec": 3}


def job(*steps: dict[str, Any], **request: Any) -> dict[str, Any]:
    return make_payload(*steps, **request) | {"dryRun": True}


def picture(name: str = "board") -> dict[str, Any]:
    return {"id": name, "type": "image", "path": f"{name}.png", "alt": "A picture"}


def test_a_plan_places_pictures_and_callouts_and_names_what_moves() -> None:
    wish = {"x": 0.3, "y": 0.4, "w": 0.2, "h": 0.1}
    target = {"x": 0.3, "y": 0.4, "width": 0.2, "height": 0.1}
    step = {
        "id": "a", "durationSec": 4,
        "visuals": [
            {
                "assetId": "board", "fit": "cover", "motions": [ZOOM],
                "placement": {"x": 0.1, "y": 0.2, "width": 0.5, "height": 0.5},
            }
        ],
        "callouts": [{"kind": "arrow", "target": wish, "label": "here"}],
    }  # fmt: skip
    second = {"id": "b", "text": "Play.", "transition": {"in": "crossfade", "durationSec": 0.5}}
    found = plan(job(step, second, assets=[picture()]))
    first, second = found["steps"]
    (shown,) = first["pictures"]
    assert (shown["assetId"], shown["fit"]) == ("board", "cover")
    assert shown["box"] == {"x": 0.1, "y": 0.2, "width": 0.5, "height": 0.5}
    (zoom,) = shown["motions"]
    assert (zoom["type"], zoom["startSec"], zoom["endSec"]) == ("zoom", 1.0, 3.0)
    (callout,) = first["callouts"]
    assert (callout["kind"], callout["label"], callout["box"]) == ("arrow", "here", target)
    assert first["transition"] is None
    assert second["transition"] == {"in": "crossfade", "durationSec": 0.5}


def test_missing_assets_are_named_where_the_directory_is_known(tmp_path: Path) -> None:
    write_png(tmp_path / "board.png")
    far = {"id": "far", "type": "image", "uri": "https://example.org/x.png", "alt": "Far"}
    out = picture("out") | {"path": "../out.png"}
    payload = job({"text": "Hello"}, assets=[far, picture(), picture("cards"), out])
    found = plan(payload, asset_dir=tmp_path)
    named = {(item["assetId"], item["code"]) for item in found["missingAssets"]}
    assert named == {("cards", "asset-absent"), ("out", "asset-outside")}
    assert {item["detail"] for item in found["missingAssets"]} <= set(found["warnings"])
    assert plan(payload)["missingAssets"] == []


def test_what_is_no_picture_is_not_decoded(tmp_path: Path) -> None:
    (tmp_path / "board.png").write_bytes(b"no picture")
    found = plan(job({"text": "Hello"}, assets=[picture()]), asset_dir=tmp_path)
    assert found["missingAssets"] == []


def cost(step: dict[str, Any], **options: Any) -> dict[str, Any]:
    found: dict[str, Any] = plan(job(step, assets=[picture()], options=options))["estimatedCost"]
    return found


def test_cost_grows_with_what_moves_and_with_size_not_with_what_stands() -> None:
    moving = {"id": "a", "durationSec": 4, "visuals": [{"assetId": "board", "motions": [ZOOM]}]}
    still = {"id": "a", "durationSec": 4, "visuals": [{"assetId": "board"}]}
    held = cost(still, resolution="1280x720")
    moved = cost(moving, resolution="1280x720")
    assert (moved["framesDrawn"], moved["framesHeld"]) == (62, 58)
    assert held["framesDrawn"] <= 2
    assert moved["cpuSec"] > held["cpuSec"] + 0.5
    longer = cost({**still, "durationSec": 40}, resolution="1280x720")
    assert longer["cpuSec"] - held["cpuSec"] < 0.3
    assert cost(moving, resolution="1920x1080")["cpuSec"] > moved["cpuSec"] + 0.5
    assert cost(moving, resolution="1280x720", quality="high")["cpuSec"] > moved["cpuSec"]


def test_frames_of_a_transition_are_drawn() -> None:
    one = {"text": "One."}
    two = {"text": "Two.", "transition": {"in": "fade", "durationSec": 1}}
    plain = storyboard_of(job(one, one))
    faded = storyboard_of(job(one, two))
    more = estimate(faded, sounds=False).drawn - estimate(plain, sounds=False).drawn
    assert more == 30
    assert estimate(faded, sounds=True).cpu_seconds > estimate(faded, sounds=False).cpu_seconds
