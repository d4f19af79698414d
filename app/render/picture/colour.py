"""Colour spaces that a picture states as numbers, and their conversion to sRGB.

The numbers are the code points of ITU-T H.273 (``cICP`` in PNG, ``nclx`` in AVIF), and ``gAMA`` and
``cHRM`` in PNG. :mod:`app.render.picture.decoding` converts ICC profiles with Little CMS. Pictures
of high dynamic range (PQ and HLG, ITU-R BT.2100) are tone-mapped. Where a figure has no source, it
matches what Chromium 156 shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Matrix = NDArray[np.float64]
#: CIE 1931 chromaticities x, y of red, green, blue and white.
Primaries = tuple[float, float, float, float, float, float, float, float]

_D65: Final = (0.3127, 0.3290)
_SRGB: Final[Primaries] = (0.640, 0.330, 0.300, 0.600, 0.150, 0.060, *_D65)
#: Primaries by code point (ITU-T H.273, table 2).
PRIMARIES: Final[dict[int, Primaries]] = {
    1: _SRGB,
    2: _SRGB,  # unspecified
    4: (0.67, 0.33, 0.21, 0.71, 0.14, 0.08, 0.310, 0.316),
    5: (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *_D65),
    6: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    7: (0.630, 0.340, 0.310, 0.595, 0.155, 0.070, *_D65),
    8: (0.681, 0.319, 0.243, 0.692, 0.145, 0.049, 0.310, 0.316),
    9: (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65),
    10: (1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1 / 3, 1 / 3),
    11: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, 0.314, 0.351),
    12: (0.680, 0.320, 0.265, 0.690, 0.150, 0.060, *_D65),
    22: (0.630, 0.340, 0.295, 0.605, 0.155, 0.077, *_D65),
}
#: Code points of transfer characteristics (ITU-T H.273, table 3): sRGB, PQ, digital cinema, HLG.
_SRGB_CURVE, _PQ, _CINEMA, _HLG = 13, 16, 17, 18
#: Exponents of the transfer characteristics that are a power function, by code point.
_GAMMAS: Final = {1: 2.4, 4: 2.2, 5: 2.8, 6: 2.4, 8: 1.0, 14: 2.4, 15: 2.4}
#: Matrix from CIE XYZ to Bradford cone responses.
_BRADFORD: Final = np.array(
    [[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]]
)
#: HDR reference white (ITU-R BT.2408) and peak luminance (nominal peak of HLG), in cd/m².
_REFERENCE_WHITE, _PEAK = 203.0, 1000.0
#: Pixels converted at a time, which limits the memory.
_STRIP: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class ColourSpace:
    """The colour space of an RGB picture.

    Attributes:
        primaries: Chromaticities of its primaries and white.
        transfer: Code point of its transfer characteristics in H.273.
        gamma: Exponent of a power function that replaces ``transfer``; 0.0 for none.
    """

    primaries: Primaries = _SRGB
    transfer: int = _SRGB_CURVE
    gamma: float = 0.0

    @classmethod
    def of_code_points(cls, primaries: int, transfer: int) -> ColourSpace | None:
        """Return the space of two code points of H.273; None for sRGB and for unknown points."""
        transfer = _SRGB_CURVE if transfer == 2 else transfer
        supported = transfer in _CURVES or transfer in _GAMMAS
        if primaries not in PRIMARIES or not supported:
            return None
        space = cls(PRIMARIES[primaries], transfer, _GAMMAS.get(transfer, 0.0))
        return None if space == cls() else space

    def to_srgb(self, image: Image.Image) -> Image.Image | None:
        """Return an ``RGB`` picture in sRGB; None if the primaries are degenerate."""
        matrix = _to_srgb_primaries(self.primaries)
        if matrix is None:
            return None
        linear = self._linear()
        pixels = np.array(image)
        flat = pixels.reshape(-1, 3)
        for start in range(0, len(flat), _STRIP):
            light = self._display_light(linear[flat[start : start + _STRIP]]) @ matrix.T
            steps = (light.clip(0, 1) * (len(_ENCODED) - 1) + 0.5).astype(np.uint16)
            flat[start : start + _STRIP] = _ENCODED[steps]
        return Image.fromarray(pixels)

    def _linear(self) -> Matrix:
        """Return linear light for each 8-bit value."""
        values = np.arange(256) / 255
        if self.gamma:
            return values**self.gamma
        return _CURVES[self.transfer](values)

    def _display_light(self, light: Matrix) -> Matrix:
        if self.transfer == _HLG:  # BT.2100, table 5: the OOTF, from scene light to display light
            luminance = light @ _luminances(self.primaries)
            light = light * (luminance.clip(1e-6) ** 0.2)[:, None] * (_PEAK / _REFERENCE_WHITE)
        return _tone_mapped(light) if self.transfer in (_PQ, _HLG) else light


def _srgb_to_light(values: Matrix) -> Matrix:
    """Return linear light, 0 to 1 (IEC 61966-2-1)."""
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _pq_to_light(values: Matrix) -> Matrix:
    """Return display light relative to reference white (ITU-R BT.2100, table 4)."""
    root = values ** (32 / 2523)
    ratio = (root - 0.8359375).clip(0) / (18.8515625 - 18.6875 * root)
    light: Matrix = ratio ** (8192 / 1305) * (10_000 / _REFERENCE_WHITE)
    return light


def _hlg_to_light(values: Matrix) -> Matrix:
    """Return scene light, 0 to 1 (ITU-R BT.2100, table 5)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    return np.where(values <= 0.5, values**2 / 3, (np.exp((values - c) / a) + b) / 12)


