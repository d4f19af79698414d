#!/bin/sh
# Pillow's exif_transpose turns a picture by XMP, and fails on EXIF tags that it does not need.
#
# Guess: ImageOps.exif_transpose looks for the orientation in EXIF, turns the picture as browsers do,
# and lets all other metadata be.
# What happens: without an orientation in EXIF it takes tiff:Orientation out of XMP, which browsers
# ignore: Chromium shows the same file unturned. And after a turn it writes all of EXIF anew, so any
# tag whose value has an odd type (here a resolution stored as text) ends in an exception, although
# the picture and its orientation are fine.
# Why it matters: edited pictures whose editor turned the pixels and left an old tiff:Orientation in
# XMP come out sideways, and pictures of some cameras cannot be opened at all.
#
# Versions: Pillow 13.0.0
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0
"$work/venv/bin/python" - <<'PYTHON'
import io
import struct

import PIL
from PIL import Image, ImageOps

print("Pillow", PIL.__version__)


def opened(**said):
    buffer = io.BytesIO()
    Image.new("RGB", (40, 20)).save(buffer, "JPEG", **said)
    return Image.open(io.BytesIO(buffer.getvalue()))


xmp = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    b'syntax-ns#"><rdf:Description xmlns:tiff="http://ns.adobe.com/tiff/1.0/"'
    b' tiff:Orientation="6"/></rdf:RDF></x:xmpmeta>'
)
by_xmp = ImageOps.exif_transpose(opened(xmp=xmp)).size
print("40x20 with an orientation in XMP alone becomes", by_xmp)

# Orientation 6 as SHORT, and XResolution as text instead of a rational.
entries = struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0) + struct.pack(">HHI4s", 0x011A, 2, 4, b"72\0\0")
exif = b"Exif\0\0MM\0*" + struct.pack(">IH", 8, 2) + entries + bytes(4)
try:
    ImageOps.exif_transpose(opened(exif=exif))
    failed = ""
except Exception as error:
    failed = f"{type(error).__name__}: {error}"
print("EXIF with a resolution stored as text:", failed or "turned")
assert by_xmp == (20, 40), "XMP no longer turns a picture"
assert failed, "odd tags no longer end in an exception"
print("as described")
PYTHON
