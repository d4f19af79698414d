"""Caption tracks and chapters in the file of a film.

Each language has its own track of captions, which players can switch on. They identify it by an ISO
639-2 code, which does not distinguish Brazilian from European Portuguese. So the title of a track
is the full language tag.
"""

from __future__ import annotations

import json
from collections import deque
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Final

from av.container import OutputContainer
from av.packet import Packet
from av.stream import Disposition, Stream

from app.render.captions.cues import Cue
from app.render.captions.texts import Texts
from app.render.captions.writer import directed
from app.render.model.storyboard import Container, Storyboard
from app.render.text.breaks import joined
from app.render.text.languages import bibliographic, terminological

if TYPE_CHECKING:  # only in the library's stubs
    from av.container.core import Chapter

#: Time base of captions and chapters.
_MILLISECONDS: Final = Fraction(1, 1000)
#: Longest chapter title in MP4 (``chpl``), in bytes. FFmpeg would cut inside a character.
_CHAPTER_BYTES: Final = 255
#: ASS header from which FFmpeg makes the style of a text track: white, bottom centre.
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
class Captions:
    """The captions of a film in one language.

    Attributes:
        language: BCP 47 tag.
        cues: The cues, in order.
    """

    language: str
    cues: tuple[Cue, ...]


@dataclass(frozen=True, slots=True)
class Tracks:
    """The caption tracks and chapters of a film.

    Attributes:
        captions: Captions in each language. The first is the default track.
        chapters: Start in ms, end in ms, and title of each chapter.
    """

    captions: tuple[Captions, ...] = ()
    chapters: tuple[tuple[int, int, str], ...] = ()


def tracks_of(storyboard: Storyboard, texts: Texts) -> Tracks:
    """Return the tracks of a film. Captions in its own language come first."""
    chapters = () if texts.chapters is None else json.loads(texts.chapters)["chapters"]
    captions = (
        Captions(storyboard.language, texts.cues),
        *(Captions(one.language, one.cues) for one in texts.translations),
    )
    return Tracks(
        captions=tuple(one for one in captions if one.cues),
        chapters=tuple(
            (round(one["startTime"] * 1000), round(one["endTime"] * 1000), one["title"])
            for one in chapters
        ),
    )


class CaptionTracks:
    """Adds chapters and caption tracks to a new file, and writes cues as they are due.

    Args:
        output: The open file, before its first packet.
        container: Its container. MP4 carries 3GPP timed text, WebM carries WebVTT.
        tracks: The captions and chapters.
    """

    def __init__(self, output: OutputContainer, container: Container, tracks: Tracks) -> None:
        self._output = output
        self._container = container
        if tracks.chapters:
            output.set_chapters(
                [_chapter(*entry, container) for entry in enumerate(tracks.chapters, 1)]
            )
        streams = [self._add_track(one.language) for one in tracks.captions]
        for stream in streams[:1]:
            stream.disposition = Disposition.default
        due = [
            (stream, cue)
            for stream, one in zip(streams, tracks.captions, strict=True)
            for cue in one.cues
        ]
        self._pending = deque(sorted(due, key=lambda pair: pair[1].start_seconds))

    def write_until(self, seconds: float) -> None:
        """Write the cues that start at ``seconds`` or earlier."""
        while self._pending and self._pending[0][1].start_seconds <= seconds:
            stream, cue = self._pending.popleft()
            text = "\n".join(directed(cue.lines)).encode()
            if self._container == "mp4":
                text = len(text).to_bytes(2, "big") + text
            packet = Packet(text)
            packet.stream = stream
            packet.time_base = _MILLISECONDS
            packet.pts = packet.dts = round(cue.start_seconds * 1000)
            packet.duration = round(cue.end_seconds * 1000) - packet.pts
            packet.is_keyframe = True
            self._output.mux(packet)

    def _add_track(self, language: str) -> Stream:
        if self._container == "webm":
            stream = self._output.add_mux_stream("webvtt")
            code = bibliographic(language)
        else:
            text = self._output.add_stream("mov_text")
            text.codec_context.subtitle_header = _STYLE
            text.codec_context.time_base = _MILLISECONDS
            stream, code = text, terminological(language)
        stream.time_base = _MILLISECONDS
        stream.metadata.update(language=code, title=language)
        return stream


def _chapter(number: int, chapter: tuple[int, int, str], container: Container) -> Chapter:
    start, end, title = chapter
    return {
        "id": number,
        "start": start,
        "end": end,
        "time_base": _MILLISECONDS,
        "metadata": {"title": _shortened(title) if container == "mp4" else title},
    }


def _shortened(title: str) -> str:
    """Return a title that fits into MP4's limit, cut between characters."""
    end = len(title)
    if len(title.encode()) <= _CHAPTER_BYTES:
        return title
    while len(f"{title[:end]}…".encode()) > _CHAPTER_BYTES or joined(title, end):
        end -= 1
    return f"{title[:end].rstrip()}…"
