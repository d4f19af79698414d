"""Arrangements: which part of the frame is for pictures, and which for text.

One function a mode, from what a step shows to :class:`Zones`. All in pixels.
Upright frames have no room for text beside a picture: there the picture stands on top.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from app.render.model.areas import Rect, safe_area, scaled
from app.render.model.storyboard import Arrangement, Box, Side
from app.render.model.style import PICTURE_SAFE

#: Share of the frame's long side that unplaced pictures get beside text.
_PICTURE_SHARE: Final = 0.42
#: The same where the picture stands above the text of a frame that lies.
_TOP_SHARE: Final = 0.45
#: Width of the panel of split-teaching, as a share of the frame's.
_PANEL_RATIO: Final = 0.36
#: Its height in an upright frame.
_PANEL_HEIGHT: Final = 0.45
#: Room between the panel's inner edge and text or picture, as a share of the frame.
_PANEL_GAP: Final = 0.03
#: center-focus: ends of the heading above and of the picture, where text stands below.
_FOCUS_TOP: Final = (0.28, 0.31)
_FOCUS_BOTTOM: Final = (0.70, 0.73)
#: brand: the logo's box, lying and upright, and the top of the words.
_LOGO: Final = Box(0.28, 0.12, 0.44, 0.36)
_LOGO_UPRIGHT: Final = Box(0.15, 0.2, 0.7, 0.28)
_WORDS_TOP: Final = 0.52
#: Bands of text, see :mod:`app.render.story.layout`.
_ALL_BANDS: Final = frozenset(range(4))
_HEAD_BANDS: Final = frozenset((0, 1))


@dataclass(frozen=True, slots=True)
class Zones:
    """``pictures`` is for those without a box.

    ``texts`` are columns, each with the bands that stand in it; none means beside the
    pictures. ``panel`` is drawn behind the texts; ``centred`` sets short texts in the middle.
    """

    pictures: Rect
    texts: tuple[tuple[frozenset[int], Rect], ...] = ()
    panel: Rect | None = None
    centred: bool = False


@dataclass(frozen=True, slots=True)
class Shown:
    """What a step shows without a box of its own: bands of text in use, and pictures."""

    bands: frozenset[int]
    pictures: bool


def zones(arrangement: Arrangement, shown: Shown, *, width: int, height: int) -> Zones:
    """Divide a frame of ``width`` by ``height`` pixels."""
    return _MODES.get(arrangement.mode, _auto)(arrangement, shown, width, height)


def _auto(arrangement: Arrangement, shown: Shown, width: int, height: int) -> Zones:
    return Zones(_beside(arrangement.side or "right", shown, width, height))


def _beside(side: Side, shown: Shown, width: int, height: int) -> Rect:
    area = safe_area(width, height, PICTURE_SAFE)
    if not shown.bands:
        return area
    if height > width:
        return Rect(area.x, area.y, area.width, height * _PICTURE_SHARE)
    wide = width * _PICTURE_SHARE
    return Rect(area.x if side == "left" else area.right - wide, area.y, wide, area.height)


def _left(_: Arrangement, shown: Shown, width: int, height: int) -> Zones:
    return Zones(_beside("left", shown, width, height))


def _right(_: Arrangement, shown: Shown, width: int, height: int) -> Zones:
    return Zones(_beside("right", shown, width, height))


def _top(_: Arrangement, shown: Shown, width: int, height: int) -> Zones:
    area = safe_area(width, height, PICTURE_SAFE)
    if not shown.bands:
        return Zones(area)
    return Zones(Rect(area.x, area.y, area.width, height * _TOP_SHARE), centred=True)


def _full_bleed(_: Arrangement, __: Shown, width: int, height: int) -> Zones:
    return Zones(Rect(0, 0, width, height), ((_ALL_BANDS, safe_area(width, height)),))


def _center_focus(_: Arrangement, shown: Shown, width: int, height: int) -> Zones:
    safe, area = safe_area(width, height), safe_area(width, height, PICTURE_SAFE)
    if not shown.pictures:
        return Zones(area, centred=True)
    above, below = shown.bands & _HEAD_BANDS, shown.bands - _HEAD_BANDS
    top = height * _FOCUS_TOP[1] if above else area.y
    bottom = height * _FOCUS_BOTTOM[0] if below else area.bottom
    head = Rect(safe.x, safe.y, safe.width, height * _FOCUS_TOP[0] - safe.y)
    foot_y = height * _FOCUS_BOTTOM[1]
    foot = Rect(safe.x, foot_y, safe.width, safe.bottom - foot_y)
    columns = ((_HEAD_BANDS, head), (_ALL_BANDS - _HEAD_BANDS, foot))
    return Zones(Rect(area.x, top, area.width, bottom - top), columns, centred=True)


def _split_teaching(arrangement: Arrangement, shown: Shown, width: int, height: int) -> Zones:
    safe, area = safe_area(width, height), safe_area(width, height, PICTURE_SAFE)
    if not (shown.bands and shown.pictures):
        return _auto(arrangement, shown, width, height)
    if height > width:
        gap, top = _PANEL_GAP * height, height * (1 - _PANEL_HEIGHT)
        panel = Rect(0, top, width, height - top)
        texts = Rect(safe.x, top + gap, safe.width, safe.bottom - top - gap)
        pictures = Rect(area.x, area.y, area.width, top - gap - area.y)
        return Zones(pictures, ((_ALL_BANDS, texts),), panel)
    gap, wide = _PANEL_GAP * width, width * (arrangement.panel_ratio or _PANEL_RATIO)
    if arrangement.side == "left":
        panel = Rect(width - wide, 0, wide, height)
        texts = Rect(panel.x + gap, safe.y, safe.right - panel.x - gap, safe.height)
        pictures = Rect(area.x, area.y, panel.x - gap - area.x, area.height)
    else:
        panel = Rect(0, 0, wide, height)
        texts = Rect(safe.x, safe.y, wide - gap - safe.x, safe.height)
        pictures = Rect(wide + gap, area.y, area.right - wide - gap, area.height)
    return Zones(pictures, ((_ALL_BANDS, texts),), panel)


def _brand(_: Arrangement, shown: Shown, width: int, height: int) -> Zones:
    safe, area = safe_area(width, height), safe_area(width, height, PICTURE_SAFE)
    if not (shown.bands and shown.pictures):
        return Zones(area, centred=True)
    logo = scaled(_LOGO if width >= height else _LOGO_UPRIGHT, width, height)
    top = height * _WORDS_TOP
    words = Rect(safe.x, top, safe.width, safe.bottom - top)
    return Zones(logo, ((_ALL_BANDS, words),), centred=True)


_MODES: Final[dict[str, Callable[[Arrangement, Shown, int, int], Zones]]] = {
    "image-left": _left,
    "image-right": _right,
    "image-top": _top,
    "full-bleed": _full_bleed,
    "center-focus": _center_focus,
    "split-teaching": _split_teaching,
    "brand": _brand,
}
