"""Slots: texts that share a place, and the sizes at which a column of them fits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from app.render.model.areas import Rect
from app.render.model.style import Style
from app.render.text import fonts
from app.render.text.setting import Block, set_text

#: Room between two slots, in pixels of the reference frame.
GAP: Final = 36.0
#: Padding of a pill, sideways and upwards, in ems.
PILL_PADDING: Final = (0.75, 0.22)
#: The accent bar under a heading: its length, thickness and distance, in reference pixels.
BAR: Final = (112.0, 8.0, 14.0)
#: (share of the preferred size, share of the minimum) from best to last resort.
#: Below the minimum only a storyboard that was not paged gets.
SCALES: Final = (
    *((1 - step * 0.04, 1.0) for step in range(16)),
    (0.0, 1.0),
    *((0.0, 0.9**step) for step in range(1, 40)),
)
#: The last of them at which every role has its minimum.
MINIMUM: Final = 16


@dataclass(slots=True)
class Slot:
    """Texts of one role that follow each other in one place.

    Attributes:
        band: Band of the column, from the top.
        style: Looks of the role.
        boost: Factor of the role's sizes.
        grown: Factor of the preferred size alone.
        bar: Whether an accent bar is under it.
        grouped: Whether nobody gave it a place, so that it stands with the others of its step.
        indexes: Places of the texts in their step.
        texts: The texts, cleaned.
    """

    band: int
    style: Style
    boost: float
    bar: bool
    grown: float = 1.0
    grouped: bool = False
    indexes: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    def size(self, scale: tuple[float, float], pixel: float) -> float:
        """Return pixels an em at one of ``SCALES``."""
        share, floor = scale
        kept = math.sqrt(share) if self.style.heads else share  # a heading shrinks after its text
        wanted = self.style.size * self.grown * kept * fonts.current().scale(bold=self.style.bold)
        return pixel * self.boost * max(self.style.minimum * floor, wanted)

    def surplus(self, size: float, pixel: float) -> float:
        """Height of all that is not text."""
        bar = (BAR[1] + BAR[2]) * pixel if self.bar else 0.0
        return 2 * padding(self.style, size)[1] + bar

    def widest(self, blocks: list[Block]) -> float:
        """Return the width of the widest of ``blocks`` with its padding."""
        return max(
            block.width + 2 * padding(self.style, block.size)[0] + self.style.indent * block.size
            for block in blocks
        )

    def blocks(self, width: float, size: float) -> list[Block]:
        """Return each text set at ``size`` in a column of ``width`` pixels."""
        wide = width - 2 * padding(self.style, size)[0] - self.style.indent * size
        bold = self.style.bold
        return [set_text(text, width=wide, size=size, bold=bold) for text in self.texts]


@dataclass(frozen=True, slots=True)
class Column:
    """Slots that share a rectangle.

    ``centred`` sets their lines in its middle. Unless they are small already, they fill at most
    ``fill`` of its height.
    """

    slots: list[Slot]
    rect: Rect
    boxed: bool
    centred: bool
    fill: float = 1.0


def padding(style: Style, size: float) -> tuple[float, float]:
    """Return the pixels between a pill's edge and its text; zeros for a text that is not a pill."""
    side, above = PILL_PADDING if style.pill else (0.0, 0.0)
    return side * size, above * size


def fitted(column: Column, pixel: float) -> tuple[list[list[Block]], list[float], float]:
    """Return blocks and height of each slot at the largest scale that fits, and the gap."""

    def attempt(step: int) -> tuple[list[list[Block]], list[float], float]:
        scale = SCALES[step]
        gap = GAP * pixel * scale[1]
        sizes = [slot.size(scale, pixel) for slot in column.slots]
        pairs = zip(column.slots, sizes, strict=True)
        blocks = [slot.blocks(column.rect.width, size) for slot, size in pairs]
        heights = [
            max(block.height for block in group) + slot.surplus(size, pixel)
            for slot, group, size in zip(column.slots, blocks, sizes, strict=True)
        ]
        return blocks, heights, gap

    def good(step: int, *, whole_words: bool) -> bool:
        blocks, heights, gap = attempt(step)
        broken = any(block.broken for group in blocks for block in group)
        room = column.rect.height * (column.fill if step < MINIMUM else 1.0)
        fits = sum(heights) + gap * (len(heights) - 1) <= room
        narrow = all(
            slot.widest(group) <= column.rect.width + 0.5
            for slot, group in zip(column.slots, blocks, strict=True)
        )
        return fits and narrow and not (whole_words and broken)

    if good(0, whole_words=True):
        return attempt(0)
    if good(MINIMUM, whole_words=True):
        return attempt(_first(1, MINIMUM, lambda step: good(step, whole_words=True)))
    last = len(SCALES) - 1
    return attempt(_first(0, last, lambda step: good(step, whole_words=False)))


def _first(low: int, high: int, good: Callable[[int], bool]) -> int:
    """Return the first step that is good; ``high`` counts as good."""
    while low < high:
        middle = (low + high) // 2
        if good(middle):
            high = middle
        else:
            low = middle + 1
    return low


def share(needs: list[float], room: float) -> float:
    """Return the height above which a slot is paged, so that all of them fit ``room``."""
    rest = room
    for taken, need in enumerate(sorted(needs)):
        share = rest / (len(needs) - taken)
        if need > share:
            return share
        rest -= need
    return max(needs, default=room)
