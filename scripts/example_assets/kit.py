"""A small drawing kit: smooth shapes, soft shadows and light, on Pillow.

Everything is drawn at ``SCALE`` times its size and reduced at the end, for smooth edges.
Coordinates are pixels of the finished picture.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps

#: Supersampling: 9 samples per pixel.
SCALE = 3
#: Shadows fall to the lower right by this share of their softness.
_SHADOW_FALL = (0.45, 0.8)
#: Shadows are blurred at a size reduced by this factor, because they have no detail.
_BLUR_REDUCTION = 6
_SHADOW_COLOUR = (24, 20, 48)
_SHADOW_ALPHA = 0.5

Point = tuple[float, float]


def curve(points: Sequence[Point], *, closed: bool = True, steps: int = 14) -> list[Point]:
    """Return a smooth line through ``points`` (a Catmull-Rom spline)."""
    count = len(points)
    spans = count if closed else count - 1
    line: list[Point] = []
    for index in range(spans):
        at = [index - 1, index, index + 1, index + 2]
        a, b, c, d = (points[i % count if closed else min(max(i, 0), count - 1)] for i in at)
        for step in range(steps):
            t = step / steps
            line.append((_spline(a[0], b[0], c[0], d[0], t), _spline(a[1], b[1], c[1], d[1], t)))
    return line if closed else [*line, points[-1]]


def _spline(a: float, b: float, c: float, d: float, t: float) -> float:
    bend = (2 * a - 5 * b + 4 * c - d) * t * t + (3 * b - a - 3 * c + d) * t**3
    return 0.5 * (2 * b + (c - a) * t + bend)


def circle(x: float, y: float, radius: float, *, flat: float = 1.0) -> list[Point]:
    """Return the outline of a circle, or of an ellipse ``flat`` times as high."""
    turns = [math.tau * index / 72 for index in range(72)]
    return [(x + radius * math.cos(t), y + radius * flat * math.sin(t)) for t in turns]


def rounded(x: float, y: float, width: float, height: float, radius: float) -> list[Point]:
    """Return the outline of a rectangle with round corners, from its top left corner."""
    corners = [
        (x + width - radius, y + radius, -90),
        (x + width - radius, y + height - radius, 0),
        (x + radius, y + height - radius, 90),
        (x + radius, y + radius, 180),
    ]
    return [
        (cx + radius * math.cos(math.radians(a)), cy + radius * math.sin(math.radians(a)))
        for cx, cy, start in corners
        for a in range(start, start + 91, 9)
    ]


class Sheet:
    """A transparent sheet to draw on. A sheet can be stamped onto another."""

    def __init__(self, width: float, height: float) -> None:
        self.width, self.height = width, height
        self.image = Image.new("RGBA", (round(width * SCALE), round(height * SCALE)))

    def fill(
        self,
        outline: Iterable[Point],
        colour: str,
        *,
        to: str = "",
        alpha: float = 1.0,
        shadow: float = 0.0,
    ) -> None:
        """Fill an outline with ``colour``, running to the colour ``to`` at its lower end.

        Args:
            outline: Corners of the shape.
            colour: Any CSS colour.
            to: Colour at the lower end; "" for the same.
            alpha: Opacity, 0 to 1.
            shadow: Softness of the shadow in pixels; 0 for none.
        """
        line = _scaled(outline)
        mask, corner = _blank(line, 2)
        ImageDraw.Draw(mask).polygon(_moved(line, corner), fill=255)
        if shadow:
            self._shade(mask, corner, shadow)
        self._lay(mask, corner, colour, to=to, alpha=alpha)

    def stroke(
        self,
        points: Sequence[Point],
        colour: str,
        width: float,
        *,
        alpha: float = 1.0,
        dash: float = 0.0,
    ) -> None:
        """Draw a line with round ends; ``dash`` is the length of dashes and gaps."""
        radius = width * SCALE / 2
        mask, corner = _blank(_scaled(points), round(radius) + 3)
        draw = ImageDraw.Draw(mask)
        for piece in _dashes(points, dash) if dash else [points]:
            line = _moved(_scaled(piece), corner)
            draw.line(line, fill=255, width=round(2 * radius), joint="curve")
            for x, y in (line[0], line[-1]):
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
        self._lay(mask, corner, colour, alpha=alpha)

    def glow(self, x: float, y: float, radius: float, colour: str, strength: float = 0.8) -> None:
        """Shed round light that fades to nothing at ``radius``."""
        size = round(radius * 2 * SCALE)
        left, top = round((x - radius) * SCALE), round((y - radius) * SCALE)
        box = (max(left, 0), max(top, 0), left + size, top + size)
        light = ImageChops.invert(Image.radial_gradient("L"))
        # At the rim of the circle the inverted gradient is at 75: there the light must be 0.
        shares = [(max(value - 75, 0) / 180) ** 2 * strength for value in range(256)]
        light = light.point([round(share * 255) for share in shares])
        light = light.resize((size, size)).crop((box[0] - left, box[1] - top, size, size))
        part = self.image.crop(box)
        base = part.convert("RGB")
        lit = ImageChops.screen(base, Image.new("RGB", base.size, colour))
        mixed = Image.composite(lit, base, light)
        mixed.putalpha(part.getchannel("A"))
        self.image.paste(mixed, box[:2])

    def stamp(
        self,
        other: Sheet,
        x: float,
        y: float,
        *,
        angle: float = 0.0,
        zoom: float = 1.0,
        shadow: float = 0.0,
    ) -> None:
        """Lay another sheet down with its middle at (x, y), turned by ``angle`` degrees."""
        picture = other.image
        if zoom != 1:
            size = (round(picture.width * zoom), round(picture.height * zoom))
            picture = picture.resize(size, Image.Resampling.LANCZOS)
        if angle:
            picture = picture.rotate(-angle, Image.Resampling.BICUBIC, expand=True)
        corner = (round(x * SCALE - picture.width / 2), round(y * SCALE - picture.height / 2))
        if shadow:
            self._shade(picture.getchannel("A"), corner, shadow)
        source = (max(-corner[0], 0), max(-corner[1], 0))
        self.image.alpha_composite(picture, (max(corner[0], 0), max(corner[1], 0)), source)

    def clip(self, outline: Iterable[Point]) -> None:
        """Keep only what lies inside an outline."""
        mask = Image.new("L", self.image.size)
        ImageDraw.Draw(mask).polygon(_scaled(outline), fill=255)
        self.image.putalpha(ImageChops.multiply(self.image.getchannel("A"), mask))

    def cropped(self, x: float, y: float, width: float, height: float) -> Sheet:
        """Return a part of the sheet, from its top left corner."""
        part = Sheet(width, height)
        left, top = round(x * SCALE), round(y * SCALE)
        part.image = self.image.crop((left, top, left + part.image.width, top + part.image.height))
        return part

    def finished(self) -> Image.Image:
        """Return the picture in its own size, on black where nothing was drawn."""
        flat = Image.new("RGBA", self.image.size, "black")
        flat.alpha_composite(self.image)
        size = (round(self.width), round(self.height))
        return flat.convert("RGB").resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)

    def _lay(
        self,
        mask: Image.Image,
        corner: tuple[int, int],
        colour: str,
        *,
        to: str = "",
        alpha: float = 1.0,
    ) -> None:
        paint = Image.new("RGBA", mask.size, colour)
        if to:
            slope = Image.linear_gradient("L").resize(mask.size)
            paint = Image.composite(Image.new("RGBA", mask.size, to), paint, slope)
        # Blurred by a sample: smooth even where a sheet is stamped larger than it is.
        soft = mask.filter(ImageFilter.BoxBlur(1))
        paint.putalpha(soft if alpha == 1 else soft.point([round(v * alpha) for v in range(256)]))
        source = (max(-corner[0], 0), max(-corner[1], 0))
        if source[0] < mask.width and source[1] < mask.height:
            self.image.alpha_composite(paint, (max(corner[0], 0), max(corner[1], 0)), source)

    def _shade(self, mask: Image.Image, corner: tuple[int, int], softness: float) -> None:
        reach = math.ceil(softness * SCALE * 2 / _BLUR_REDUCTION) * _BLUR_REDUCTION
        spread = ImageOps.expand(mask, reach)
        small = spread.reduce(_BLUR_REDUCTION)
        blurred = small.filter(ImageFilter.GaussianBlur(softness * SCALE / _BLUR_REDUCTION / 1.6))
        soft = blurred.resize(spread.size, Image.Resampling.BICUBIC)
        shade = Image.new("RGBA", spread.size, _SHADOW_COLOUR)
        shade.putalpha(soft.point([round(v * _SHADOW_ALPHA) for v in range(256)]))
        x, y = (
            round(at - reach + softness * SCALE * share)
            for at, share in zip(corner, _SHADOW_FALL, strict=True)
        )
        source = (max(-x, 0), max(-y, 0))
        self.image.alpha_composite(shade, (max(x, 0), max(y, 0)), source)


def _blank(points: Sequence[Point], margin: int) -> tuple[Image.Image, tuple[int, int]]:
    """Return an empty mask around points, and its top left corner."""
    left, top = (math.floor(min(values)) - margin for values in zip(*points, strict=True))
    right, bottom = (math.ceil(max(values)) + margin for values in zip(*points, strict=True))
    return Image.new("L", (right - left, bottom - top)), (left, top)


def _moved(points: Sequence[Point], corner: tuple[int, int]) -> list[Point]:
    return [(x - corner[0], y - corner[1]) for x, y in points]


def _scaled(points: Iterable[Point]) -> list[Point]:
    return [(x * SCALE, y * SCALE) for x, y in points]


def _dashes(points: Sequence[Point], length: float) -> list[list[Point]]:
    """Cut a line into dashes with gaps of the same length."""
    pieces: list[list[Point]] = [[points[0]]]
    walked, drawing = 0.0, True
    for start, end in pairwise(points):
        distance = math.dist(start, end)
        at = 0.0
        while walked + distance - at >= length:
            at += length - walked
            share = at / distance
            turn = (start[0] + (end[0] - start[0]) * share, start[1] + (end[1] - start[1]) * share)
            if drawing:
                pieces[-1].append(turn)
            else:
                pieces.append([turn])
            drawing, walked = not drawing, 0.0
        walked += distance - at
        if drawing:
            pieces[-1].append(end)
    return [piece for piece in pieces if len(piece) > 1]
