"""What a film carries, held against the files beside it: captions; and its sound without gaps."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

from app.render.inspect.captions import MARKS, ReadCue
from app.render.inspect.rules import Check, Rule
from app.render.inspect.video import DEMUXERS
from app.render.sound.onsets import Shape, loudness

#: Caption files are rounded inwards to milliseconds, tracks to the nearest.
_ROUNDING: Final = 0.0015
#: A narration may begin so much too early or late, in seconds.
_LATE: Final = 0.010

SOFT_TRACK: Final = Rule("Captions", "soft-track", "the cues of captions.srt: times and text")
GAPS: Final = Rule("Sound", "audio-gaps", "each packet begins where the one before ends")
ONSET: Final = Rule("Sound", "narration-start", "within 10 ms of its place in its step")


def track_checks(path: Path, written: Sequence[Sequence[ReadCue]]) -> Iterator[Check]:
    """Yield the checks of the film's tracks.

    Args:
        path: The film.
        written: The cues of every caption file, the film's own language first.

    Raises:
        av.FFmpegError: It cannot be read.
    """
    with av.open(str(path), format=DEMUXERS[path.suffix]) as container:
        sound, texts = container.streams.audio[0], container.streams.subtitles
        found: dict[int, list[ReadCue]] = {stream.index: [] for stream in texts}
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
    # All packets of a codec are of one length. What a container states is no help: MP4 makes the
    # packet before a gap longer.
    steps = [after - before for before, after in pairwise(stamps)]
    usual = median(steps) if steps else 0.0
    holes = sum(abs(step - usual) > _ROUNDING for step in steps)
    return GAPS.check(f"{holes} in {len(stamps)} packets", holds=not holes)


def _cue(packet: av.Packet[Any], *, prefixed: bool) -> ReadCue | None:
    """Return the cue of a packet; None where it only ends the one before (3GPP timed text)."""
    content = bytes(packet)
    if prefixed:
        content = content[2 : 2 + int.from_bytes(content[:2], "big")]
    if not content or packet.pts is None or packet.time_base is None:
        return None
    start, length = packet.pts * packet.time_base, (packet.duration or 0) * packet.time_base
    lines = content.decode(errors="replace").translate(MARKS).split("\n")
    return ReadCue(float(start), float(start + length), tuple(lines))


def _soft(found: Sequence[Sequence[ReadCue]], written: Sequence[Sequence[ReadCue]]) -> Check:
    if not found and not written:
        return SOFT_TRACK.not_applicable("no captions")
    strange = sum(not any(_same(track, cues) for cues in written) for track in found)
    own = any(_same(track, written[0]) for track in found) if written else False
    told = f"{', '.join(str(len(track)) for track in found)} cues in {len(found)}"
    if strange or not own:
        told += "; other cues than the file" if found else ": the film has none"
    return SOFT_TRACK.check(told, holds=own and not strange)


def _same(track: Sequence[ReadCue], cues: Sequence[ReadCue]) -> bool:
    return len(track) == len(cues) and all(
        one.lines == other.lines
        and abs(one.start - other.start) <= _ROUNDING
        and abs(one.end - other.end) <= _ROUNDING
        for one, other in zip(track, cues, strict=True)
    )


def onset_checks(
    timeline: Sequence[Mapping[str, Any]], blocks: Iterator[NDArray[np.float32]]
) -> Iterator[Check]:
    """Yield whether each narration is heard where its step says.

    Args:
        timeline: That of the manifest.
        blocks: The film's sound, (n, 2) samples at 48 kHz.
    """
    spoken = [step["narration"] for step in timeline if step.get("narration")]
    known = [entry for entry in spoken if "shape" in entry]
    if not known:
        yield ONSET.not_applicable(
            "no narration" if not spoken else "its recordings are silent or too short"
        )
        return
    film = loudness(blocks)
    late = [Shape.of_json(entry).late_by(film, float(entry["startSec"])) for entry in known]
    lost = [str(entry["assetId"]) for entry, by in zip(known, late, strict=True) if by is None]
    worst = max((abs(by) for by in late if by is not None), default=0.0)
    told = f"{len(known)} within {worst * 1000:.0f} ms"
    if lost:
        told = f"not heard where it should be: {', '.join(lost[:3])}"
    yield ONSET.check(told, holds=not lost and worst <= _LATE)
