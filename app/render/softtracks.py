"""What a film carries beside picture and sound: captions that can be switched on, and chapters."""

from __future__ import annotations

import json
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from av.packet import Packet

from app.render.captionformats import directed
from app.render.chapters import chapters_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from av.container import OutputContainer
    from av.container.core import Chapter
    from av.stream import Stream

    from app.render.captions import Cue
    from app.render.encoder import Container
    from app.render.storyboard import Storyboard

#: Time base of captions and chapters.
_MILLISECONDS: Final = Fraction(1, 1000)
#: ISO 639-2 codes, which containers want, of two-letter ones; others are stated as undetermined.
_LANGUAGES: Final = {
    "ar": "ara", "bg": "bul", "cs": "ces", "da": "dan", "de": "deu", "el": "ell", "en": "eng",
    "es": "spa", "et": "est", "fa": "fas", "fi": "fin", "fr": "fra", "he": "heb", "hi": "hin",
    "hr": "hrv", "hu": "hun", "id": "ind", "it": "ita", "ja": "jpn", "ko": "kor", "lt": "lit",
    "lv": "lav", "nb": "nob", "nl": "nld", "no": "nor", "pl": "pol", "pt": "por", "ro": "ron",
    "ru": "rus", "sk": "slk", "sl": "slv", "sr": "srp", "sv": "swe", "th": "tha", "tr": "tur",
    "uk": "ukr", "vi": "vie", "zh": "zho",
}  # fmt: skip
#: From which FFmpeg makes the description of a text track: white, at the bottom, in the middle.
_STYLE: Final = b"""[Script Info]
ScriptType: v4.00+
PlayResX: 384
PlayResY: 288

[V4+ Styles]
Format: Name, Fontname, Fontsize, PrimaryColour, SecondaryColour, OutlineColour, BackColour, \
Bold, Italic, Underline, StrikeOut, ScaleX, ScaleY, Spacing, Angle, BorderStyle, Outline, \
Shadow, Alignment, MarginL, MarginR, MarginV, Encoding
Style: Default,Arial,16,&Hffffff,&Hffffff,&H0,&H0,0,0,0,0,100,100,0,0,1,1,0,2,10,10,10,1

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
"""


@dataclass(frozen=True, slots=True)
class Tracks:
    """The captions of a film, in order, and its chapters as (start ms, end ms, title)."""

    cues: tuple[Cue, ...] = ()
    language: str = ""
    chapters: tuple[tuple[int, int, str], ...] = ()


def tracks_of(storyboard: Storyboard, cues: Sequence[Cue]) -> Tracks:
    """Return the tracks of ``storyboard``; its chapters are those of chapters.json."""
    found = chapters_json(storyboard)
    chapters = () if found is None else json.loads(found)["chapters"]
    return Tracks(
        cues=tuple(cues),
        language=storyboard.language,
        chapters=tuple(
            (round(one["startTime"] * 1000), round(one["endTime"] * 1000), one["title"])
            for one in chapters
        ),
    )


class CaptionTrack:
    """Declares the tracks in a film that is not begun, and writes its captions as they are due.

    Args:
        output: Where they go.
        container: Its kind: MP4 carries them as 3GPP timed text, WebM as WebVTT.
        tracks: What to carry.
    """

    def __init__(self, output: OutputContainer, container: Container, tracks: Tracks) -> None:
        self._output = output
        self._container = container
        self._waiting = list(reversed(tracks.cues))
        self._stream: Stream | None = None
        if tracks.chapters:
            output.set_chapters([_chapter(*entry) for entry in enumerate(tracks.chapters, 1)])
        if tracks.cues:
            self._stream = self._declared()
            code = _LANGUAGES.get(tracks.language.split("-")[0].lower(), "und")
            self._stream.metadata["language"] = code

    def write_until(self, seconds: float) -> None:
        """Write the captions that begin up to ``seconds`` of the film."""
        while self._stream and self._waiting and self._waiting[-1].start_seconds <= seconds:
            cue = self._waiting.pop()
            text = "\n".join(directed(cue.lines)).encode()
            if self._container == "mp4":
                text = len(text).to_bytes(2, "big") + text
            packet = Packet(text)
            packet.stream = self._stream
            packet.time_base = _MILLISECONDS
            packet.pts = packet.dts = round(cue.start_seconds * 1000)
            packet.duration = round(cue.end_seconds * 1000) - packet.pts
            packet.is_keyframe = True
            self._output.mux(packet)

    def _declared(self) -> Stream:
        if self._container == "webm":
            stream = self._output.add_mux_stream("webvtt")
        else:
            text = self._output.add_stream("mov_text")
            text.codec_context.subtitle_header = _STYLE
            text.codec_context.time_base = _MILLISECONDS
            stream = text
        stream.time_base = _MILLISECONDS
        return stream


def _chapter(number: int, chapter: tuple[int, int, str]) -> Chapter:
    start, end, title = chapter
    return {
        "id": number,
        "start": start,
        "end": end,
        "time_base": _MILLISECONDS,
        "metadata": {"title": title},
    }
