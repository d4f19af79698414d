"""The timeline: from a payload to a storyboard whose every time is a frame.

Pure: no file is read but fonts, no clock is asked. Steps are
snapped by rounding their cumulative times, so that the film never drifts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from app.errors import ErrorItem, ValidationFailed
from app.render.captions.cues import build_cues, needed_frames
from app.render.model import pacing
from app.render.model.areas import unit
from app.render.model.storyboard import Narration, Span, Step, Storyboard, TextLayer
from app.render.story import layout
from app.render.story.burnin import with_burnt_captions
from app.render.story.choreography import STEP, choreograph
from app.render.story.events import callouts, transition
from app.render.story.narrations import heard_narrations
from app.render.story.scenes import DraftText, Scene, read_scene, title_card
from app.render.text import fonts
from app.render.text.setting import clean

#: Used where the options name nothing else.
DEFAULT_RESOLUTION: Final = "1280x720"
DEFAULT_FPS: Final = 30
DEFAULT_FORMAT: Final = "mp4"
DEFAULT_MAX_SECONDS: Final = 600.0
DEFAULT_THUMBNAILS: Final = 4


DurationSource = Literal["given", "narration", "estimate"]


@dataclass(frozen=True, slots=True)
class _Frame:
    width: int
    height: int
    fps: int


def build_storyboard(
    payload: Mapping[str, Any],
    *,
    assets: Mapping[str, Path],
    narration_seconds: Mapping[str, float],
) -> Storyboard:
    """Return the storyboard of a payload that fulfils the contract.

    Args:
        payload: The preview job.
        assets: Asset id to file, as of :func:`app.render.assets.resolve_assets`.
        narration_seconds: Asset id to measured length of each narration. One
            that is not in it is unknown yet; its step is estimated.

    Raises:
        ValidationFailed: The film would be longer than ``maxDurationSec``.
    """
    request = payload["previewRequest"]
    options = request.get("options", {})
    width, height = map(int, options.get("resolution", DEFAULT_RESOLUTION).split("x"))
    frame = _Frame(width, height, options.get("fps", DEFAULT_FPS))
    builder = _Builder(request, frame, assets, narration_seconds)
    steps = builder.steps(title_only=not payload.get("dryRun", False))
    _check_length(builder.seconds, options.get("maxDurationSec", DEFAULT_MAX_SECONDS))
    poster = options.get("posterAtSec")
    last = max(0, steps[-1].end - 1) if steps else 0
    film = Storyboard(
        title=request.get("title", ""),
        width=width,
        height=height,
        fps=frame.fps,
        quality=options.get("quality", "standard"),
        language=options.get("language", "en"),
        steps=steps,
        include_captions=options.get("includeCaptions", True),
        thumbnails=options.get("thumbnails", DEFAULT_THUMBNAILS),
        poster_at=None if poster is None else min(round(poster * frame.fps), last),
        warnings=tuple(builder.warnings),
    )
    return with_burnt_captions(film, build_cues(film)) if builder.burns else film


def _check_length(seconds: float, limit: float) -> None:
    if seconds <= limit:
        return
    detail = f"the film would last {seconds:.1f} s, at most {limit:g} s are allowed"
    item = ErrorItem("/previewRequest/steps", "duration-too-long", detail)
    raise ValidationFailed(f"{detail}: shorten steps or raise maxDurationSec", errors=[item])


class _Builder:
    """Builds the steps one after another; keeps the time and the warnings."""

    def __init__(
        self,
        request: Mapping[str, Any],
        frame: _Frame,
        assets: Mapping[str, Path],
        narration_seconds: Mapping[str, float],
    ) -> None:
        self.seconds = 0.0
        self.warnings: list[str] = []
        self._request, self._frame, self._assets = request, frame, assets
        options = request.get("options", {})
        #: Whether captions are drawn into the picture.
        self.burns = options.get("burnInCaptions", False)
        self._captioned = self.burns or options.get("includeCaptions", True)
        self._language = options.get("language", "en")
        # Chapters are those that the author names; headings stand in where none are named.
        self._chapters = any(step.get("chapterTitle", "").strip() for step in request["steps"])
        self._narrations: dict[str, Narration] = {}
        heard, notes = heard_narrations(request)
        self.warnings.extend(notes)
        self._heard = frozenset(heard)
        for entry in heard.values():
            self._add_narration(entry, narration_seconds)

    def _add_narration(self, entry: Mapping[str, Any], seconds: Mapping[str, float]) -> None:
        asset_id, step_id = entry["assetId"], entry["stepId"]
        if asset_id in seconds:
            self._narrations[step_id] = Narration(
                asset_id=asset_id,
                path=self._assets[asset_id],
                offset_seconds=entry.get("offsetSec", 0.0),
                gain_db=entry.get("gainDb", 0.0),
                seconds=seconds[asset_id],
            )

    def steps(self, *, title_only: bool) -> tuple[Step, ...]:
        """Return all steps; a title card when there are none but a title, if asked for."""
        request = self._request
        if not request["steps"]:
            title = request.get("title", "").strip()
            return (self._step("title", title_card(title), None),) if title_only and title else ()
        steps, number = [], 0
        for index, given in enumerate(request["steps"]):
            number += given.get("type") == "numbered"
            scene = read_scene(given, number=number, assets=self._assets)
            step_id = given.get("id") or f"step-{index + 1}"
            steps.append(self._step(step_id, scene, given.get("durationSec")))
        return tuple(steps)

    def _step(self, step_id: str, scene: Scene, given: float | None) -> Step:
        if self.burns and scene.spoken.strip():
            scene = replace(scene, arrangement=replace(scene.arrangement, captions=True))
        narration = self._narrations.get(step_id)
        seconds, source = self._duration(step_id, scene, given, narration)
        needed = self._captions_need(step_id, scene, seconds)
        if source == "given":
            self._warn_if_longer(step_id, seconds, needed, "its captions could not be read")
        timed, paged = self._paged(step_id, scene, needed)
        self._warn_if_longer(step_id, needed, paged, "its pages of text could not be read")
        seconds = self._captions_need(step_id, scene, paged) if paged > needed else needed
        fps = self._frame.fps
        start = round(self.seconds * fps)
        self.seconds += seconds
        frames = round(self.seconds * fps) - start
        texts = tuple(self._layer(draft, frames) for draft in timed)
        self.warnings.extend(f"step {step_id}: {note}" for note in scene.notes)
        self._warn_about_texts(step_id, texts, scene)
        moves = choreograph(scene.wishes, frames=frames, fps=fps)
        pointers, late = callouts(scene.callouts, frames=frames, fps=fps)
        self.warnings.extend(f"step {step_id}: {note}" for note in (*moves.notes, *late))
        return Step(
            id=step_id,
            start=start,
            frames=frames,
            background=scene.background,
            texts=texts,
            pictures=tuple(
                replace(picture, span=Span(0, frames), motions=moves.motions.get(number, ()))
                for number, picture in enumerate(scene.pictures)
            ),
            accent=scene.accent,
            spoken=scene.spoken,
            narration=narration,
            chapter_title=scene.chapter_title if self._chapters else scene.heading,
            duration_source=source,
            arrangement=scene.arrangement,
            motions=moves.motions.get(STEP, ()),
            transition=transition(scene.transition, frames=frames, fps=fps),
            callouts=pointers,
        )

    def _duration(
        self, step_id: str, scene: Scene, given: float | None, narration: Narration | None
    ) -> tuple[float, DurationSource]:
        if narration is None:
            if given is not None:
                return float(given), "given"
            return pacing.estimated_seconds(scene.shown, heading=bool(scene.heading)), "estimate"
        spoken = pacing.narrated_seconds(
            offset_seconds=narration.offset_seconds, narration_seconds=narration.seconds
        )
        if given is None:
            return spoken, "narration"
        if narration.offset_seconds + narration.seconds <= given:
            return float(given), "given"
        self.warnings.append(
            f"step {step_id}: lasts {spoken:.2f} s instead of {given:.2f} s,"
            " or its narration would be cut"
        )
        return spoken, "narration"

    def _captions_need(self, step_id: str, scene: Scene, seconds: float) -> float:
        """Return seconds, or more where captions need more; a recording sets its own pace."""
        if not self._captioned or step_id in self._heard:
            return seconds
        fps = self._frame.fps
        start = round(self.seconds * fps)
        frames = round((self.seconds + seconds) * fps) - start
        needed = needed_frames(scene.spoken, language=self._language, fps=fps, frames=frames)
        return seconds if needed == frames else (start + needed) / fps - self.seconds

    def _warn_if_longer(self, step_id: str, wanted: float, needed: float, reason: str) -> None:
        if needed > wanted + 1e-9:
            self.warnings.append(
                f"step {step_id}: lasts {needed:.2f} s instead of {wanted:.2f} s, or {reason}"
            )

    def _paged(self, step_id: str, scene: Scene, seconds: float) -> tuple[list[DraftText], float]:
        """Return texts cut into pages that follow each other, and the seconds that they need."""
        fps = self._frame.fps
        drafts = [
            replace(draft, end=seconds if draft.end is None else min(draft.end, seconds))
            for draft in scene.texts
        ]
        layers = [self._layer(draft, max(1, round(seconds * fps))) for draft in drafts]
        parts = layout.pages(
            layers,
            scene.pictures,
            width=self._frame.width,
            height=self._frame.height,
            arrangement=scene.arrangement,
        )
        paged = sum(len(texts) > 1 for texts in parts)
        needed = seconds
        if paged:
            most = max(map(len, parts))
            self.warnings.append(f"step {step_id}: a text is shown on {most} pages")
        result: list[DraftText] = []
        for draft, texts in zip(drafts, parts, strict=True):
            pages = _in_turn(draft, texts, readers=paged)
            lasting = draft.end == seconds
            result.extend([*pages[:-1], replace(pages[-1], end=None) if lasting else pages[-1]])
            needed = max(needed, pages[-1].end or 0.0)
        return result, needed

    def _layer(self, draft: DraftText, frames: int) -> TextLayer:
        fps = self._frame.fps
        start = min(round(draft.start * fps), frames - 1)
        end = frames if draft.end is None else min(round(draft.end * fps), frames)
        return TextLayer(
            role=draft.role,
            text=draft.text,
            position=draft.position,
            span=Span(start, max(end, start + 1)),
            box=draft.box,
            colour=draft.colour,
        )

    def _warn_about_texts(self, step_id: str, texts: Sequence[TextLayer], scene: Scene) -> None:
        whole = "".join(clean(layer.text) for layer in texts)
        if missing := fonts.missing_note(whole):
            self.warnings.append(f"step {step_id}: {missing}")
        frame = self._frame
        placed = layout.place(
            texts,
            scene.pictures,
            width=frame.width,
            height=frame.height,
            arrangement=scene.arrangement,
        ).texts
        pixel = unit(frame.width, frame.height)
        if any(text.block.size < text.style.minimum * pixel * 0.999 for text in placed):
            self.warnings.append(f"step {step_id}: has more texts than fit at a readable size")


def _in_turn(draft: DraftText, texts: Sequence[str], *, readers: int) -> list[DraftText]:
    """Return one draft a page, one after another, each long enough to be read.

    ``readers`` paged texts are read at the same time, each takes its share of the eye.
    """
    start, end = draft.start, draft.end or 0.0
    if len(texts) == 1:
        return [draft]
    needs = [pacing.page_seconds(text) * readers for text in texts]
    stretch = max(1.0, (end - start) / sum(needs))
    result = []
    for text, need in zip(texts, needs, strict=True):
        result.append(replace(draft, text=text, start=start, end=start + need * stretch))
        start += need * stretch
    return result
