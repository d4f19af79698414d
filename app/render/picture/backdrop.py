"""The backdrop: everything of a step that is behind its texts.

Layers below the first moving one are drawn once. The others are drawn again for each frame. A step
with a camera zoom is drawn at the largest size that is shown, so that nothing is enlarged.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageChops

from app.render.model.areas import Rect, unit
from app.render.model.storyboard import Motion, PictureLayer, Step
from app.render.model.themes import NIGHT, Theme
from app.render.picture import planes
from app.render.picture.callouts import marks
from app.render.picture.cards import card_plate, draw_frame, draw_picture, is_card
from app.render.picture.panels import outline, rounded_mask
from app.render.picture.rasters import draw_split, fitted, ground, panel_colour
from app.render.story.layout import Layout
from app.render.story.motion import STILL, Affine, Pose, pose, whole, within

#: Thickness, corner radius and distance of a highlight's outline, in pixels of the reference frame.
_OUTLINE: Final = (8.0, 16.0, 6.0)
#: Kinds of motion of a picture inside its place.
_INNER: Final = frozenset({"zoom", "pan"})
#: Kinds of motion that move the whole backdrop if the step has them.
_CAMERA: Final = frozenset({"zoom", "pan", "pulse"})
#: Pixels by which smoothed edges may extend beyond a rectangle.
_MARGIN: Final = 2.0


@dataclass(frozen=True, slots=True)
class _Layer:
    """A picture or callout that may move.

    Attributes:
        pixels: Premultiplied RGBA, see :func:`app.render.picture.planes.plane`.
        place: Whole pixels of the backdrop that it covers at rest.
        motions: Its motions.
        windowed: Whether it moves behind a window of the size of ``place``.
        outline: The outline of a highlight, and its place.
        framed: Whether it moves inside the frame of a card.
    """

    pixels: NDArray[np.uint8]
    place: Rect
    motions: tuple[Motion, ...]
    windowed: bool
    outline: tuple[NDArray[np.uint8], Rect] | None = None
    framed: bool = False


class Backdrop:
    """Everything behind the texts of a step.

    Holds the still part (3 bytes per pixel) and a raster of each moving layer (4 bytes per pixel
    that it covers).

    Args:
        step: The step.
        placed: Its layout, in a frame of ``size``.
        size: Width and height of the frame in pixels.
        theme: The film's theme.

    Raises:
        AssetFailed: A picture of the step cannot be decoded.
    """

    def __init__(
        self, step: Step, placed: Layout, size: tuple[int, int], theme: Theme = NIGHT
    ) -> None:
        self._step, self._size, self._theme = step, size, theme
        self._camera = any(motion.kind in _CAMERA for motion in step.motions)
        enlargement = _largest(step.motions)
        #: Size of the drawing, and the transform from the frame to it.
        self._drawn = (round(size[0] * enlargement), round(size[1] * enlargement))
        self._to_drawing = Affine(self._drawn[0] / size[0])
        highlights = tuple(motion for motion in step.motions if motion.kind == "highlight")
        pictures = [
            (replace(layer, motions=(*layer.motions, *highlights)), self._to_drawing.of(rect))
            for layer, rect in placed.pictures
        ]
        first = next((i for i, (layer, _) in enumerate(pictures) if layer.motions), len(pictures))
        self._rects = [rect for _, rect in pictures]
        movers = [self._mover(layer, rect) for layer, rect in pictures[first:]]
        self._still = self._draw_still(placed, pictures[:first], movers)
        self._movers = [part for mover in movers for part in (mover, *self._corners(mover))]
        self._movers.extend(self._pointers(placed))
        #: Whether anything ever changes, and in which parts of the frame.
        self.moving = self._camera or bool(self._movers)
        self.unsteady = tuple(self._swept(placed))

    def state(self, number: int, step_pose: Pose) -> object:
        """Return a value that is equal for frames that look the same.

        Args:
            number: Index of the frame in the step.
            step_pose: Pose of the whole step at that frame.
        """
        camera = (
            (step_pose.zoom, step_pose.drift, step_pose.anchor, step_pose.swell)
            if self._camera
            else None
        )
        return camera, self._poses(number)

    def frame(self, number: int, step_pose: Pose) -> NDArray[np.uint8]:
        """Return the backdrop at one frame: uint8 sRGB of shape (height, width, 3).

        The caller must not change it unless :attr:`moving`.

        Args:
            number: Index of the frame in the step.
            step_pose: Pose of the whole step at that frame.
        """
        canvas = self._layered(number)
        if not self._camera:
            return canvas
        width, height = self._size
        frame = Rect(0, 0, width, height)
        transform = whole(Pose(swell=step_pose.swell), frame, width=width, height=height)
        transform = transform.after(within(step_pose, frame, width=width, height=height))
        return planes.moved(canvas, transform, None, size=self._size)

    def _poses(self, number: int) -> tuple[Pose, ...]:
        return tuple(pose(layer.motions, number) for layer in self._movers)

    def _layered(self, number: int) -> NDArray[np.uint8]:
        if not self._movers:
            return self._still
        poses = self._poses(number)
        hidden = self._hides_all(self._movers[0], poses[0])
        canvas = np.empty_like(self._still) if hidden else self._still.copy()
        for layer, where in zip(self._movers, poses, strict=True):
            self._draw_layer(canvas, layer, where)
        return canvas

    def _hides_all(self, layer: _Layer, where: Pose) -> bool:
        """Return whether a layer covers the whole drawing, opaque."""
        width, height = self._drawn
        return (
            layer.windowed
            and layer.place == Rect(0, 0, width, height)
            and where.opacity == planes.OPAQUE
            and whole(where, layer.place, width=width, height=height) == STILL
            and within(where, layer.place, width=width, height=height) != STILL
        )

    def _draw_still(
        self,
        placed: Layout,
        pictures: Sequence[tuple[PictureLayer, Rect]],
        movers: Sequence[_Layer],
    ) -> NDArray[np.uint8]:
        background = self._step.background
        canvas = ground(background, self._drawn, self._theme)
        if placed.panel is not None:
            panel, colour = self._to_drawing.of(placed.panel), panel_colour(background, self._theme)
            draw_split(canvas, panel, colour, self._step.accent)
        for layer, rect in pictures:
            raster, place = fitted(layer.picture, rect, layer.fit, focus=layer.focus)
            draw_picture(canvas, raster, place, self._others(rect), self._theme)
        for mover in movers:
            if mover.framed:
                draw_frame(canvas, mover.place, self._theme, pixel=unit(*self._drawn))
        return np.asarray(canvas)

    def _others(self, rect: Rect) -> list[Rect]:
        return [other for other in self._rects if other is not rect]

    def _corners(self, mover: _Layer) -> Iterator[_Layer]:
        """Yield what covers the corners of a picture that moves inside its frame."""
        if not mover.framed:
            return
        place, radius = mover.place, self._theme.radius * unit(*self._drawn)
        side = min(math.ceil(radius), int(min(place.width, place.height)) // 2)
        mask = rounded_mask((int(place.width), int(place.height)), radius)
        for x in (int(place.x), int(place.right) - side):
            for y in (int(place.y), int(place.bottom) - side):
                patch = Image.fromarray(self._still[y : y + side, x : x + side])
                left, top = x - int(place.x), y - int(place.y)
                inside = mask.crop((left, top, left + side, top + side))
                patch.putalpha(ImageChops.invert(inside))
                yield _Layer(planes.plane(patch), Rect(x, y, side, side), (), windowed=False)

    def _mover(self, layer: PictureLayer, rect: Rect) -> _Layer:
        scale = _largest(layer.motions)
        raster, place = fitted(layer.picture, rect, layer.fit, focus=layer.focus, scale=scale)
        kinds = {motion.kind for motion in layer.motions}
        card = is_card(raster, place, self._others(rect), self._drawn)
        highlight = self._outline(place) if "highlight" in kinds else None
        if card and not kinds & _INNER:
            pixels, around = card_plate(raster, place, self._theme, pixel=unit(*self._drawn))
            return _Layer(pixels, around, layer.motions, windowed=False, outline=highlight)
        return _Layer(
            planes.plane(raster),
            place,
            layer.motions,
            windowed=raster.mode == "RGB",
            outline=highlight,
            framed=card
            and bool(kinds)
            and kinds <= {*_INNER, "highlight"}
            and bool(kinds & _INNER),
        )

    def _pointers(self, placed: Layout) -> Iterator[_Layer]:
        texts = [self._to_drawing.of(text.ink) for text in placed.texts]
        width, height = self._drawn
        pointers, accent = self._step.callouts, self._step.accent
        for mark in marks(pointers, width=width, height=height, accent=accent, taken=texts):
            yield _Layer(mark.pixels, mark.place, (mark.callout.motion,), windowed=False)

    def _outline(self, place: Rect) -> tuple[NDArray[np.uint8], Rect]:
        thick, radius, away = (value * unit(*self._drawn) for value in _OUTLINE)
        outer = place.inset(-round(thick + away))
        size = (int(outer.width), int(outer.height))
        inside, accent = Rect(0, 0, *size), self._step.accent
        pixels = planes.plate(size, lambda canvas: outline(canvas, inside, radius, thick, accent))
        return pixels, outer

    def _draw_layer(self, canvas: NDArray[np.uint8], layer: _Layer, where: Pose) -> None:
        width, height = self._drawn
        outer = whole(where, layer.place, width=width, height=height)
        inner = within(where, layer.place, width=width, height=height)
        same = layer.pixels.shape[:2] == (layer.place.height, layer.place.width)
        if same and outer == inner == STILL:
            planes.lay(canvas, layer.pixels, layer.place, opacity=where.opacity)
        else:
            window = outer.of(layer.place) if layer.windowed and inner != STILL else None
            planes.move(
                canvas,
                layer.pixels,
                layer.place,
                outer.after(inner),
                window=window,
                opacity=where.opacity,
            )
        if layer.outline is not None and where.highlight:
            pixels, place = layer.outline
            planes.move(canvas, pixels, place, outer, opacity=where.highlight)

    def _swept(self, placed: Layout) -> Iterator[Rect]:
        """Yield the parts of the frame that ever change."""
        width, height = self._size
        if self._camera:
            panel = placed.panel
            yield Rect(0, 0, width, height) if panel is None else _beside(panel, width, height)
            return
        for layer in self._movers:
            if not layer.motions:
                continue
            swept = layer.place if layer.outline is None else layer.outline[1]
            for number in _turning_points(layer.motions):
                where = pose(layer.motions, number)
                transform = whole(where, layer.place, width=width, height=height)
                if not layer.windowed:
                    transform = transform.after(
                        within(where, layer.place, width=width, height=height)
                    )
                swept = swept.joined(transform.of(layer.place))
            yield swept.inset(-_MARGIN)


def _largest(motions: Sequence[Motion]) -> float:
    """Return the largest factor that ``motions`` can reach together."""
    scale = 1.0
    for kind in _CAMERA:
        same = [motion for motion in motions if motion.kind == kind]
        scale *= max((max(motion.before[0], motion.after[0]) for motion in same), default=1.0)
    return scale


def _beside(panel: Rect, width: int, height: int) -> Rect:
    """Return the frame without ``panel``, which covers one side of it."""
    if panel.width < width:
        left = panel.right if panel.x == 0 else 0.0
        return Rect(left, 0, width - panel.width, height)
    return Rect(0, 0, width, height - panel.height)


def _turning_points(motions: Sequence[Motion]) -> Iterator[int]:
    """Yield the frames at which motions reach their extremes."""
    for motion in motions:
        start, end = motion.span.start, motion.span.end
        yield from (start, end)
        if motion.turns:
            yield start + round((end - start) / (2 * motion.turns))
