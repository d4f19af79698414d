from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import pytest
from av.packet import Packet
from numpy.typing import NDArray

from app.render.sound import encoding
from app.render.sound.codec import AAC, OPUS, AudioCodec
from app.render.sound.encoding import decoded, encoded
from app.render.sound.filters import audio_frame

TIME = np.arange(2 * 48_000) / 48_000
#: Two sweeps: no part of them is like another, so that a delay shows.
SWEEPS = [0.4 * np.sin(2 * np.pi * (start * TIME + 300 * TIME**2)) for start in (200, 500)]
SOUND = np.stack(SWEEPS, axis=1).astype(np.float32)


@pytest.mark.parametrize("codec", [AAC, OPUS], ids=lambda codec: codec.encoder)
def test_what_is_decoded_is_what_was_encoded_from_its_first_sample(codec: AudioCodec) -> None:
    packets = list(encoded(np.array_split(SOUND, 5), codec=codec))
    heard = np.concatenate(list(decoded(packets, codec=codec)))
    assert len(SOUND) <= len(heard) <= len(SOUND) + 1024
    assert np.abs(heard[20_000:70_000] - SOUND[20_000:70_000]).max() < 0.05
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


def silence(samples: int) -> NDArray[np.float32]:
    return np.zeros((samples, 2), np.float32)


def pauses(number: int) -> list[NDArray[np.float32]]:
    """Return noise, a loud tone or hiss, in turn with silence of odd lengths."""
    random = np.random.default_rng(number)
    noise = random.normal(0, 0.5 if number % 2 else 1e-5, (70_001, 2)).clip(-1, 1)
    parts = [silence(90_000 + 17 * number), noise, silence(150_007), SOUND * 2.2, silence(100_000)]
    return parts[number // 2 % 2 :]


def told(packets: Iterable[Packet[Any]]) -> list[Any]:
    return [
        (bytes(one), one.pts, one.dts, one.duration, one.is_keyframe, one.time_base)
        for one in packets
    ]


@pytest.mark.parametrize("number", range(4))
@pytest.mark.parametrize("size", [48_000, 5000])
def test_silence_that_is_repeated_has_the_bytes_of_silence_that_is_encoded(
    number: int, size: int
) -> None:
    whole = np.concatenate(pauses(number)).astype(np.float32)
    blocks = [whole[at : at + size] for at in range(0, len(whole), size)]
    repeated, every = (told(encoded(blocks, codec=AAC, replay=on)) for on in (True, False))
    assert repeated == every


@pytest.mark.parametrize(("codec", "most"), [(AAC, 20), (OPUS, 100)])
def test_a_silent_film_is_hardly_encoded_and_has_the_same_bytes(
    codec: AudioCodec, most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocks = [*[silence(48_000)] * 30, silence(1601)]
    every = told(encoded(blocks, codec=codec, replay=False))
    given: list[int] = []

    def frame(block: NDArray[np.float32], **options: Any) -> Any:
        given.append(len(block))
        return audio_frame(block, **options)

    monkeypatch.setattr(encoding, "audio_frame", frame)
    assert told(encoded(blocks, codec=codec)) == every
    assert sum(given) <= most / 100 * sum(map(len, blocks))
    assert every[-1][1] + every[-1][3] == sum(map(len, blocks))
