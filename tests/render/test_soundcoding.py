from __future__ import annotations

import numpy as np
import pytest

from app.render.audiocodec import AAC, OPUS, AudioCodec
from app.render.soundcoding import decoded, encoded

TIME = np.arange(2 * 48_000) / 48_000
#: Two sweeps: no part of them is like another, so that a delay shows.
SWEEPS = [0.4 * np.sin(2 * np.pi * (start * TIME + 300 * TIME**2)) for start in (200, 500)]
SOUND = np.stack(SWEEPS, axis=1).astype(np.float32)


@pytest.mark.parametrize("codec", [AAC, OPUS], ids=lambda codec: codec.encoder)
def test_what_is_decoded_is_what_was_encoded_but_for_the_priming(codec: AudioCodec) -> None:
    packets = list(encoded(np.array_split(SOUND, 5), codec=codec))
    heard = np.concatenate(list(decoded(packets, codec=codec)))
    assert len(SOUND) <= len(heard) <= len(SOUND) + 3 * 1024
    middle = SOUND[40_000:41_000, 1]
    delays = range(3000)
    best = max(delays, key=lambda delay: float(heard[40_000 + delay : 41_000 + delay, 1] @ middle))
    part = heard[20_000 + best : 70_000 + best]
    assert np.abs(part - SOUND[20_000:70_000]).max() < 0.05
    assert packets[0].pts is not None
    assert packets[0].pts * float(packets[0].time_base) == pytest.approx(0, abs=0.03)


@pytest.mark.parametrize("codec", [AAC, OPUS], ids=lambda codec: codec.encoder)
def test_the_same_samples_have_the_same_bytes_however_they_are_cut(codec: AudioCodec) -> None:
    one = [bytes(packet) for packet in encoded([SOUND], codec=codec)]
    many = [bytes(packet) for packet in encoded(np.array_split(SOUND, 37), codec=codec)]
    assert one == many


def test_peaks_above_full_scale_are_not_hidden_by_the_decoder() -> None:
    for codec in (AAC, OPUS):
        loud = np.concatenate(list(decoded(encoded([SOUND * 3], codec=codec), codec=codec)))
        assert np.abs(loud).max() > 1.05


def test_nothing_encoded_is_nothing_decoded() -> None:
    assert list(decoded(iter(()), codec=AAC)) == []
