"""One step of a payload: its words, pictures and ground, before any of it has a time in frames."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from app.render.model.storyboard import (
    AUTO,
    Arrangement,
    Background,
    Box,
    Colour,
    Picture,
    PictureLayer,
    Position,
    Span,
)
from app.render.model.style import DEFAULT_ACCENT, DEFAULT_GROUND, mix, style_of
from app.render.story.choreography import STEP, Wish

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
_NAMED_COLOURS: Final[dict[str, Colour]] = {"white": (255, 255, 255), "black": (0, 0, 0)}


@dataclass(frozen=True, slots=True)
class DraftText:
    """A text with times in seconds of its step; ``end`` None is the step's end."""

    role: str
    text: str
    position: Position
    start: float = 0.0
    end: float | None = None
    box: Box | None = None
    colour: Colour | None = None
    spoken: bool = True


@dataclass(frozen=True, slots=True)
class Scene:
    """A step's contents. ``pictures`` span the whole step once it has frames.

    ``wishes`` are motions as the payload has them, with the number of their picture;
    ``transition`` and ``callouts`` are the payload's, too.
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
    transition: Mapping[str, Any] = field(default_factory=dict)
    callouts: tuple[Mapping[str, Any], ...] = ()
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


def colour_of(value: str) -> tuple[Colour, float]:
    """Return colour and opacity (0 to 1) of ``#rrggbb``, ``#rrggbbaa``, ``white`` or ``black``."""
    if value in _NAMED_COLOURS:
        return _NAMED_COLOURS[value], 1.0
    red, green, blue, *alpha = bytes.fromhex(value[1:])
    return (red, green, blue), alpha[0] / 255 if alpha else 1.0


def read_scene(step: Mapping[str, Any], *, number: int, assets: Mapping[str, Path]) -> Scene:
    """Read one step of a payload.

    Args:
        step: The step.
        number: Its number among the numbered steps; shown where it is one of them.
        assets: Asset id to file.
    """
    arrangement = _arrangement(step)
    background = _background(step, assets)
    own, overlays = _title_and_body(step), _overlays(step, ground=background.colour)
    if arrangement.mode == "full-bleed":
        own = tuple(map(_lowered, own))
        overlays = tuple(_lowered(d) if d.position == "auto" else d for d in overlays)
    texts = (*_number(step, number), *own, *overlays)
    pictures = _pictures(step, assets)
    wishes, notes = _wishes(step)
    hidden = len(step.get("visuals", ())) - len(pictures)
    if hidden:
        notes.append(f"is text-only: {hidden} of its pictures are not shown")
    return Scene(
        texts=texts,
        pictures=pictures,
        background=background,
        accent=_accent(step, texts, ground=background.colour),
        spoken=step.get("narration", "").strip() or _spoken(texts),
        chapter_title=step.get("chapterTitle", "").strip(),
        arrangement=arrangement,
        wishes=wishes,
        transition=step.get("transition", {}),
        callouts=tuple(step.get("callouts", ())),
        notes=tuple(notes),
    )


def title_card(title: str) -> Scene:
    """Return the scene of a job that has a title and no steps."""
    draft = DraftText("title", title, "center")
    return Scene((draft,), (), Background(DEFAULT_GROUND), DEFAULT_ACCENT, title, title)


def _number(step: Mapping[str, Any], number: int) -> tuple[DraftText, ...]:
    if step.get("type") != "numbered":
        return ()
    above: Position = "top" if step.get("title", "").strip() or step.get("overlays") else "center"
    return (DraftText("step", str(number), above, spoken=False),)


def _arrangement(step: Mapping[str, Any]) -> Arrangement:
    given = step.get("layout", {})
    mode, side = given.get("mode", "auto"), given.get("imageSide")
    return Arrangement(mode, side, given.get("panelWidthRatio"))


def _lowered(draft: DraftText) -> DraftText:
    """Move a text to the foot of the frame: in its middle it would hide the picture."""
    return draft if style_of(draft.role).pill else replace(draft, position="bottom")


