"""Caches the mastered sound of a film, which most edits do not change.

An entry of the step cache holds it. Its first frame is JSON: the report, the warnings, and the pts
and duration of each packet. The other frames are the packets.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from fractions import Fraction
from typing import Any, Final

from av.packet import Packet

from app.render.model.sound import SAMPLE_RATE, LoudnessTarget, SoundOptions
from app.render.model.storyboard import Storyboard
from app.render.sound.codec import AAC, AudioCodec
from app.render.sound.decoding import takes
from app.render.sound.soundtrack import SoundReport, Soundtrack
from app.render.video.segments import Coded
from app.render.video.stepcache import StepCache, Stored
from app.render.video.stepkey import sound_key

_TICK: Final = Fraction(1, SAMPLE_RATE)


def soundtrack(
    storyboard: Storyboard,
    wishes: SoundOptions,
    *,
    codec: AudioCodec,
    music_seconds: float,
    cache: StepCache | None,
) -> Soundtrack | CachedSound:
    """Return the sound of a film, from the cache if possible.

    Silence is not cached because it is cheap to make. Opus is not cached because the trimming of
    its last packet is side data, which PyAV can read but not write.

    Args:
        storyboard: Storyboard of the film, with its narrations.
        wishes: Music, ducking and loudness.
        codec: Codec of the film's sound.
        music_seconds: Duration of the music's recording in seconds.
        cache: The cache, or None.

    Raises:
        AssetFailed: A recording cannot be decoded.
    """
    recordings = tuple(takes(storyboard))
    if cache is None or codec is not AAC or not (recordings or wishes.music):
        return Soundtrack(storyboard, wishes, codec=codec, music_seconds=music_seconds)
    length = (storyboard.frames, storyboard.fps)
    key = sound_key(recordings, wishes, music_seconds, length)
    stored = cache.find(key)
    if stored is not None:
        return CachedSound(stored)
    made = Soundtrack(storyboard, wishes, codec=codec, music_seconds=music_seconds)
    _store(made, cache, key)
    return made


class CachedSound:
    """Cached sound, with the interface of :class:`app.render.sound.soundtrack.Soundtrack`.

    Attributes:
        report: Measurements of the sound.
        warnings: Warnings about what a listener may notice.
    """

    def __init__(self, stored: Stored) -> None:
        head, *packets = (coded.data for coded in stored)
        document = json.loads(head)
        target = LoudnessTarget(**document["report"].pop("target"))
        self.report = SoundReport(target=target, **document["report"])
        self.warnings: tuple[str, ...] = tuple(document["warnings"])
        self._packets = list(zip(packets, document["times"], strict=True))

    def packets(self) -> Iterator[Packet[Any]]:
        """Yield the encoded packets in order."""
        for data, (pts, duration) in self._packets:
            packet = Packet(data)
            packet.pts = packet.dts = pts
            packet.duration, packet.time_base = duration, _TICK
            packet.is_keyframe = True
            yield packet


def _store(made: Soundtrack, cache: StepCache, key: str) -> None:
    packets = list(made.packets())
    document = {
        "report": asdict(made.report),
        "warnings": made.warnings,
        "times": [(packet.pts, packet.duration) for packet in packets],
    }
    with cache.keeping(key) as keep:
        keep(Coded(json.dumps(document).encode(), keyframe=True))
        for packet in packets:
            keep(Coded(bytes(packet), keyframe=True))
