"""Texts as they are seen: their size, their place, and their contrast on rendered pixels."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.render.inspect.rules import Check, Rule
from app.render.model.areas import unit
from app.render.model.storyboard import Storyboard
from app.render.model.style import ACCENT_CONTRAST, BODY_CONTRAST, TEXT_SAFE, WHITE, luminance
from app.render.picture.compose import Run
from app.render.picture.panels import LARGE_TEXT
from app.render.story import layout
from app.render.story.layout import Layout, PlacedText
from app.render.story.motion import pose
from app.render.text.drawing import draw_block

#: Least sizes in pixels of a frame whose short side is 1080.
_LEAST, _LEAST_SMALL = 40.0, 28.0
_SMALL_ROLES: Final = frozenset({"badge", "step", "phase", "reference"})
#: Sizes and places are computed in floats.
_SLACK: Final = 0.01
#: Ground this near to the letters counts, in pixels: an odd side of a square.
_NEAR: Final = 7
#: That square, as OpenCV has it.
_SQUARE: Final = np.ones((_NEAR, _NEAR), np.uint8)
#: Pixels of a letter whose coverage (8 bit) is at least this show its colour.
_SOLID: Final = 250
#: Emoji, which are neither letters of one colour nor ground.
_NEITHER: Final = (128, 128, 128)
#: This part of the ground may be worse: smoothed edges of neighbours.
_STRAY: Final = 0.02

#: The linear light of each 8-bit value, and its part in luminance (WCAG 2.2).
_LINEAR: Final = np.array([luminance((value,) * 3) for value in range(256)], np.float32)
_WEIGHTS: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)

SIZE: Final = Rule("Picture", "text-size", "at least 40 px at 1080p; badge and reference 28")
SAFE: Final = Rule("Picture", "text-safe-area", "8 % of the frame free at every edge")
BODY: Final = Rule("Picture", "contrast-body", f"at least {BODY_CONTRAST:g}:1 on rendered pixels")
ACCENT: Final = Rule("Picture", "contrast-accent", f"at least {ACCENT_CONTRAST:g}:1 from 40 px on")


@dataclass(slots=True)
class _Least:
    """The least contrast that was seen, and of how many texts."""

    ratio: float = 21.0
    text: str = ""
    seen: int = 0

    def add(self, ratio: float, text: str) -> None:
        self.seen += 1
        if ratio < self.ratio:
            self.ratio, self.text = ratio, text


class TextMeter:
    """Measures texts while a film is drawn. Offer it every picture that is drawn.

    Steps that come from the cache are not drawn; their contrast was measured when they were.
    """

    def __init__(self, storyboard: Storyboard) -> None:
        self._storyboard = storyboard
        self._size = (storyboard.width, storyboard.height)
        self._pixel = unit(*self._size)
        self._layouts: dict[int, Layout] = {}
        self._contrasts = {BODY: _Least(), ACCENT: _Least()}

    def offer(self, picture: NDArray[np.uint8], run: Run) -> None:
        """Measure the texts whose middle moment is in ``run``, which shows ``picture``."""
        step = self._storyboard.steps[run.step_index]
        first = run.start_frame - step.start
        moments = range(first, first + run.frames)
        for text in self._placed(run.step_index).texts:
            span = text.layer.span
            middle = (span.start + min(span.end, step.frames)) // 2
            settled = step.transition is None or middle >= step.transition.frames
            if middle in moments and settled and pose(step.motions, middle) == pose((), middle):
                self._measure(picture, text)

    def checks(self) -> Iterator[Check]:
        """Yield what was found about all texts of the film."""
        texts = [
            text
            for index in range(len(self._storyboard.steps))
            for text in self._placed(index).texts
        ]
        if not texts:
            for rule in (SIZE, SAFE, BODY, ACCENT):
                yield rule.not_applicable("no text")
            return
        yield self._sizes(texts)
        yield self._safe(texts)
        for rule, least in self._contrasts.items():
            if not least.seen:
                yield rule.not_applicable("none was drawn")
                continue
            told = f"{least.ratio:.1f}:1 or more in {least.seen} texts"
            limit = BODY_CONTRAST if rule is BODY else ACCENT_CONTRAST
            holds = least.ratio >= limit - 0.05  # 8-bit colours
            yield rule.check(told if holds else f"{told}: {least.text[:30]!r}", holds=holds)

    def _placed(self, index: int) -> Layout:
        if index not in self._layouts:
            step = self._storyboard.steps[index]
            self._layouts[index] = layout.place(
                step.texts,
                step.pictures,
                width=self._size[0],
                height=self._size[1],
                arrangement=step.arrangement,
            )
        return self._layouts[index]

    def _measure(self, picture: NDArray[np.uint8], text: PlacedText) -> None:
        ratio = _contrast(picture, text)
        if ratio is not None:
            large = text.block.size >= LARGE_TEXT * self._pixel * 0.999
            accent = large and text.style.contrast < BODY_CONTRAST
            self._contrasts[ACCENT if accent else BODY].add(ratio, text.layer.text)

    def _sizes(self, texts: list[PlacedText]) -> Check:
        def size(text: PlacedText) -> float:
            return text.block.size / self._pixel

        small = [
            text
            for text in texts
            if size(text) < (_LEAST_SMALL if text.layer.role in _SMALL_ROLES else _LEAST) - _SLACK
        ]
        return SIZE.check(f"{min(map(size, texts)):.0f} px or more", holds=not small)

    def _safe(self, texts: list[PlacedText]) -> Check:
        width, height = self._size
        margins = [
            min(ink.x / width, 1 - ink.right / width, ink.y / height, 1 - ink.bottom / height)
            for ink in (text.ink for text in texts)
        ]
        least = min(margins)
        # Only a box that the author gave can lie further out.
        outside = [
            text
            for text, margin in zip(texts, margins, strict=True)
            if margin < TEXT_SAFE - _SLACK / 10
        ]
        excused = all(text.layer.box is not None for text in outside)
        return SAFE.check(f"{100 * least:.1f} % or more", holds=not outside, excused=excused)


def _contrast(picture: NDArray[np.uint8], text: PlacedText) -> float | None:
    """Return the contrast of letters with the ground next to them, None for no letters."""
    height, width = picture.shape[:2]
    area = text.ink.inset(-_NEAR)
    # Even, so that halves of a pixel are rounded to the same side as in the whole picture.
    left, top = (max(0, int(edge)) // 2 * 2 for edge in (area.x, area.y))
    part = picture[top : min(height, int(area.bottom) + 1), left : min(width, int(area.right) + 1)]
    if not part.size:
        return None
    mask = Image.new("RGB", (part.shape[1], part.shape[0]))
    column = text.text_rect
    draw_block(
        mask,
        text.block,
        x=column.x - left,
        y=column.y - top,
        width=column.width,
        centred=text.centred or text.style.pill,
        fill=WHITE,
        silhouette=_NEITHER,
    )
    letters = np.asarray(mask.convert("L"))
    solid, ground = letters >= _SOLID, ground_of(letters)
    if not solid.any() or not ground.any():
        return None
    ink, around = quantile(_light(part[solid]), 0.5), _light(part[ground])
    ratios = (np.maximum(around, ink) + 0.05) / (np.minimum(around, ink) + 0.05)
    return quantile(ratios, _STRAY)


def ground_of(letters: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Return what lies next to ``letters`` and is none, both of shape (height, width)."""
    ground: NDArray[np.bool_] = (letters == 0) & (cv2.dilate(letters, _SQUARE) >= _SOLID)
    return ground


def _light(colours: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the luminance of (n, 3) colours."""
    linear = _LINEAR[colours] * _WEIGHTS
    light: NDArray[np.float32] = linear[:, 0] + linear[:, 1] + linear[:, 2]
    return light


def quantile(values: NDArray[np.floating[Any]], part: float) -> float:
    """Return what ``part`` of ``values`` are below, between two of them if need be.

    As numpy's own, which loads all of numpy.ma for it: as long as ten texts take.
    """
    place = part * (len(values) - 1)
    low, high = math.floor(place), math.ceil(place)
    ordered = np.partition(values, [low, high])
    return float(ordered[low] + (ordered[high] - ordered[low]) * (place - low))
