#!/bin/sh
# The guess: FFmpeg reads the text of WebVTT cues as browsers do.
# What happens: it decodes six character references (&amp; &lt; &gt; &nbsp; &lrm; &rlm;). All others that HTML has are
# valid in WebVTT too, by name and by number, and stay as they are written: viewers read "caf&eacute;". The reading of
# a word (<ruby>…<rt>…</rt></ruby>) runs into the word.
# Versions: PyAV 18.1.0 with its FFmpeg 8.1.2.
# Why it matters: a tool that converts captions with FFmpeg (to SubRip, into MP4) shows markup to viewers. The
# specification (https://www.w3.org/TR/webvtt1/, 6.4) has HTML's character references, and Chromium decodes them.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" --quiet --disable-pip-version-check install av==18.1.0
"$folder/venv/bin/python" - <<'PYTHON'
import io
import sys

import av

TEXTS = {
    "&amp; &lt;b&gt;": "& <b>",
    "caf&eacute;": "caf&eacute;",
    "&#233; &#x1F3B2;": "&#233; &#x1F3B2;",
    "&copy; &quot;x&quot;": "&copy; &quot;x&quot;",
    "<ruby>漢字<rt>かんじ</rt></ruby>を": "漢字かんじを",
}


def shown(text: str) -> str:
    content = f"WEBVTT\n\n00:01.000 --> 00:02.000\n{text}\n"
    with av.open(io.BytesIO(content.encode()), "r", format="webvtt") as file:
        events = [event for packet in file.demux() for event in packet.decode()]
    return events[0].ass.decode().split(",", 8)[8]


print("PyAV", av.__version__, "FFmpeg", av.ffmpeg_version_info)
changed = False
for text, expected in TEXTS.items():
    found = shown(text)
    changed = changed or found != expected
    print(f"{text} is shown as {found}")
sys.exit("this has changed" if changed else 0)
PYTHON
