"""Layout: measure the texts of a step, then place them so that nothing overlaps.

Texts without a box form bands (top, upper, center, bottom) of one column. Texts that are shown one
after another in the same role share a slot and a size. All sizes shrink together, each down to its
role's minimum; what still does not fit is paged (:func:`pages`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from app.render.model.areas import Rect, box_rect, picture_rects, text_area, text_safe, unit
from app.render.model.storyboard import AUTO, Arrangement, PictureLayer, TextLayer
from app.render.model.style import Style, style_of
from app.render.story.arrangement import Shown
from app.render.story.captionband import caption_band, free_frame, free_zones
from app.render.story.groups import group_rect, grow, is_centred, is_from_right
from app.render.story.slots import GAP, MINIMUM, SCALES, Column, Slot, fitted, padding, share
from app.render.text import fonts
from app.render.text.fonts import Fonts
from app.render.text.setting import Block, clean, paginate

#: A number alone in its pill is larger by this factor.
_NUMBER: Final = 1.6
#: The middle of a group of texts is at this share of the room that it has.
_FLOAT: Final = 0.47
#: Share of its room that a group fills at most, unless its texts are small already.
_FILL: Final = 0.8
_BANDS: Final = {
    "top": 0, "upper": 1, "panel-heading": 1, "center": 2, "panel-body": 2,
    "brand-title": 2, "brand-subtitle": 2, "bottom": 3, "reference-bottom": 3,
    "captions": 3,
}  # fmt: skip
_ROLE_BANDS: Final = {
    "badge": 0, "step": 0, "phase": 0, "title": 1, "heading": 1, "subtitle": 1,
    "caption": 3, "reference": 3,
}  # fmt: skip
_CENTRE, _FOOT = 2, 3
_EVERY_BAND: Final = frozenset(range(4))


@dataclass(frozen=True, slots=True)
class PlacedText:
    """A text where it is drawn. ``rect`` is its slot; the block hangs from its top."""

    layer: TextLayer
    style: Style
    block: Block
    rect: Rect
    centred: bool
    from_right: bool
    bar: bool

    @property
    def ink(self) -> Rect:
        """The rectangle that the text and its pill really cover."""
        side, above = padding(self.style, self.block.size)
        wide = self.block.width + 2 * side + self._indent
        high = self.block.height + 2 * above
        if self.style.pill and self.layer.text.isdigit():
            wide = max(self.block.width + 2 * above, high)  # a number stands in a circle
        free = self.rect.width - wide
        x = self.rect.x + (free / 2 if self.centred else free if self.from_right else 0.0)
        return Rect(x, self.rect.y, wide, high)

    @property
    def text_rect(self) -> Rect:
        """The rectangle of the text alone, inside its pill."""
        ink, above = self.ink, padding(self.style, self.block.size)[1]
        side = (ink.width - self._indent - self.block.width) / 2
        indent = 0.0 if self.from_right else self._indent
        return Rect(ink.x + indent + side, ink.y + above, self.block.width, self.block.height)

    @property
    def marker_rect(self) -> Rect:
        """The rectangle of the marker, beside the first line."""
        ink, line = self.ink, self.block.ascents[0] + self.block.descents[0]
        left = ink.right - self._indent if self.from_right else ink.x
        return Rect(left, ink.y, self._indent, line)

    @property
    def _indent(self) -> float:
        return self.style.indent * self.block.size


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything of a step in its place; ``pictures`` from lowest to highest.

    ``panel`` is a ground of their own for the texts, where the arrangement has one.
    """

    texts: tuple[PlacedText, ...]
    pictures: tuple[tuple[PictureLayer, Rect], ...]
    panel: Rect | None = None


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where the pictures are, and the columns of texts."""

    rects: tuple[Rect, ...]
    columns: list[Column]
    panel: Rect | None


def place(
    texts: Sequence[TextLayer],
    pictures: Sequence[PictureLayer],
    *,
    width: int,
    height: int,
    arrangement: Arrangement = AUTO,
) -> Layout:
    """Place the layers of one step in a frame of ``width`` by ``height`` pixels."""
    return _placed(fonts.current(), tuple(texts), tuple(pictures), (width, height), arrangement)


@lru_cache(maxsize=512)
def _placed(
    known: Fonts,  # noqa: ARG001 - a cache key: texts are measured in the current fonts
    texts: tuple[TextLayer, ...],
    pictures: tuple[PictureLayer, ...],
    size: tuple[int, int],
    arrangement: Arrangement,
) -> Layout:
    width, height = size
    frame = _divided(texts, pictures, arrangement, width, height)
    placed: dict[int, PlacedText] = {}
    pixel = unit(width, height)
    for column in frame.columns:
        placed.update(_place_column(column, texts, pixel))
    order = sorted(zip(pictures, frame.rects, strict=True), key=lambda pair: pair[0].layer)
    return Layout(tuple(placed[index] for index in range(len(texts))), tuple(order), frame.panel)


def pages(
    texts: Sequence[TextLayer],
    pictures: Sequence[PictureLayer],
    *,
    width: int,
    height: int,
    arrangement: Arrangement = AUTO,
) -> tuple[tuple[str, ...], ...]:
    """Return the pages of each text: one where it fits at its role's minimum size."""
    result: list[tuple[str, ...]] = [(clean(layer.text),) for layer in texts]
    pixel = unit(width, height)
    for column in _divided(texts, pictures, arrangement, width, height).columns:
        for index, parts in _column_pages(column, pixel).items():
            result[index] = parts
    return tuple(result)


