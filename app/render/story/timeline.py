"""The timeline: from a request to a storyboard whose every time is a frame.

Pure: no file is read but fonts, no clock is asked. Steps are
snapped by rounding their cumulative times, so that the film never drifts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from app.errors import ErrorItem, ValidationFailed
from app.render.captions.cues import build_cues, needed_frames
from app.render.model import pacing
from app.render.model.areas import unit
from app.render.model.request import STEPS_POINTER, NarrationTrack, Request
from app.render.model.storyboard import Narration, Span, Step, Storyboard, TextLayer
from app.render.story import layout
from app.render.story.burnin import with_burnt_captions
from app.render.story.choreography import STEP, choreograph
from app.render.story.drafts import DraftText
from app.render.story.events import callouts, transition
from app.render.story.lists import appearing
from app.render.story.narrations import heard_narrations
from app.render.story.scenes import Scene, read_scene, title_card
from app.render.text import fonts, segmentation
from app.render.text.setting import clean

DurationSource = Literal["given", "narration", "estimate"]


def build_storyboard(request: Request, *, narration_seconds: Mapping[str, float]) -> Storyboard:
    """Return the storyboard of a request.

    Args:
        request: What the author asks for.
        narration_seconds: Asset id to measured length of each narration. One
            that is not in it is unknown yet; its step is estimated.

    Raises:
        ValidationFailed: The film would be longer than ``maxDurationSec``.
    """
    options = request.options
    builder = _Builder(request, narration_seconds)
    steps = builder.steps(title_only=not request.dry_run)
    poster = options.poster_seconds
    last = max(0, steps[-1].end - 1) if steps else 0
    film = Storyboard(
        title=request.title,
        width=options.width,
        height=options.height,
        fps=options.fps,
        quality=options.quality,
        language=options.language,
        steps=steps,
        include_captions=options.include_captions,
        thumbnails=options.thumbnails,
        poster_at=None if poster is None else min(round(poster * options.fps), last),
        theme=request.theme,
        warnings=tuple(builder.warnings),
    )
    return with_burnt_captions(film, build_cues(film)) if options.burn_in_captions else film


def _check_length(seconds: float, limit: float) -> None:
    """Refuse a film as soon as it is too long: what follows need not be laid out."""
    if seconds <= limit:
        return
    detail = f"the film would last {seconds:.1f} s or more, at most {limit:g} s are allowed"
    item = ErrorItem(STEPS_POINTER, "duration-too-long", detail)
    raise ValidationFailed(f"{detail}: shorten steps or raise maxDurationSec", errors=[item])


class _Builder:
    """Builds the steps one after another; keeps the time and the warnings."""

    def __init__(self, request: Request, narration_seconds: Mapping[str, float]) -> None:
        self.seconds = 0.0
        self.warnings: list[str] = []
        self._request, self._options = request, request.options
        self._captioned = self._options.burn_in_captions or self._options.include_captions
        # Chapters are those that the author names; headings stand in where none are named.
        self._chapters = any(step.chapter_title for step in request.steps)
        heard, notes = heard_narrations(request)
        self.warnings.extend(notes)
        self._heard = frozenset(heard)
        self._narrations = dict(_measured(heard.values(), narration_seconds))

    def steps(self, *, title_only: bool) -> tuple[Step, ...]:
        """Return all steps; a title card when there are none but a title, if asked for."""
        request = self._request
        if request.steps:
            drafts = [
                (step.id, read_scene(step, request.theme), step.seconds) for step in request.steps
            ]
            self._check_least(drafts)
            return tuple(self._step(*draft) for draft in drafts)
        if title_only and request.title:
            return (self._step("title", title_card(request.title, request.theme), None),)
        return ()

    def _check_least(self, drafts: Iterable[tuple[str, Scene, float | None]]) -> None:
        """Refuse a film that is too long already without pages of text: layout takes seconds."""
        least = 0.0
        for step_id, scene, given in drafts:
            seconds, _ = self._duration(scene, given, self._narrations.get(step_id))
            # A step may lose a frame where its begin and end are rounded.
            least += self._captions_need(step_id, scene, seconds) - 1 / self._options.fps
            _check_length(least, self._options.max_seconds)

    def _step(self, step_id: str, scene: Scene, given: float | None) -> Step:
        if self._options.burn_in_captions and scene.spoken.strip():
            scene = replace(scene, arrangement=replace(scene.arrangement, captions=True))
        narration = self._narrations.get(step_id)
        seconds, source = self._duration(scene, given, narration)
        if source == "narration" and given is not None:
            self._warn_if_longer(step_id, given, seconds, "its narration would be cut")
        needed = self._captions_need(step_id, scene, seconds)
        if source == "given":
            self._warn_if_longer(step_id, seconds, needed, "its captions could not be read")
        scene = replace(scene, texts=appearing(scene.texts, needed))
        timed, paged = self._paged(step_id, scene, needed)
        self._warn_if_longer(step_id, needed, paged, "its pages of text could not be read")
        seconds = self._captions_need(step_id, scene, paged) if paged > needed else needed
        fps = self._options.fps
        start = round(self.seconds * fps)
        self.seconds += seconds
        _check_length(self.seconds, self._options.max_seconds)
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
        self, scene: Scene, given: float | None, narration: Narration | None
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
        return spoken, "narration"

    def _captions_need(self, step_id: str, scene: Scene, seconds: float) -> float:
        """Return seconds, or more where captions need more; a recording sets its own pace."""
        if not self._captioned or step_id in self._heard:
            return seconds
        fps = self._options.fps
        start = round(self.seconds * fps)
        frames = round((self.seconds + seconds) * fps) - start
        needed = needed_frames(
            scene.spoken, language=self._options.language, fps=fps, frames=frames
        )
        return seconds if needed == frames else (start + needed) / fps - self.seconds

    def _warn_if_longer(self, step_id: str, wanted: float, needed: float, reason: str) -> None:
        if needed > wanted + 1e-9:
            self.warnings.append(
                f"step {step_id}: lasts {needed:.2f} s instead of {wanted:.2f} s, or {reason}"
            )

    def _paged(self, step_id: str, scene: Scene, seconds: float) -> tuple[list[DraftText], float]:
        """Return texts cut into pages that follow each other, and the seconds that they need."""
        fps = self._options.fps
        drafts = [
            replace(draft, end=seconds if draft.end is None else min(draft.end, seconds))
            for draft in scene.texts
        ]
        layers = [self._layer(draft, max(1, round(seconds * fps))) for draft in drafts]
        parts = layout.pages(
            layers,
            scene.pictures,
            width=self._options.width,
            height=self._options.height,
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
        fps = self._options.fps
        start = min(round(draft.start * fps), frames - 1)
        end = frames if draft.end is None else min(round(draft.end * fps), frames)
        return TextLayer(
            role=draft.role,
            text=draft.text,
            position=draft.position,
            span=Span(start, max(end, start + 1)),
            box=draft.box,
            colour=draft.colour,
            marker=draft.marker,
        )

    def _warn_about_texts(self, step_id: str, texts: Sequence[TextLayer], scene: Scene) -> None:
        whole = "".join(clean(layer.text) for layer in texts)
        if missing := fonts.missing_note(whole):
            self.warnings.append(f"step {step_id}: {missing}")
        if segmentation.lacks_words(whole):
            self.warnings.append(f"step {step_id}: {segmentation.MISSING_WORDS}")
        placed = layout.place(
            texts,
            scene.pictures,
            width=self._options.width,
            height=self._options.height,
            arrangement=scene.arrangement,
        ).texts
        pixel = unit(self._options.width, self._options.height)
        if any(text.block.size < text.style.minimum * pixel * 0.999 for text in placed):
            self.warnings.append(f"step {step_id}: has more texts than fit at a readable size")


def _measured(
    tracks: Iterable[NarrationTrack], seconds: Mapping[str, float]
) -> Iterator[tuple[str, Narration]]:
    """Yield step id and narration of the tracks whose length is known."""
    for track in tracks:
        if track.asset.id in seconds:
            yield (
                track.step_id,
                Narration(
                    asset_id=track.asset.id,
                    path=track.asset.file,
                    offset_seconds=track.offset_seconds,
                    gain_db=track.gain_db,
                    seconds=seconds[track.asset.id],
                ),
            )


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
