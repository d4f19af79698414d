"""Measures size, margins and contrast of texts, the contrast on rendered pixels."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

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

#: Smallest text sizes in pixels, in a frame whose short side is 1080.
_LEAST, _LEAST_SMALL = 40.0, 28.0
_SMALL_ROLES: Final = frozenset({"badge", "step", "phase", "reference"})
#: Tolerance for rounding of floats.
_SLACK: Final = 0.01
#: Side in pixels of the square around a letter's pixel that counts as its background. Odd.
_NEAR: Final = 7
#: That square as an OpenCV kernel.
_SQUARE: Final = np.ones((_NEAR, _NEAR), np.uint8)
#: Pixels with at least this 8-bit coverage by a letter have the letter's colour.
_SOLID: Final = 250
#: Mask value of emoji, which are neither letters of one colour nor background.
_NEITHER: Final = (128, 128, 128)
#: Fraction of the background that is ignored: smoothed edges of neighbouring letters.
_STRAY: Final = 0.02

#: Linear light of each 8-bit value, and each channel's weight in relative luminance (WCAG 2.2).
_LINEAR: Final = np.array([luminance((value,) * 3) for value in range(256)], np.float32)
_WEIGHTS: Final = np.array([0.2126, 0.7152, 0.0722], np.float32)

SIZE: Final = Rule(
    "Picture", "text-size", "at 1080p: at least 40 px; badge, step, phase, reference 28 px"
)
SAFE: Final = Rule(
    "Picture", "text-safe-area", f"at least {TEXT_SAFE:.0%} of the frame free at each edge"
)
BODY: Final = Rule("Picture", "contrast-body", f"at least {BODY_CONTRAST:g}:1 on rendered pixels")
ACCENT: Final = Rule(
    "Picture", "contrast-accent", f"at least {ACCENT_CONTRAST:g}:1 for accents of 40 px or more"
)


class Contrast(NamedTuple):
    """The contrast ratio of a text, and the name of the rule that judges it."""

    rule: str
    ratio: float
    text: str


@dataclass(slots=True)
class _Least:
    """The lowest contrast so far, and the number of texts measured."""

    ratio: float = 21.0
    text: str = ""
    seen: int = 0

    def add(self, ratio: float, text: str) -> None:
        self.seen += 1
        if ratio < self.ratio:
            self.ratio, self.text = ratio, text


class TextMeter:
    """Measures texts while a film is drawn.

    Any thread may call :meth:`measured`. :meth:`add` takes what it returns, in the order of the
    film. The step cache keeps it as JSON, so a cached step counts like one that is drawn.
    """

    def __init__(self, storyboard: Storyboard) -> None:
        self._storyboard = storyboard
        self._size = (storyboard.width, storyboard.height)
        self._pixel = unit(*self._size)
        self._layouts: dict[int, Layout] = {}
        self._contrasts = {rule.name: _Least() for rule in (BODY, ACCENT)}

    def measured(self, picture: NDArray[np.uint8], run: Run) -> list[Contrast]:
        """Return the contrast of each text in the middle of the time that it is shown.

        Args:
            picture: RGB of shape (height, width, 3).
            run: The frames that show ``picture``.
        """
        step = self._storyboard.steps[run.step_index]
        first = run.start_frame - step.start
        moments = range(first, first + run.frames)
        found: list[Contrast] = []
        for text in self._placed(run.step_index).texts:
            span = text.layer.span
            middle = (span.start + min(span.end, step.frames)) // 2
            settled = step.transition is None or middle >= step.transition.frames
            if middle in moments and settled and pose(step.motions, middle) == pose((), middle):
                found += self._measured(picture, text)
        return found

    def add(self, contrasts: Iterable[Contrast]) -> None:
        """Take the contrasts of the next step."""
        for rule, ratio, text in contrasts:
            self._contrasts[rule].add(ratio, text)

    def checks(self) -> Iterator[Check]:
        """Yield the checks of all texts of the film."""
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
        for rule in (BODY, ACCENT):
            least = self._contrasts[rule.name]
            if not least.seen:
                yield rule.not_applicable("no such text was drawn")
                continue
            measured = f"lowest {least.ratio:.1f}:1; texts: {least.seen}"
            limit = BODY_CONTRAST if rule is BODY else ACCENT_CONTRAST
            holds = least.ratio >= limit - 0.05  # 8-bit colours
            where = "" if holds else f"; lowest in {least.text[:30]!r}"
            yield rule.check(measured + where, holds=holds)

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

    def _measured(self, picture: NDArray[np.uint8], text: PlacedText) -> Iterator[Contrast]:
        ratio = _contrast(picture, text)
        if ratio is not None:
            large = text.block.size >= LARGE_TEXT * self._pixel * 0.999
            accent = large and text.style.contrast < BODY_CONTRAST
            yield Contrast((ACCENT if accent else BODY).name, ratio, text.layer.text)

    def _sizes(self, texts: list[PlacedText]) -> Check:
        def size(text: PlacedText) -> float:
            return text.block.size / self._pixel

        small = [
            text
            for text in texts
            if size(text) < (_LEAST_SMALL if text.layer.role in _SMALL_ROLES else _LEAST) - _SLACK
        ]
        return SIZE.check(f"smallest {min(map(size, texts)):.0f} px", holds=not small)

    def _safe(self, texts: list[PlacedText]) -> Check:
        width, height = self._size
        margins = [
            min(ink.x / width, 1 - ink.right / width, ink.y / height, 1 - ink.bottom / height)
            for ink in (text.ink for text in texts)
        ]
        least = min(margins)
        # Only a box given by the author can reach beyond the safe area.
        outside = [
            text
            for text, margin in zip(texts, margins, strict=True)
            if margin < TEXT_SAFE - _SLACK / 10
        ]
        excused = all(text.layer.box is not None for text in outside)
        return SAFE.check(f"smallest margin {least:.1%}", holds=not outside, excused=excused)


def _contrast(picture: NDArray[np.uint8], text: PlacedText) -> float | None:
    """Return the contrast ratio of letters and the background near them; None without letters."""
    height, width = picture.shape[:2]
    area = text.ink.inset(-_NEAR)
    # Even offsets, so that half pixels round in the same direction as in the whole picture.
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
    """Return a mask of the background near letters.

    Args:
        letters: 8-bit coverage by letters, of shape (height, width).
    """
    ground: NDArray[np.bool_] = (letters == 0) & (cv2.dilate(letters, _SQUARE) >= _SOLID)
    return ground


def _light(colours: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return the relative luminance of colours of shape (n, 3)."""
    linear = _LINEAR[colours] * _WEIGHTS
    light: NDArray[np.float32] = linear[:, 0] + linear[:, 1] + linear[:, 2]
    return light


def quantile(values: NDArray[np.floating[Any]], part: float) -> float:
    """Return the quantile of ``values`` at ``part``, 0 to 1, with linear interpolation.

    ``numpy.quantile`` gives the same, but its first call imports ``numpy.ma``, which takes as long
    as measuring ten texts.
    """
    place = part * (len(values) - 1)
    low, high = math.floor(place), math.ceil(place)
    ordered = np.partition(values, [low, high])
    return float(ordered[low] + (ordered[high] - ordered[low]) * (place - low))