def _title_and_body(step: Mapping[str, Any]) -> tuple[DraftText, ...]:
    title, body = step.get("title", "").strip(), step.get("body") or step.get("text") or ""
    body = body.strip()
    texts = []
    if title:
        alone = not body and not step.get("overlays")
        texts.append(
            DraftText("title", title, "center") if alone else DraftText("heading", title, "upper")
        )
    if body:
        texts.append(DraftText("body", _MARKS.get(step.get("type", ""), "") + body, "center"))
    return tuple(texts)


def _overlays(step: Mapping[str, Any], *, ground: Colour) -> tuple[DraftText, ...]:
    fallback = "title" if step.get("type") in _CARD_TYPES else "body"
    texts = []
    for overlay in step.get("overlays", ()):
        role = overlay.get("role", fallback)
        texts.append(
            DraftText(
                role=role,
                text=overlay["text"],
                position=overlay.get("position", "auto"),
                start=overlay.get("startSec", 0.0),
                end=overlay.get("endSec"),
                box=_box(overlay.get("placement")),
                colour=_opaque(overlay["color"], ground) if "color" in overlay else None,
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


def _box(placement: Mapping[str, float] | None) -> Box | None:
    if placement is None:
        return None
    return Box(placement["x"], placement["y"], placement["width"], placement["height"])


def _opaque(value: str, ground: Colour) -> Colour:
    """Return what a colour looks like that lies on ``ground``, translucent or not."""
    colour, opacity = colour_of(value)
    return mix(ground, colour, opacity)


def _focus(step: Mapping[str, Any]) -> Box | None:
    given = step.get("layout", {}).get("visualFocus")
    if given is None:
        return None
    return Box(given["x"], given["y"], given.get("w", 0.0), given.get("h", 0.0))


def _pictures(step: Mapping[str, Any], assets: Mapping[str, Path]) -> tuple[PictureLayer, ...]:
    mode = step.get("layout", {}).get("mode")
    return tuple(
        PictureLayer(
            picture=Picture(visual["assetId"], assets[visual["assetId"]]),
            box=_box(visual.get("placement")),
            fit=visual.get("fit", "cover" if mode == "full-bleed" else "contain"),
            layer=visual.get("layer", 0),
            span=Span(0, 0),
            focus=_focus(step),
        )
        for visual in _shown(step)
    )


def _shown(step: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Return the visuals that are seen: text-only leaves out those without a place."""
    hides = step.get("layout", {}).get("mode") == "text-only"
    return [visual for visual in step.get("visuals", ()) if not hides or "placement" in visual]


def _wishes(step: Mapping[str, Any]) -> tuple[tuple[Wish, ...], list[str]]:
    """Return the motions of a step and its pictures, and what of them there is nothing for."""
    shown, notes = _shown(step), []
    wishes = [
        (number, motion)
        for number, visual in enumerate(shown)
        for motion in visual.get("motions", ())
    ]
    if "motion" in step:
        kind = step["motion"]["type"]
        seen = bool(shown) or (kind != "highlight" and "assetId" in step.get("background", {}))
        if seen or kind not in _OF_PICTURES:
            wishes.insert(0, (STEP, step["motion"]))
        else:
            notes.append(f"has no picture that its {kind} could show")
    return tuple(wishes), notes


def _background(step: Mapping[str, Any], assets: Mapping[str, Path]) -> Background:
    given = step.get("background", {})
    colour = _opaque(given["color"], DEFAULT_GROUND) if "color" in given else DEFAULT_GROUND
    picture = Picture(given["assetId"], assets[given["assetId"]]) if "assetId" in given else None
    return Background(colour, picture, given.get("style", "cover"), _focus(step))


def _accent(step: Mapping[str, Any], texts: tuple[DraftText, ...], *, ground: Colour) -> Colour:
    if "accentColor" in step:
        return _opaque(step["accentColor"], ground)
    pills = (draft.colour for draft in texts if style_of(draft.role).pill and draft.colour)
    return next(pills, DEFAULT_ACCENT)
