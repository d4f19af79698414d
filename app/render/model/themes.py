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
    display=("MPLUSRounded1c", 0.96),
    face=("Manrope", 0.95),
)
#: The themes by name. The first is that of payloads that name none.
THEMES: Final = {theme.name: theme for theme in (NIGHT, PAPER, FELT, BRIGHT)}
