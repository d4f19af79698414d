"""Where burnt-in captions stand, and the room that they leave to everything else.

Captions stand at the foot of the text-safe area. A step that has them is laid
out in a lower frame, so that its own texts and pictures keep clear; what an
author has placed to the pixel, and what fills the whole frame, stays: captions
bring a ground of their own. All in pixels.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from app.render.model.areas import Rect, safe_area, unit
from app.render.model.storyboard import Arrangement
from app.render.model.style import BURNT_CAPTION, TEXT_SAFE, style_of
from app.render.story.arrangement import Shown, Zones, zones

#: Height of a line of captions in ems: Noto's is 1.24, that of stacked accents more.
_LINE: Final = 1.36
#: Pixels by which a line's ascent and descent may be rounded up.
_ROUNDING: Final = 2
#: Lines that the band holds.
_LINES: Final = 2
#: Room above the band, in pixels of the reference frame: two panels' edges fit in.
_CLEAR: Final = 52.0


def caption_band(width: int, height: int) -> Rect:
    """Return where captions stand in a frame of ``width`` by ``height`` pixels."""
    safe = safe_area(width, height)
    line = _LINE * style_of(BURNT_CAPTION).size * unit(width, height) + _ROUNDING
    high = _LINES * line
    return Rect(safe.x, safe.bottom - high, safe.width, high)


def free_frame(arrangement: Arrangement, *, width: int, height: int) -> Rect:
    """Return the frame in which a step is laid out; it has safe areas of its own.

    All of the real frame without captions. With them, a lower one: its text-safe area begins
    where the real one does, and ends above the band.
    """
    if not arrangement.captions:
        return Rect(0, 0, width, height)
    end = caption_band(width, height).y - _CLEAR * unit(width, height)
    high = (end - TEXT_SAFE * height) / (1 - 2 * TEXT_SAFE)
    return Rect(0, TEXT_SAFE * (height - high), width, high)


def free_zones(arrangement: Arrangement, shown: Shown, *, width: int, height: int) -> Zones:
    """Divide what captions leave of a frame. What fills the frame to its edges still does."""
    free = free_frame(arrangement, width=width, height=height)
    zone = zones(arrangement, shown, width=width, height=round(free.height))

    def real(rect: Rect) -> Rect:
        top = rect.y + free.y if rect.y > 0 else 0.0
        bottom = rect.bottom + free.y if rect.bottom < round(free.height) else height
        return Rect(rect.x, top, rect.width, bottom - top)

    return replace(
        zone,
        pictures=real(zone.pictures),
        texts=tuple((bands, real(rect)) for bands, rect in zone.texts),
        panel=None if zone.panel is None else real(zone.panel),
    )
