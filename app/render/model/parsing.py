"""Parsing: from a payload that fulfils the contract to a request of frozen values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from app.contract.captions import caption_assets, caption_wishes
from app.render.model.numbers import whole_numbers
from app.render.model.request import (
    ASSETS_POINTER,
    AUDIO_POINTER,
    DEFAULT_LANGUAGE,
    Asset,
    BackgroundRequest,
    CalloutRequest,
    LayoutRequest,
    MotionRequest,
    NarrationTrack,
    Options,
    OverlayRequest,
    Paint,
    Point,
    Request,
    StepRequest,
    TransitionRequest,
    VisualRequest,
    VoiceRequest,
)
from app.render.model.sound import Ducking, LoudnessTarget, Music, SoundOptions
from app.render.model.storyboard import Box
from app.render.model.themes import NIGHT, THEMES, Colour

_NAMED_COLOURS: Final[dict[str, Colour]] = {"white": (255, 255, 255), "black": (0, 0, 0)}

Given = Mapping[str, Any]


def parse(payload: Given, files: Mapping[str, Path]) -> Request:
    """Return the request of a payload that fulfils the contract.

    Args:
        payload: The preview job.
        files: Asset id to file, from :func:`app.render.assets.resolve_assets`.
    """
    payload = whole_numbers(payload)
    request = payload["previewRequest"]
    assets = tuple(_assets(request["assets"], files))
    by_id = {asset.id: asset for asset in assets}
    return Request(
        job_id=payload["jobId"],
        project_id=payload["projectId"],
        dry_run=payload.get("dryRun", False),
        title=request.get("title", "").strip(),
        options=_options(request.get("options", {})),
        steps=tuple(_steps(request["steps"], by_id)),
        theme=THEMES[request.get("theme", NIGHT.name)],
        assets=assets,
        translations=_translations(request, assets),
        narrations=tuple(_narrations(request["audio"], by_id)),
        sound=_sound(request["audio"], by_id),
        voice=_voice(request),
    )


def colour_of(value: str) -> Paint:
    """Return colour and opacity (0 to 1) of ``#rrggbb``, ``#rrggbbaa``, ``white`` or ``black``."""
    if value in _NAMED_COLOURS:
        return _NAMED_COLOURS[value], 1.0
    red, green, blue, *alpha = bytes.fromhex(value[1:])
    return (red, green, blue), alpha[0] / 255 if alpha else 1.0


def _renamed(given: Given, **names: str) -> dict[str, Any]:
    """Return the fields that are given, by our names; the others keep their defaults."""
    return {ours: given[theirs] for ours, theirs in names.items() if theirs in given}


def _assets(given: list[Given], files: Mapping[str, Path]) -> Iterator[Asset]:
    for index, asset in enumerate(given):
        yield Asset(
            id=asset["id"],
            type=asset["type"],
            file=files[asset["id"]],
            pointer=f"{ASSETS_POINTER}/{index}",
            **_renamed(asset, language="language", path="path", uri="uri"),
        )


def _options(given: Given) -> Options:
    named = _renamed(
        given,
        fps="fps",
        container="format",
        quality="quality",
        language="language",
        max_seconds="maxDurationSec",
        thumbnails="thumbnails",
        poster_seconds="posterAtSec",
        include_captions="includeCaptions",
        burn_in_captions="burnInCaptions",
    )
    if "resolution" in given:
        named["width"], named["height"] = map(int, given["resolution"].split("x"))
    return Options(**named)


def _translations(request: Given, assets: tuple[Asset, ...]) -> tuple[Asset, ...]:
    if not request.get("options", {}).get("includeCaptions", True):
        return ()
    by_language = caption_assets(request)
    wished = (language for language in caption_wishes(request) if language in by_language)
    return tuple(assets[by_language[language]] for language in wished)


def _steps(given: list[Given], assets: Mapping[str, Asset]) -> Iterator[StepRequest]:
    numbered = 0
    for index, step in enumerate(given):
        is_numbered = step.get("type") == "numbered"
        numbered += is_numbered
        yield _step(
            step,
            step_id=step.get("id") or f"step-{index + 1}",
            number=numbered if is_numbered else 0,
            assets=assets,
        )


def _step(given: Given, *, step_id: str, number: int, assets: Mapping[str, Asset]) -> StepRequest:
    return StepRequest(
        id=step_id,
        number=number,
        title=given.get("title", "").strip(),
        body=(given.get("body") or given.get("text") or "").strip(),
        narration=given.get("narration", "").strip(),
        background=_background(given.get("background", {}), assets),
        layout=_layout(given.get("layout", {})),
        visuals=tuple(_visual(visual, assets) for visual in given.get("visuals", ())),
        overlays=tuple(map(_overlay, given.get("overlays", ()))),
        callouts=tuple(map(_callout, given.get("callouts", ()))),
        motion=_motion(given["motion"]) if "motion" in given else None,
        transition=TransitionRequest(
            **_renamed(given.get("transition", {}), kind="in", seconds="durationSec")
        ),
        chapter_title=given.get("chapterTitle", "").strip(),
        accent=_paint(given, "accentColor"),
        **_renamed(given, type="type", seconds="durationSec"),
    )


