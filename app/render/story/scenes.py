"""Scenes: the words, pictures and ground of a step, before any of it has a time in frames."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from typing import Final

from app.render.model.request import (
    CUT,
    CalloutRequest,
    LayoutRequest,
    Paint,
    StepRequest,
    TransitionRequest,
    VisualRequest,
)
from app.render.model.storyboard import (
    AUTO,
    Arrangement,
    Background,
    Fit,
    Picture,
    PictureLayer,
    Span,
)
from app.render.model.style import mix, style_of
from app.render.model.themes import NIGHT, Colour, Theme
from app.render.story.choreography import STEP, Wish
from app.render.story.drafts import DraftText
from app.render.story.lists import is_item, with_items

#: Kinds of step whose bare overlay is a title.
_CARD_TYPES: Final = frozenset({"intro", "title", "end_card", "brand_intro", "brand_outro"})
#: What stands before the text of a list's item.
_MARKS: Final = {"bulleted": "• ", "asterisk": "* "}
#: Signs after which a caption may end.
_STOPS: Final = ".!?…:;。！？"  # noqa: RUF001 - full-width signs are meant
#: Scripts that end a sentence with U+3002, by how the names of their characters begin.
_FULL_WIDTH: Final = ("CJK", "HIRAGANA", "KATAKANA")
#: Motions of a whole step that change what is behind its texts only.
_OF_PICTURES: Final = frozenset({"zoom", "focus_zoom", "ken_burns", "pan", "pulse", "highlight"})


@dataclass(frozen=True, slots=True)
class Scene:
    """A step's contents. ``pictures`` span the whole step once it has frames.

    ``wishes`` are the motions asked for, each with the number of its picture.
    ``notes`` say what of the author's wishes is not met.
    """

    texts: tuple[DraftText, ...]
    pictures: tuple[PictureLayer, ...]
    background: Background
    accent: Colour
    spoken: str
    chapter_title: str
    arrangement: Arrangement = AUTO
    wishes: tuple[Wish, ...] = ()
    transition: TransitionRequest = CUT
    callouts: tuple[CalloutRequest, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def shown(self) -> str:
        """All words on the screen."""
        return " ".join(draft.text for draft in self.texts)

    @property
    def heading(self) -> str:
        """The first heading or title, "" where there is none."""
        heads = (draft.text.strip() for draft in self.texts if style_of(draft.role).heads)
        return next(heads, "")


def read_scene(step: StepRequest, theme: Theme = NIGHT) -> Scene:
    """Return the contents of a step, in the colours of ``theme`` where it names none."""
    arrangement = _arrangement(step.layout)
    background = _background(step, theme)
    own, overlays = _title_and_body(step), _overlays(step, ground=background.colour)
    if arrangement.mode == "full-bleed":
        own = tuple(map(_lowered, own))
        overlays = tuple(_lowered(d) if d.position == "auto" else d for d in overlays)
    texts = (*_number(step), *with_items((*own, *overlays)))
    pictures = _pictures(step)
    wishes, notes = _wishes(step)
    hidden = len(step.visuals) - len(pictures)
    if hidden:
        notes.append(f"is text-only: {hidden} of its pictures are not shown")
    return Scene(
        texts=texts,
        pictures=pictures,
        background=background,
        accent=_accent(step, texts, theme, ground=background.colour),
        spoken=step.narration or _spoken(texts),
        chapter_title=step.chapter_title,
        arrangement=arrangement,
        wishes=wishes,
        transition=step.transition,
        callouts=step.callouts,
        notes=tuple(notes),
    )


def title_card(title: str, theme: Theme = NIGHT) -> Scene:
    """Return the scene of a job that has a title and no steps."""
    draft = DraftText("title", title, "center")
    return Scene((draft,), (), Background(theme.ground, themed=True), theme.accent, title, title)


def _number(step: StepRequest) -> tuple[DraftText, ...]:
    if not step.number:
        return ()
    return (DraftText("step", str(step.number), "auto", spoken=False),)


def _arrangement(layout: LayoutRequest) -> Arrangement:
    return Arrangement(layout.mode or "auto", layout.side, layout.panel_ratio)


def _lowered(draft: DraftText) -> DraftText:
    """Move a text to the foot of the frame: in its middle it would hide the picture."""
    return draft if style_of(draft.role).pill else replace(draft, position="bottom")


def _title_and_body(step: StepRequest) -> tuple[DraftText, ...]:
    texts = []
    if step.title:
        alone = not step.body and not step.overlays
        title = DraftText("title", step.title, "auto")
        texts.append(title if alone else replace(title, role="heading"))
    if step.body:
        texts.append(DraftText("body", _marked(step), "auto"))
    return tuple(texts)


def _marked(step: StepRequest) -> str:
    """Return the body of a step; in a list, each line begins with its mark."""
    mark = _MARKS.get(step.type, "")
    lines = [line for line in step.body.splitlines() if line.strip()]
    return (
        "\n".join(line if is_item(line) else mark + line for line in lines) if mark else step.body
    )


def _overlays(step: StepRequest, *, ground: Colour) -> tuple[DraftText, ...]:
    fallback = "title" if step.type in _CARD_TYPES else "body"
    texts = []
    for overlay in step.overlays:
        role = overlay.role or fallback
        texts.append(
            DraftText(
                role=role,
                text=overlay.text,
                position=overlay.position,
                start=overlay.start_seconds,
                end=overlay.end_seconds,
                box=overlay.box,
                colour=_opaque(overlay.paint, ground) if overlay.paint else None,
                spoken=not style_of(role).pill and role != "reference",
            )
        )
    return tuple(draft for draft in texts if draft.text.strip())


def _spoken(texts: tuple[DraftText, ...]) -> str:
    """Join what is read aloud; a text without a final stop gets one, so that cues part there."""
    parts = [draft.text.strip() for draft in texts if draft.spoken]
    for mark in _MARKS.values():
        parts = [part.removeprefix(mark) for part in parts]
    return "".join([*map(_ended, parts[:-1]), *parts[-1:]])


def _ended(text: str) -> str:
    """Return ``text`` with a final stop and, where its script has them, a space."""
    names = [unicodedata.name(char, "") for char in text[-2:]]  # one may be a closing bracket
    full = any(name.startswith(_FULL_WIDTH) for name in names)
    if text[-1:] not in _STOPS:
        text += "。" if full else "."
    return text if text.endswith(("。", "！", "？")) else f"{text} "  # noqa: RUF001 - full-width


def _opaque(paint: Paint, ground: Colour) -> Colour:
    """Return what a colour looks like that lies on ``ground``, translucent or not."""
    colour, opacity = paint
    return mix(ground, colour, opacity)


def _pictures(step: StepRequest) -> tuple[PictureLayer, ...]:
    fallback: Fit = "cover" if step.layout.mode == "full-bleed" else "contain"
    return tuple(
        PictureLayer(
            picture=Picture(visual.asset.id, visual.asset.file),
            box=visual.box,
            fit=visual.fit or fallback,
            layer=visual.layer,
            span=Span(0, 0),
            focus=step.layout.focus,
        )
        for visual in _shown(step)
    )


def _shown(step: StepRequest) -> list[VisualRequest]:
    """Return the visuals that are seen: text-only leaves out those without a place."""
    hides = step.layout.mode == "text-only"
    return [visual for visual in step.visuals if not hides or visual.box]


def _wishes(step: StepRequest) -> tuple[tuple[Wish, ...], list[str]]:
    """Return the motions of a step and its pictures, and what of them there is nothing for."""
    shown, notes = _shown(step), []
    wishes = [(number, motion) for number, visual in enumerate(shown) for motion in visual.motions]
    if step.motion:
        kind = step.motion.type
        seen = bool(shown) or (kind != "highlight" and step.background.asset is not None)
        if seen or kind not in _OF_PICTURES:
            wishes.insert(0, (STEP, step.motion))
        else:
            notes.append(f"has no picture that its {kind} could show")
    return tuple(wishes), notes


def _background(step: StepRequest, theme: Theme) -> Background:
    given = step.background
    colour = _opaque(given.paint, theme.ground) if given.paint else theme.ground
    picture = Picture(given.asset.id, given.asset.file) if given.asset else None
    themed = given.paint is None and picture is None
    return Background(colour, picture, given.style, step.layout.focus, themed=themed)


def _accent(
    step: StepRequest, texts: tuple[DraftText, ...], theme: Theme, *, ground: Colour
) -> Colour:
    if step.accent:
        return _opaque(step.accent, ground)
    pills = (draft.colour for draft in texts if style_of(draft.role).pill and draft.colour)
    return next(pills, theme.accent)
