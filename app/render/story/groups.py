"""Groups of texts that nobody gave a place: how large they are, how wide, and where they begin."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from app.render.model.areas import Rect
from app.render.model.storyboard import TextLayer
from app.render.model.style import style_of
from app.render.story.slots import MINIMUM, SCALES, Slot
from app.render.text.setting import Block

#: Longer texts start at the side; shorter ones may stand in the middle.
_CENTRED_CHARACTERS: Final = 140
#: In a box of their own, texts up to this length may.
_CENTRED_IN_BOX: Final = 280
#: Texts without a picture are larger by this factor, by role; in frames that are nearly square,
#: by the square root of it.
_GROWN: Final = {
    "title": 1.5,
    "heading": 1.4,
    "subtitle": 1.12,
    "body": 1.1,
    "item": 1.1,
    "transition": 1.7,
}
#: Ratio of the sides up to which a frame counts as nearly square.
_SQUARE: Final = 1.2
#: Width of a group without a picture, in pixels of the reference frame, and the share of the rest
#: that lies before it.
_GROUP_WIDTH, _BEFORE = 1318.0, 0.28
_LIST_MARKS: Final = ("• ", "* ")
_CARD_ROLES: Final = frozenset(
    {"title", "subtitle", "brand", "body", "summary", "transition", "cta", "step"}
)


def grow(slots: Sequence[Slot], ratio: float) -> None:
    """Let texts that share the frame with no picture be larger."""
    square = 1 / _SQUARE <= ratio <= _SQUARE
    for slot in slots:
        for role, factor in _GROWN.items():
            if slot.grouped and slot.style is style_of(role):
                slot.grown = math.sqrt(factor) if square else factor


def group_rect(slots: Sequence[Slot], rect: Rect, pixel: float) -> Rect:
    """Return the column of a group without a picture: lines that are easy to read."""
    if not all(slot.grouped for slot in slots):
        return rect
    wide = min(rect.width, _GROUP_WIDTH * pixel)
    before = (rect.width - wide) * _BEFORE
    sizes = [slot.size(SCALES[MINIMUM], pixel) for slot in slots]
    blocks = [slot.blocks(wide, size) for slot, size in zip(slots, sizes, strict=True)]
    left = rect.right - before - wide if is_from_right(blocks) else rect.x + before
    return Rect(left, rect.y, wide, rect.height)


def is_centred(
    slots: Sequence[Slot], texts: Sequence[TextLayer], *, wished: bool, boxed: bool
) -> bool:
    """Return whether lines stand in the middle of their column."""
    shown = [texts[index] for slot in slots for index in slot.indexes]
    if any(layer.marker or layer.text.startswith(_LIST_MARKS) for layer in shown):
        return False
    longest = max((len(layer.text) for layer in shown), default=0)
    if wished and longest <= _CENTRED_CHARACTERS:
        return True
    if boxed:
        return longest <= _CENTRED_IN_BOX
    return longest <= _CENTRED_CHARACTERS and all(layer.role in _CARD_ROLES for layer in shown)


def is_from_right(blocks: list[list[Block]]) -> bool:
    """Return whether most of the column's characters are written right to left."""
    balance = 0
    for block in (block for group in blocks for block in group):
        characters = sum(len(line.text) for line in block.lines)
        balance += characters if block.rtl else -characters
    return balance > 0
