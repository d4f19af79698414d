"""One step of a payload: its words, pictures and ground, before any of it has a time in frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from app.render.storyboard import Background, Box, Colour, Picture, PictureLayer, Position, Span
from app.render.style import DEFAULT_ACCENT, DEFAULT_GROUND, mix, style_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: Kinds of step whose bare overlay is a title.
_CARD_TYPES: Final = frozenset({"intro", "title", "end_card", "brand_intro", "brand_outro"})
#: What stands before the text of a list's item.
_MARKS: Final = {"bulleted": "• ", "asterisk": "* "}
#: Signs after which a caption may end.
_STOPS: Final = ".!?…:;。！？"  # noqa: RUF001 - full-width signs are meant
_NAMED_COLOURS: Final[dict[str, Colour]] = {"white": (255, 255, 255), "black": (0, 0, 0)}
#: Boxes of pictures for layouts that name a place.
_PICTURE_BOXES: Final = {
    "image-left": Box(0.05, 0.05, 0.42, 0.9),
    "image-right": Box(0.53, 0.05, 0.42, 0.9),
    "image-top": Box(0.05, 0.05, 0.9, 0.45),
    "full-bleed": Box(0.0, 0.0, 1.0, 1.0),
}


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
    """A step's contents. ``pictures`` span the whole step once it has frames."""

    texts: tuple[DraftText, ...]
    pictures: tuple[PictureLayer, ...]
    background: Background
    accent: Colour
    spoken: str
    chapter_title: str

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
    texts = (*_number(step, number), *_title_and_body(step), *_overlays(step))
    return Scene(
        texts=texts,
        pictures=_pictures(step, assets),
        background=_background(step, assets),
        accent=_accent(step, texts),
        spoken=step.get("narration", "").strip() or _spoken(texts),
        chapter_title=step.get("chapterTitle", "").strip(),
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


def _overlays(step: Mapping[str, Any]) -> tuple[DraftText, ...]:
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
                colour=colour_of(overlay["color"])[0] if "color" in overlay else None,
                spoken=not style_of(role).pill and role != "reference",
            )
        )
    return tuple(draft for draft in texts if draft.text.strip())


def _spoken(texts: tuple[DraftText, ...]) -> str:
    """Join what is read aloud; a text without a final stop gets one, so that cues part there."""
    parts = [draft.text.strip() for draft in texts if draft.spoken]
    for mark in _MARKS.values():
        parts = [part.removeprefix(mark) for part in parts]
    ended = [part if part[-1:] in _STOPS else f"{part}." for part in parts[:-1]]
    return " ".join([*ended, *parts[-1:]])


def _box(placement: Mapping[str, float] | None) -> Box | None:
    if placement is None:
        return None
    return Box(placement["x"], placement["y"], placement["width"], placement["height"])


def _pictures(step: Mapping[str, Any], assets: Mapping[str, Path]) -> tuple[PictureLayer, ...]:
    visuals = step.get("visuals", ())
    layout = step.get("layout", {})
    mode = layout.get("mode", f"image-{layout['imageSide']}" if "imageSide" in layout else "auto")
    default = _PICTURE_BOXES.get(mode) if len(visuals) == 1 else None
    return tuple(
        PictureLayer(
            picture=Picture(visual["assetId"], assets[visual["assetId"]]),
            box=_box(visual.get("placement")) or default,
            fit=visual.get("fit", "cover" if mode == "full-bleed" else "contain"),
            layer=visual.get("layer", 0),
            span=Span(0, 0),
        )
        for visual in visuals
    )


def _background(step: Mapping[str, Any], assets: Mapping[str, Path]) -> Background:
    given = step.get("background", {})
    colour, opacity = colour_of(given["color"]) if "color" in given else (DEFAULT_GROUND, 1.0)
    picture = Picture(given["assetId"], assets[given["assetId"]]) if "assetId" in given else None
    return Background(mix(DEFAULT_GROUND, colour, opacity), picture, given.get("style", "cover"))


def _accent(step: Mapping[str, Any], texts: tuple[DraftText, ...]) -> Colour:
    if "accentColor" in step:
        return colour_of(step["accentColor"])[0]
    pills = (draft.colour for draft in texts if style_of(draft.role).pill and draft.colour)
    return next(pills, DEFAULT_ACCENT)
