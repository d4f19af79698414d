#!/bin/sh
# The guess: FFmpeg writes a chapter's title into MP4 whole, or refuses it.
# What happens: MP4 has the title twice. The track of titles has all of it; the list of chapters (chpl) has its first
# 255 bytes, cut inside a character without a word. FFmpeg itself reads the track, so ffprobe does not show it.
# Versions: PyAV 18.1.0 with its FFmpeg 8.1.2.
# Why it matters: players that read the list get text that is not UTF-8. A title of 90 Japanese characters or 64 emoji is enough.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install av==18.1.0
"$folder/venv/bin/python" - "$folder/film.mp4" <<'PYTHON'
import sys
from fractions import Fraction
from pathlib import Path

import av

path, title = sys.argv[1], "1" + "札" * 90
with av.open(path, "w") as film:
    chapter = {"id": 1, "start": 0, "end": 1000, "time_base": Fraction(1, 1000)}
    film.set_chapters([chapter | {"metadata": {"title": title}}])
    stream = film.add_stream("mpeg4", rate=24)
    stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
    for _ in range(24):
        film.mux(stream.encode(av.VideoFrame(64, 48, "yuv420p")))
    film.mux(stream.encode())

content = Path(path).read_bytes()
# After the type: version and flags (4 bytes), reserved (4), count (1), start (8), length of the title (1).
length = content.index(b"chpl") + 4 + 17
listed = content[length + 1 : length + 1 + content[length]]
with av.open(path) as film:
    read = film.chapters()[0]["metadata"]["title"]

print("PyAV", av.__version__, "FFmpeg", av.ffmpeg_version_info)
print(f"title: {len(title.encode())} bytes; in the track of titles: {len(read.encode())} bytes")
print(f"in the list of chapters: {len(listed)} bytes, {listed.decode(errors='replace')[-4:]!r} at the end")
try:
    listed.decode()
    whole = True
except UnicodeDecodeError as error:
    print("they are not UTF-8:", error.reason)
    whole = False
sys.exit("this has changed" if whole or read != title or len(listed) != 255 else 0)
PYTHON
