"""The film's sound from the step cache: most edits leave it as it is, and mastering takes seconds.

An entry's first frame is JSON (report, warnings, and pts and duration of each packet), the
others are its packets.
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
) -> Soundtrack | KeptSound:
    """Return the sound of ``storyboard``: kept from an earlier render, or made and kept.

    Args:
        storyboard: Has the narrations.
        wishes: Music, ducking and loudness.
        codec: How the film will be encoded.
        music_seconds: Length of the music's recording.
        cache: Where it is kept, None for nowhere. Silence is not worth it; Opus tells beside its
            last packet how much of it is to be heard, which PyAV reads and cannot write.
    """
    heard = tuple(takes(storyboard))
    if cache is None or codec is not AAC or not (heard or wishes.music):
        return Soundtrack(storyboard, wishes, codec=codec, music_seconds=music_seconds)
    length = (storyboard.frames, storyboard.fps)
    key = sound_key(heard, wishes, music_seconds, length)
    stored = cache.find(key)
    if stored is not None:
        return KeptSound(stored)
    made = Soundtrack(storyboard, wishes, codec=codec, music_seconds=music_seconds)
    _keep(made, cache, key)
    return made


class KeptSound:
    """A sound that was made before, as :class:`app.render.sound.soundtrack.Soundtrack` tells it.

    Attributes:
        report: What was measured.
        warnings: What a listener may notice.
    """

    def __init__(self, stored: Stored) -> None:
        head, *packets = (coded.data for coded in stored)
        told = json.loads(head)
        target = LoudnessTarget(**told["report"].pop("target"))
        self.report = SoundReport(target=target, **told["report"])
        self.warnings: tuple[str, ...] = tuple(told["warnings"])
        self._packets = list(zip(packets, told["times"], strict=True))

    def packets(self) -> Iterator[Packet[Any]]:
        """Yield the film's sound, encoded."""
        for data, (pts, duration) in self._packets:
            packet = Packet(data)
            packet.pts = packet.dts = pts
            packet.duration, packet.time_base = duration, _TICK
            packet.is_keyframe = True
            yield packet


def _keep(made: Soundtrack, cache: StepCache, key: str) -> None:
    packets = list(made.packets())
    told = {
        "report": asdict(made.report),
        "warnings": made.warnings,
        "times": [(packet.pts, packet.duration) for packet in packets],
    }
    with cache.keeping(key) as keep:
        keep(Coded(json.dumps(told).encode(), keyframe=True))
        for packet in packets:
            keep(Coded(bytes(packet), keyframe=True))
