"""Checks the caption tracks of the film, gaps in its sound, and the start of each narration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

from app.render.inspect.captions import MARKS, ParsedCue
from app.render.inspect.rules import Check, Rule
from app.render.inspect.video import DEMUXERS
from app.render.sound.onsets import Shape, loudness

#: Tolerance in seconds: caption files and tracks round to milliseconds in different ways.
_ROUNDING: Final = 0.0015
#: Largest error of a narration's start, in seconds.
_LATE: Final = 0.010

SOFT_TRACK: Final = Rule("Captions", "soft-track", "same times and text as the caption files")
GAPS: Final = Rule("Sound", "audio-gaps", "none between packets")
ONSET: Final = Rule("Sound", "narration-start", "within 10 ms of its planned time")


def track_checks(path: Path, written: Sequence[Sequence[ParsedCue]]) -> Iterator[Check]:
    """Yield the checks of the film's tracks.

    Args:
        path: The film.
        written: The cues of each caption file. The file in the film's own language comes first.

    Raises:
        av.FFmpegError: The film cannot be read.
    """
    with av.open(str(path), format=DEMUXERS[path.suffix]) as container:
        sound, texts = container.streams.audio[0], container.streams.subtitles
        found: dict[int, list[ParsedCue]] = {stream.index: [] for stream in texts}
        stamps: list[float] = []
        for packet in container.demux(sound, *texts):
            if packet.pts is None or packet.time_base is None:
                continue
            if packet.stream.index == sound.index:
                stamps.append(float(packet.pts * packet.time_base))
                continue
            cue = _cue(packet, prefixed=path.suffix == ".mp4")
            if cue is not None:
                found[packet.stream.index].append(cue)
    yield _gaps(stamps)
    yield _soft(list(found.values()), written)


def _gaps(stamps: Sequence[float]) -> Check:
    # All packets of a codec have the same length. The stated durations are no help: MP4 stretches
    # the packet before a gap.
    steps = [after - before for before, after in pairwise(stamps)]
    usual = median(steps) if steps else 0.0
    gaps = sum(abs(step - usual) > _ROUNDING for step in steps)
    return GAPS.check(f"{gaps} in {len(stamps)} packets", holds=not gaps)


def _cue(packet: av.Packet[Any], *, prefixed: bool) -> ParsedCue | None:
    """Return the cue of a packet. None if it only ends the cue before it, as in 3GPP timed text."""
    content = bytes(packet)
    if prefixed:
        content = content[2 : 2 + int.from_bytes(content[:2], "big")]
    if not content or packet.pts is None or packet.time_base is None:
        return None
    start, length = packet.pts * packet.time_base, (packet.duration or 0) * packet.time_base
    lines = content.decode(errors="replace").translate(MARKS).split("\n")
    return ParsedCue(float(start), float(start + length), tuple(lines))


def _soft(found: Sequence[Sequence[ParsedCue]], written: Sequence[Sequence[ParsedCue]]) -> Check:
    if not found and not written:
        return SOFT_TRACK.not_applicable("no captions")
    foreign = sum(not any(_same(track, cues) for cues in written) for track in found)
    own = any(_same(track, written[0]) for track in found) if written else False
    measured = f"cues per track: {', '.join(str(len(track)) for track in found)}"
    if not found:
        measured = "the film has no caption track"
    elif foreign or not own:
        measured += "; not those of the caption files"
    return SOFT_TRACK.check(measured, holds=own and not foreign)


def _same(track: Sequence[ParsedCue], cues: Sequence[ParsedCue]) -> bool:
    return len(track) == len(cues) and all(
        one.lines == other.lines
        and abs(one.start - other.start) <= _ROUNDING
        and abs(one.end - other.end) <= _ROUNDING
        for one, other in zip(track, cues, strict=True)
    )


def onset_checks(
    timeline: Sequence[Mapping[str, Any]], blocks: Iterator[NDArray[np.float32]]
) -> Iterator[Check]:
    """Yield the check that each narration is heard at its planned time.

    Args:
        timeline: The steps, as in the manifest.
        blocks: The film's sound in blocks of shape (n, 2): float32 at 48 kHz.
    """
    spoken = [step["narration"] for step in timeline if step.get("narration")]
    known = [entry for entry in spoken if "shape" in entry]
    if not known:
        yield ONSET.not_applicable(
            "no narration" if not spoken else "every recording is silent or too short"
        )
        return
    film = loudness(blocks)
    delays = [Shape.of_json(entry).late_by(film, float(entry["startSec"])) for entry in known]
    lost = [str(entry["assetId"]) for entry, by in zip(known, delays, strict=True) if by is None]
    worst = max((abs(by) for by in delays if by is not None), default=0.0)
    measured = f"up to {worst * 1000:.0f} ms off; narrations: {len(known)}"
    if lost:
        measured = f"not heard near its planned time: {', '.join(lost[:3])}"
    yield ONSET.check(measured, holds=not lost and worst <= _LATE)