def _divided(
    texts: Sequence[TextLayer],
    pictures: Sequence[PictureLayer],
    arrangement: Arrangement,
    width: int,
    height: int,
) -> _Frame:
    burnt = [index for index, layer in enumerate(texts) if layer.position == "captions"]
    free = _slots(
        texts, [i for i, layer in enumerate(texts) if layer.box is None and i not in burnt]
    )
    shown = Shown(
        bands=frozenset(slot.band for slot in free),
        pictures=any(layer.box is None for layer in pictures),
    )
    if any(layer.box is not None for layer in texts) and not free:
        shown = Shown(frozenset((_CENTRE,)), shown.pictures)  # texts in boxes need room, too
    zone = free_zones(arrangement, shown, width=width, height=height)
    rects = picture_rects(pictures, zone.pictures, width=width, height=height)
    room = free_frame(arrangement, width=width, height=height)
    beside = text_area(rects, safe=text_safe(room), width=width, height=height)
    areas = zone.texts or ((_EVERY_BAND, beside),)
    pixel = unit(width, height)
    alone = not rects and not zone.texts
    columns = []
    for bands, rect in areas:
        slots = [slot for slot in free if slot.band in bands]
        centred = is_centred(slots, texts, wished=zone.centred, boxed=False)
        if alone:
            grow(slots, width / height)
        fill = _FILL if any(slot.grouped for slot in slots) else 1.0
        place = group_rect(slots, rect, pixel) if alone and not centred else rect
        columns.append(Column(slots, place, boxed=False, centred=centred, fill=fill))
    for box in dict.fromkeys(layer.box for layer in texts if layer.box is not None):
        inside = [index for index, layer in enumerate(texts) if layer.box == box]
        rect, slots = box_rect(box, room, pixel=pixel), _slots(texts, inside)
        centred = is_centred(slots, texts, wished=False, boxed=True)
        columns.append(Column(slots, rect, boxed=True, centred=centred))
    if burnt:
        band = caption_band(width, height)
        columns.append(Column(_slots(texts, burnt), band, boxed=False, centred=True))
    return _Frame(rects, columns, zone.panel)