def _background(given: Given, assets: Mapping[str, Asset]) -> BackgroundRequest:
    asset = assets[given["assetId"]] if "assetId" in given else None
    return BackgroundRequest(_paint(given, "color"), asset, **_renamed(given, style="style"))


def _layout(given: Given) -> LayoutRequest:
    focus = _region(given["visualFocus"]) if "visualFocus" in given else None
    named = _renamed(given, mode="mode", side="imageSide", panel_ratio="panelWidthRatio")
    return LayoutRequest(focus=focus, **named)


def _visual(given: Given, assets: Mapping[str, Asset]) -> VisualRequest:
    return VisualRequest(
        asset=assets[given["assetId"]],
        box=_box(given),
        motions=tuple(map(_motion, given.get("motions", ()))),
        **_renamed(given, layer="layer", fit="fit"),
    )


def _overlay(given: Given) -> OverlayRequest:
    named = _renamed(
        given, role="role", position="position", start_seconds="startSec", end_seconds="endSec"
    )
    return OverlayRequest(given["text"], box=_box(given), paint=_paint(given, "color"), **named)


def _callout(given: Given) -> CalloutRequest:
    named = _renamed(given, kind="kind", label="label", appear_seconds="appearSec")
    return CalloutRequest(_region(given["target"]), **named)


def _motion(given: Given) -> MotionRequest:
    return MotionRequest(
        given["type"],
        before=_amount_or_place(given.get("from")),
        after=_amount_or_place(given.get("to")),
        anchor=_point(given["anchor"]) if "anchor" in given else None,
        **_renamed(
            given,
            start_seconds="startSec",
            end_seconds="endSec",
            easing="easing",
            direction="direction",
            distance="distance",
            period_seconds="periodSec",
            repeat_count="repeatCount",
        ),
    )


def _amount_or_place(value: float | Mapping[str, float] | None) -> float | Point | None:
    if isinstance(value, Mapping):
        return _point(value)
    return None if value is None else float(value)


def _point(given: Mapping[str, float]) -> Point:
    return given["x"], given["y"]


def _box(given: Given) -> Box | None:
    place = given.get("placement")
    if place is None:
        return None
    return Box(place["x"], place["y"], place["width"], place["height"])


def _region(given: Mapping[str, float]) -> Box:
    return Box(given["x"], given["y"], given.get("w", 0.0), given.get("h", 0.0))


def _paint(given: Given, name: str) -> Paint | None:
    return colour_of(given[name]) if name in given else None


def _narrations(audio: Given, assets: Mapping[str, Asset]) -> Iterator[NarrationTrack]:
    for index, track in enumerate(audio.get("narration", ())):
        yield NarrationTrack(
            step_id=track["stepId"],
            asset=assets[track["assetId"]],
            pointer=f"{AUDIO_POINTER}/narration/{index}",
            **_renamed(track, offset_seconds="offsetSec", gain_db="gainDb", language="language"),
        )


def _sound(audio: Given, assets: Mapping[str, Asset]) -> SoundOptions:
    ducking = _renamed(
        audio.get("ducking", {}),
        mode="mode",
        dip_db="dipDb",
        attack_seconds="attackSec",
        release_seconds="releaseSec",
    )
    target = _renamed(audio.get("loudness", {}), lufs="targetLufs", peak_dbtp="truePeakDbtp")
    music = _music(audio["music"], assets) if "music" in audio else None
    return SoundOptions(music, Ducking(**ducking), LoudnessTarget(**target))


def _music(given: Given, assets: Mapping[str, Asset]) -> Music:
    asset = assets[given["assetId"]]
    named = _renamed(
        given,
        relative_db="relativeDb",
        loop="loop",
        fade_in_seconds="fadeInSec",
        fade_out_seconds="fadeOutSec",
        start_seconds="startSec",
    )
    return Music(asset.id, asset.file, **named)


def _voice(request: Given) -> VoiceRequest | None:
    given = request["audio"].get("voice", {})
    provider = given.get("provider", "none")
    if provider == "none":
        return None
    return VoiceRequest(
        provider=provider,
        language=given.get("language")
        or request.get("options", {}).get("language", DEFAULT_LANGUAGE),
        voice_id=given.get("voiceId", "").strip(),
        words_per_minute=given.get("wordsPerMinute"),
    )
