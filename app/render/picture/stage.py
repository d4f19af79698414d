"""The stage: one step, ready to be drawn at any frame."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from app.render.model.areas import Rect, unit
from app.render.model.storyboard import Storyboard
from app.render.picture import planes
from app.render.picture.backdrop import Backdrop
from app.render.picture.lettering import Look, draw, look
from app.render.story import layout
from app.render.story.layout import PlacedText
from app.render.story.motion import STILL, Pose, pose, whole


class Stage:
    """One step, ready to be drawn.

    Holds the backdrop and the last frame (3 bytes per pixel). If something moves, it also holds the
    texts as plates (4 bytes per pixel that they cover).

    Args:
        storyboard: The film.
        index: Index of the step.

    Raises:
        AssetFailed: A picture of the step cannot be decoded.
    """

    def __init__(self, storyboard: Storyboard, index: int) -> None:
        self._step = step = storyboard.steps[index]
        self._size = (storyboard.width, storyboard.height)
        self._pixel = unit(*self._size)
        self._layout = layout.place(
            step.texts,
            step.pictures,
            width=self._size[0],
            height=self._size[1],
            arrangement=step.arrangement,
        )
        self._theme = storyboard.theme
        self._backdrop = Backdrop(step, self._layout, self._size, self._theme)
        self._last: tuple[object, NDArray[np.uint8]] | None = None
        self._plates: tuple[tuple[bool, ...], list[tuple[NDArray[np.uint8], Rect]]] | None = None

    def frame(self, number: int) -> NDArray[np.uint8]:
        """Return a frame of the step: uint8 sRGB of shape (height, width, 3)."""
        step_pose = pose(self._step.motions, number)
        visible = tuple(
            text.layer.span.start <= number < text.layer.span.end for text in self._layout.texts
        )
        state = (visible, self._backdrop.state(number, step_pose))
        if self._last is None or self._last[0] != state:
            canvas = self._backdrop.frame(number, step_pose)
            self._last = (state, self._lettered(canvas, visible) if any(visible) else canvas)
        return self._shifted(self._last[1], step_pose)

    def _lettered(self, canvas: NDArray[np.uint8], visible: tuple[bool, ...]) -> NDArray[np.uint8]:
        """Return ``canvas`` with the visible texts. A moving backdrop is drawn on in place."""
        texts = [text for text, shown in zip(self._layout.texts, visible, strict=True) if shown]
        if not self._backdrop.moving:
            page = Image.fromarray(canvas)
            draw(page, self._look(page, texts), pixel=self._pixel)
            return np.asarray(page)
        if self._plates is None or self._plates[0] != visible:
            found = self._look(Image.fromarray(canvas), texts)
            self._plates = (visible, self._plated(found))
        for pixels, place in self._plates[1]:
            planes.lay(canvas, pixels, place)
        return canvas

    def _look(self, behind: Image.Image, texts: Sequence[PlacedText]) -> Look:
        return look(
            behind,
            texts,
            accent=self._step.accent,
            theme=self._theme,
            pixel=self._pixel,
            unsteady=self._backdrop.unsteady,
            scrims=self._is_filled(),
        )

    def _is_filled(self) -> bool:
        """Return whether one picture fills the frame and no other lies on it."""
        rects = [rect for _, rect in self._layout.pictures]
        if self._layout.panel is not None:
            return False
        if not rects:
            return self._step.background.picture is not None
        return len(rects) == 1 and rects[0] == Rect(0, 0, *self._size)

    def _plated(self, shown: Look) -> list[tuple[NDArray[np.uint8], Rect]]:
        drawn = planes.plate(self._size, lambda canvas: draw(canvas, shown, pixel=self._pixel))
        plates = []
        for area in shown.areas:
            left, top, right, bottom = planes.covered(area, *self._size)
            place = Rect(left, top, right - left, bottom - top)
            plates.append((drawn[top:bottom, left:right].copy(), place))
        return plates

    def _shifted(self, canvas: NDArray[np.uint8], step_pose: Pose) -> NDArray[np.uint8]:
        """Return the frame after the fade and slide of the whole step over its colour."""
        width, height = self._size
        transform = whole(
            Pose(slide=step_pose.slide), Rect(0, 0, width, height), width=width, height=height
        )
        colour = self._step.background.colour
        if transform != STILL:
            canvas = planes.moved(canvas, transform, colour, size=self._size)
        if step_pose.opacity < planes.OPAQUE:
            canvas = planes.towards(canvas, colour, 1 - step_pose.opacity / planes.OPAQUE)
        return canvas
