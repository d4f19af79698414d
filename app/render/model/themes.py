"""Themes: the colours, ground and fonts of a film.

Colours are 8-bit sRGB. What an author names (a background, an accent, a font) overrides the theme.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Colour = tuple[int, int, int]
#: How the ground of a step without a background is drawn.
Pattern = Literal["stars", "paper", "felt", "discs"]


@dataclass(frozen=True, slots=True)
class Mount:
    """The edge of a picture; its width in pixels of the reference frame."""

    colour: Colour
    opacity: float
    width: float


@dataclass(frozen=True, slots=True)
class Shadow:
    """The shadow of a picture; lengths in pixels of the reference frame. ``blur`` is its reach."""

    colour: Colour
    opacity: float
    down: float
    right: float = 0.0
    blur: float = 0.0


@dataclass(frozen=True, slots=True)
class Theme:
    """A look.

    Attributes:
        name: Its name in payloads.
        pattern: What the ground looks like.
        ground: Main colour of the ground.
        rim: Colour into which the ground changes.
        text: Text on the ground.
        muted: Text that is less important.
        warning: Text of warnings.
        accent: Badges, rules, arrows.
        surface: Ground of the panel beside a picture.
        plate: Ground of captions, and of texts on pictures. Dark in every theme.
        radius: Radius of the corners of pictures, in pixels of the reference frame.
        mount: Edge of pictures.
        shadow: Shadow of pictures.
        display: Name of the font of headings, and its size relative to Noto Sans.
        face: Name of the font of all other text, and its size relative to Noto Sans.
    """

    name: str
    pattern: Pattern
    ground: Colour
    rim: Colour
    text: Colour
    muted: Colour
    warning: Colour
    accent: Colour
    surface: Colour
    plate: Colour
    radius: float
    mount: Mount
    shadow: Shadow
    display: tuple[str, float]
    face: tuple[str, float]


NIGHT: Final = Theme(
    name="night",
    pattern="stars",
    ground=(16, 20, 47),
    rim=(58, 63, 140),
    text=(245, 241, 230),
    muted=(188, 193, 226),
    warning=(255, 176, 152),
    accent=(255, 201, 92),
    surface=(26, 32, 80),
    plate=(6, 8, 22),
    radius=26.0,
    mount=Mount((255, 255, 255), 0.15, 2.0),
    shadow=Shadow((4, 6, 18), 0.6, down=26.0, blur=65.0),
    display=("Geologica", 0.93),
    face=("NightText", 1.06),
)
PAPER: Final = Theme(
    name="paper",
    pattern="paper",
    ground=(246, 238, 220),
    rim=(233, 220, 191),
    text=(43, 32, 24),
    muted=(106, 86, 67),
    warning=(154, 52, 18),
    accent=(168, 52, 33),
    surface=(251, 244, 228),
    plate=(30, 19, 11),
    radius=4.0,
    mount=Mount((255, 255, 255), 1.0, 14.0),
    shadow=Shadow((43, 32, 24), 0.35, down=17.0, blur=43.0),
    display=("Vollkorn", 1.02),
    face=("AlegreyaSans", 1.09),
)
FELT: Final = Theme(
    name="felt",
    pattern="felt",
    ground=(29, 92, 64),
    rim=(10, 43, 29),
    text=(251, 243, 223),
    muted=(201, 216, 194),
    warning=(255, 190, 166),
    accent=(235, 192, 99),
    surface=(13, 52, 36),
    plate=(6, 20, 14),
    radius=13.0,
    mount=Mount((96, 60, 32), 1.0, 9.0),
    shadow=Shadow((3, 14, 9), 0.6, down=32.0, blur=76.0),
    display=("SofiaSansExtraCondensed", 1.34),
    face=("SofiaSans", 1.0),
)
BRIGHT: Final = Theme(
    name="bright",
    pattern="discs",
    ground=(255, 212, 79),
    rim=(255, 212, 79),
    text=(27, 27, 88),
    muted=(64, 64, 124),
    warning=(150, 20, 14),
    accent=(44, 70, 224),
    surface=(255, 255, 255),
    plate=(18, 18, 66),
    radius=39.0,
    mount=Mount((27, 27, 88), 1.0, 8.0),
    shadow=Shadow((27, 27, 88), 1.0, down=12.0, right=12.0),
    display=("MPLUSRounded1c", 0.96),
    face=("Manrope", 0.95),
)
#: The themes by name. The first is that of payloads that name none.
THEMES: Final = {theme.name: theme for theme in (NIGHT, PAPER, FELT, BRIGHT)}
