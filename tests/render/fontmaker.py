"""Small real fonts, whose glyphs are boxes of different heights."""

from __future__ import annotations

import io
from pathlib import Path

from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont, newTable
from fontTools.ttLib.tables.BitmapGlyphMetrics import SmallGlyphMetrics
from fontTools.ttLib.tables.C_B_D_T_ import cbdt_bitmap_format_17
from fontTools.ttLib.tables.E_B_L_C_ import (
    SbitLineMetrics,
    Strike,
    eblc_index_sub_table_1,
)
from fontTools.ttLib.tables.otTables import PaintFormat
from fontTools.ttLib.tables.TupleVariation import TupleVariation
from fontTools.ttLib.ttCollection import TTCollection
from PIL import Image

#: Units per em.
EM = 1000
#: Pixels per em of colour fonts, as in Noto Color Emoji. Their pictures are square.
STRIKE = 109


def build(
    chars: str,
    *,
    family: str = "Boxes",
    style: str = "Regular",
    advance: int = EM,
    overhang: int = 0,
    empty: str = "",
) -> TTFont:
    """Build a font in which ``chars`` are boxes and ``empty`` have no ink.

    ``advance``, and the ``overhang`` of boxes on both sides, are in font units.
    """
    names = {ord(char): f"u{ord(char):05X}" for char in chars + empty}
    glyphs = {".notdef": box(0, advance, EM // 2)}
    for number, char in enumerate(chars):
        glyphs[names[ord(char)]] = box(-overhang, advance + overhang, 600 + number % 200)
    for char in empty:
        glyphs[names[ord(char)]] = TTGlyphPen(None).glyph()
    builder = FontBuilder(EM, isTTF=True)
    builder.setupGlyphOrder(list(glyphs))
    builder.setupCharacterMap(names)
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics(dict.fromkeys(glyphs, (advance, -overhang)))
    builder.setupHorizontalHeader(ascent=880, descent=-120)
    builder.setupNameTable({"familyName": family, "styleName": style})
    builder.setupOS2(sTypoAscender=880, sTypoDescender=-120, usWinAscent=880, usWinDescent=120)
    builder.setupPost()
    return builder.font


def box(left: int, right: int, height: int) -> object:
    """Return a glyph that is a box on the baseline. Arguments are in font units."""
    pen = TTGlyphPen(None)
    corners = [(left, 0), (left, height), (right, height), (right, 0)]
    pen.moveTo(corners[0])
    for corner in corners[1:]:
        pen.lineTo(corner)
    pen.closePath()
    return pen.glyph()


def write_font(path: Path, chars: str, **how: object) -> Path:
    """Write a font that :func:`build` makes."""
    build(chars, **how).save(path)  # type: ignore[arg-type] # passed on as it came
    return path


def write_collection(path: Path, *fonts: TTFont) -> Path:
    """Write a TrueType collection of ``fonts``."""
    collection = TTCollection()
    collection.fonts = list(fonts)
    collection.save(path)
    return path


def write_emoji(path: Path, pictures: dict[str, str], *, family: str = "Colours") -> Path:
    """Write a colour font. ``pictures`` maps each character to the colour of its glyph."""
    font = build("", family=family, empty="".join(pictures))
    cmap = font.getBestCmap()
    images = {cmap[ord(char)]: _png(colour) for char, colour in pictures.items()}
    names = sorted(images, key=font.getGlyphID)
    strike = Strike()
    size = strike.bitmapSizeTable
    size.ppemX = size.ppemY = STRIKE
    size.bitDepth, size.flags, size.colorRef = 32, 1, 0
    size.startGlyphIndex, size.endGlyphIndex = map(font.getGlyphID, (names[0], names[-1]))
    size.hori, size.vert = _line(), _line()
    table = eblc_index_sub_table_1(b"", font)
    table.names, table.indexFormat, table.imageFormat = names, 1, 17
    table.firstGlyphIndex, table.lastGlyphIndex = size.startGlyphIndex, size.endGlyphIndex
    strike.indexSubTables = [table]
    font["CBLC"], font["CBDT"] = newTable("CBLC"), newTable("CBDT")
    font["CBLC"].version, font["CBDT"].version = 3.0, 3.0
    font["CBLC"].strikes = [strike]
    font["CBDT"].strikeData = [{name: _bitmap(images[name], font) for name in names}]
    del font["glyf"], font["loca"]
    font.save(path)
    return path


def _png(colour: str) -> bytes:
    file = io.BytesIO()
    Image.new("RGBA", (STRIKE, STRIKE), colour).save(file, "PNG")
    return file.getvalue()


def _line() -> SbitLineMetrics:
    line = SbitLineMetrics()
    line.ascender, line.descender, line.widthMax = 100, -9, STRIKE
    line.caretSlopeNumerator, line.caretSlopeDenominator, line.caretOffset = 0, 0, 0
    line.minOriginSB = line.minAdvanceSB = line.maxBeforeBL = line.minAfterBL = 0
    line.pad1 = line.pad2 = 0
    return line


def _bitmap(data: bytes, font: TTFont) -> object:
    glyph = cbdt_bitmap_format_17(b"", font)
    metrics = SmallGlyphMetrics()
    metrics.height = metrics.width = metrics.Advance = STRIKE
    metrics.BearingX, metrics.BearingY = 0, 100
    glyph.metrics, glyph.imageData = metrics, data
    return glyph


def write_variable(path: Path, chars: str, *, grows: int) -> Path:
    """Write a font of weights 100, the default, to 900, at which letters are ``grows`` wider."""
    font = build(chars)
    builder = FontBuilder(font=font)
    builder.setupFvar([("wght", 100, 100, 900, "Weight")], [])
    # Two points at the right of the box, and the phantom point at the end of the advance.
    wider = [(0, 0), (0, 0), (grows, 0), (grows, 0), (0, 0), (grows, 0), (0, 0), (0, 0)]
    heavy = TupleVariation({"wght": (0.0, 1.0, 1.0)}, wider)
    builder.setupGvar({name: [heavy] for name in font.getGlyphOrder()})
    font.save(path)
    return path


def write_layers(
    path: Path, char: str, colour: tuple[float, float, float], *, version: int
) -> Path:
    """Write a font whose only glyph is a box in one colour, by the table COLR."""
    font = build(f"{char}a", family="Layers")
    name, layer = (font.getBestCmap()[ord(each)] for each in (char, "a"))
    builder = FontBuilder(font=font)
    fill = {"Format": PaintFormat.PaintSolid, "PaletteIndex": 0, "Alpha": 1.0}
    painted = {"Format": PaintFormat.PaintGlyph, "Glyph": layer, "Paint": fill}
    builder.setupCOLR({name: [(layer, 0)] if version == 0 else painted}, version=version)
    builder.setupCPAL([[(*colour, 1.0)]])
    font.save(path)
    return path
