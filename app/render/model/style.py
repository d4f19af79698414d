"""How each role of text looks, and colours that can be read.

Contrast is WCAG 2.2's (https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from app.render.model.themes import Colour

#: Sizes in this module are pixels of a frame whose short side is this long.
REFERENCE_SIDE: Final = 1080
#: Text keeps this share of the frame free at every edge.
TEXT_SAFE: Final = 0.08
#: Pictures keep this share free.
PICTURE_SAFE: Final = 0.05

WHITE: Final[Colour] = (255, 255, 255)
BLACK: Final[Colour] = (0, 0, 0)
#: Light text where that of the theme cannot be read, and dark text there and on a light pill.
LIGHT_INK: Final[Colour] = (248, 250, 252)
DARK_INK: Final[Colour] = (15, 23, 42)

#: Contrast of text that is read.
BODY_CONTRAST: Final = 7.0
#: Contrast of accents of 40 px and more.
ACCENT_CONTRAST: Final = 4.5


#: Below this, sRGB is linear (IEC 61966-2-1).
_SRGB_KNEE: Final = 0.04045


@dataclass(frozen=True, slots=True)
class Style:
    """Looks of a role. Sizes are for a short side of ``REFERENCE_SIDE``.

    ``ink`` names its colour among those of the theme; ``accent`` is the step's.
    ``indent`` is the room for
    a marker, in ems. ``pill`` draws a filled, rounded ground; ``plate`` always has a panel
    behind; ``heads`` marks what stands over other text.
    """

    size: float
    minimum: float
    bold: bool = False
    ink: Literal["text", "muted", "warning", "accent"] = "text"
    contrast: float = BODY_CONTRAST
    pill: bool = False
    heads: bool = False
    indent: float = 0.0
    plate: bool = False


#: Role of captions that are drawn into the picture; no author can ask for it.
BURNT_CAPTION: Final = "burnt-caption"

_BODY: Final = Style(68, 40)
_TITLE: Final = Style(116, 52, bold=True, contrast=ACCENT_CONTRAST, heads=True)
_PILL: Final = Style(34, 28, bold=True, ink="accent", pill=True)

#: Role → looks.
STYLES: Final[dict[str, Style]] = {
    "title": _TITLE,
    "heading": Style(84, 44, bold=True, contrast=ACCENT_CONTRAST, heads=True),
    "brand": _TITLE,
    "subtitle": Style(58, 40),
    "body": _BODY,
    "summary": _BODY,
    "item": Style(68, 40, indent=1.15),
    "transition": Style(72, 44, bold=True, contrast=ACCENT_CONTRAST),
    "cta": Style(64, 42, bold=True, contrast=ACCENT_CONTRAST),
    "callout": Style(50, 40, bold=True),
    "warning": Style(50, 40, bold=True, ink="warning"),
    "caption": Style(44, 40),
    "reference": Style(30, 28, ink="muted"),
    "badge": _PILL,
    "step": _PILL,
    "phase": _PILL,
    BURNT_CAPTION: Style(44, 40, plate=True),
}


def style_of(role: str) -> Style:
    """Return the looks of ``role``; an unknown one looks like body."""
    return STYLES.get(role, _BODY)


def luminance(colour: Colour) -> float:
    """Return the relative luminance of an sRGB colour, 0 (black) to 1 (white)."""
    red, green, blue = (_linear(value / 255) for value in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    if value <= _SRGB_KNEE:
        return value / 12.92
    return float(((value + 0.055) / 1.055) ** 2.4)


def contrast(one: float, other: float) -> float:
    """Return the contrast of two luminances, 1 to 21."""
    return (max(one, other) + 0.05) / (min(one, other) + 0.05)


def mix(colour: Colour, other: Colour, share: float) -> Colour:
    """Return ``colour`` with ``share`` (0 to 1) of ``other``."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(colour, other, strict=True))
    return red, green, blue


def readable(colour: Colour, *, darkest: float, lightest: float, ratio: float) -> Colour | None:
    """Return ``colour``, lightened or darkened as little as gives ``ratio``.

    Args:
        colour: What the author asked for.
        darkest: Luminance of the darkest pixel behind.
        lightest: Luminance of the lightest pixel behind.
        ratio: Contrast to reach against both.

    Returns:
        None when no colour of that hue can be read on such a ground.
    """
    for step in range(21):
        for end in (WHITE, BLACK):
            trial = mix(colour, end, step / 20)
            if passes(trial, darkest=darkest, lightest=lightest, ratio=ratio):
                return trial
    return None


def passes(colour: Colour, *, darkest: float, lightest: float, ratio: float) -> bool:
    """Return whether ``colour`` has ``ratio`` against all ground between two luminances."""
    value = luminance(colour)
    between = darkest < value < lightest
    return not between and min(contrast(value, darkest), contrast(value, lightest)) >= ratio


def pill_colours(colour: Colour) -> tuple[Colour, Colour]:
    """Return ground and ink of a pill in ``colour`` that keep ``BODY_CONTRAST``."""
    for step in range(21):
        for end, ink in ((WHITE, DARK_INK), (BLACK, WHITE)):
            ground = mix(colour, end, step / 20)
            if contrast(luminance(ground), luminance(ink)) >= BODY_CONTRAST:
                return ground, ink
    raise AssertionError("white carries dark ink at 17:1")  # pragma: no cover