def _slots(texts: Sequence[TextLayer], indexes: list[int]) -> list[Slot]:
    slots: list[Slot] = []
    for index in indexes:
        layer, band = texts[index], _band(texts[index], alone=len(indexes) == 1)
        slot = next((s for s in slots if s.band == band and _follows(layer, s, texts)), None)
        if slot is None:
            style = style_of(layer.role)
            bar = style.heads and layer.box is None and not any(other.bar for other in slots)
            boost = _NUMBER if style.pill and layer.text.isdigit() else 1.0
            grouped = layer.position == "auto" and layer.box is None and band < _FOOT
            slot = Slot(band, style, boost=boost, bar=bar, grouped=grouped)
            slots.append(slot)
        slot.indexes.append(index)
        slot.texts.append(clean(layer.text))
    return sorted(slots, key=lambda slot: slot.band)


def _band(layer: TextLayer, *, alone: bool) -> int:
    if layer.position != "auto":
        return _BANDS[layer.position]
    band = _ROLE_BANDS.get(layer.role, _CENTRE)
    return _CENTRE if alone and band == 1 else band


def _follows(layer: TextLayer, slot: Slot, texts: Sequence[TextLayer]) -> bool:
    others = [texts[index] for index in slot.indexes]
    return others[0].role == layer.role and all(
        other.span.end <= layer.span.start or layer.span.end <= other.span.start for other in others
    )


def _place_column(
    column: Column, texts: Sequence[TextLayer], pixel: float
) -> dict[int, PlacedText]:
    blocks, heights, gap = fitted(column, pixel)
    centred, from_right = column.centred, is_from_right(blocks)
    placed: dict[int, PlacedText] = {}
    tops = _tops(column, heights, gap)
    for slot, slot_blocks, top, high in zip(column.slots, blocks, tops, heights, strict=True):
        for index, block in zip(slot.indexes, slot_blocks, strict=True):
            # Captions of one line stand as low as those of two.
            lower = high - block.height if slot.style.plate else 0.0
            rect = Rect(column.rect.x, top + lower, column.rect.width, high - lower)
            placed[index] = PlacedText(
                layer=texts[index],
                style=slot.style,
                block=block,
                rect=rect,
                centred=centred,
                from_right=from_right,
                bar=slot.bar,
            )
    return placed


def _tops(column: Column, heights: list[float], gap: float) -> list[float]:
    """Return the top of each slot: top and upper hang, bottom stands, center floats between."""
    rect, slots = column.rect, column.slots
    if column.boxed:
        tops, y = [], rect.y + (rect.height - sum(heights) - gap * (len(heights) - 1)) / 2
        for high in heights:
            tops.append(y)
            y += high + gap
        return tops
    bands = [_CENTRE if slot.grouped else slot.band for slot in slots]
    total = dict.fromkeys(range(4), 0.0)
    for band, high in zip(bands, heights, strict=True):
        total[band] += high + gap
    upper = rect.y + total[0] + total[1]
    lower = rect.bottom + gap - total[3]
    free = max(0.0, lower - upper - total[2])
    middle = upper + free * _FLOAT
    cursors = {0: rect.y, 1: rect.y + total[0], 2: middle, 3: lower}
    tops = []
    for band, high in zip(bands, heights, strict=True):
        tops.append(cursors[band])
        cursors[band] += high + gap
    return tops


def _column_pages(column: Column, pixel: float) -> dict[int, tuple[str, ...]]:
    rect, scale = column.rect, SCALES[MINIMUM]
    sizes = [slot.size(scale, pixel) for slot in column.slots]
    extras = [slot.surplus(size, pixel) for slot, size in zip(column.slots, sizes, strict=True)]
    needs = [
        max(block.height for block in slot.blocks(rect.width, size)) + extra
        for slot, size, extra in zip(column.slots, sizes, extras, strict=True)
    ]
    room = rect.height - GAP * pixel * (len(needs) - 1)
    cap = share(needs, room)
    result: dict[int, tuple[str, ...]] = {}
    for slot, size, extra, need in zip(column.slots, sizes, extras, needs, strict=True):
        if need <= cap + 1e-6:
            continue
        wide = rect.width - 2 * padding(slot.style, size)[0]
        for index, text in zip(slot.indexes, slot.texts, strict=True):
            result[index] = paginate(
                text, width=wide, height=cap - extra, size=size, bold=slot.style.bold
            )
    return result