_CURVES: Final[dict[int, Callable[[Matrix], Matrix]]] = {
    _SRGB_CURVE: _srgb_to_light,
    _PQ: _pq_to_light,
    _CINEMA: lambda values: values**2.6 * (52.37 / 48),  # SMPTE ST 428-1
    _HLG: _hlg_to_light,
}


def _encoded() -> NDArray[np.uint8]:
    light = np.arange(1 << 16) / 0xFFFF
    values = np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(values * 255).astype(np.uint8)


#: 8-bit sRGB value of linear light in 65,536 steps.
_ENCODED: Final = _encoded()


def _tone_mapped(light: Matrix) -> Matrix:
    """Return HDR light relative to reference white as the light of an SDR display, 0 to 1.

    Uses the Reference White Tone Mapping Operator of SMPTE ST 2094-50, which Chromium applies to
    pictures without a tone map of their own. For a peak of 1000 cd/m² it halves the light up to
    reference white and then follows a quadratic Bézier curve to the peak. The largest of the three
    components sets the gain of all, which keeps the hue.
    """
    # The knee, then the middle control point at 65% from the knee to the end of its tangent.
    (x0, y0), (x1, y1), (x2, y2) = (1.0, 0.5), (1.65, 0.825), (_PEAK / _REFERENCE_WHITE, 1.0)
    largest = light.max(axis=1).clip(1e-9)
    # Solve a t² + b t + x0 = x for the curve's parameter t.
    a, b = x0 - 2 * x1 + x2, 2 * (x1 - x0)
    t = (np.sqrt(b * b - 4 * a * (x0 - largest.clip(x0, x2))) - b) / (2 * a)
    curve = (1 - t) ** 2 * y0 + 2 * t * (1 - t) * y1 + t**2 * y2
    mapped = np.where(largest <= x0, largest * y0, curve)
    result: Matrix = light * (mapped / largest)[:, None]
    return result


def _to_srgb_primaries(primaries: Primaries) -> Matrix | None:
    """Return the matrix from linear light in ``primaries`` to linear sRGB; None if there is none.

    Whites are adapted by the Bradford method, as in ICC profiles, so white stays white.
    """
    source, target = _to_xyz(primaries), _to_xyz(_SRGB)
    if source is None or target is None:
        return None
    cones = _BRADFORD @ source.sum(axis=1)
    if (cones <= 0).any():
        return None
    scale = np.diag(_BRADFORD @ target.sum(axis=1) / cones)
    adapted = np.linalg.inv(_BRADFORD) @ scale @ _BRADFORD
    matrix: Matrix = np.linalg.inv(target) @ adapted @ source
    return matrix


def _to_xyz(primaries: Primaries) -> Matrix | None:
    pairs = np.array(primaries).reshape(4, 2)
    x, y = pairs[:, 0], pairs[:, 1]
    if y[3] <= 0:
        return None
    columns = np.stack([x, y, 1 - x - y])
    colours, white = columns[:, :3], columns[:, 3] / y[3]
    if abs(np.linalg.det(colours)) < 1e-4:
        return None
    return colours * np.linalg.solve(colours, white)


def _luminances(primaries: Primaries) -> Matrix:
    matrix = _to_xyz(primaries)
    return np.full(3, 1 / 3) if matrix is None else matrix[1]
