from __future__ import annotations

import av
import numpy as np
import pytest
from av.packet import Packet
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from app.render.model.storyboard import Container, Quality
from app.render.picture.compose import Run
from app.render.video.encoder import Form, open_encoder, to_frame
from app.render.video.segments import Coded, parted
from tests.render.encoded import Shown, busy, coded, plain, steps_of

FORM = Form("mp4", 320, 180, 30, "standard")
#: PSNR in dB above which a difference is not seen.
UNSEEN = 52.0


def tutorial(width: int, height: int) -> list[Shown]:
    """Holds that are long, short, at the end of a step, before a change, and single frames."""
    first, second, third = (busy(seed, width=width, height=height) for seed in range(3))
    ground = plain((15, 23, 42), width=width, height=height)
    return [
        (first, 200, True), (second, 131, False), (third, 70, False), (first, 403, False),
        (third, 1, True), (second, 2, False), (third, 1, False), (first, 5, False),
        (ground, 600, True),
        (second, 64, True), (ground, 65, False), (first, 129, False),
    ]  # fmt: skip


def words(text: str) -> NDArray[np.uint8]:
    """Draw words on a plain ground."""
    image = Image.fromarray(plain((15, 23, 42)))
    for line in range(8):
        ImageDraw.Draw(image).text((30, 20 * line + 12), f"{line + 1}. {text} {text}")
    return np.asarray(image)


def decoded(packets: list[Coded], form: Form, *, threads: int = 1) -> list[NDArray[np.uint8]]:
    decoder = av.CodecContext.create("h264" if form.container == "mp4" else "vp9", "r")
    decoder.extradata, decoder.thread_count = open_encoder(form).extradata, threads
    frames = [frame for packet in packets for frame in decoder.decode(Packet(packet.data))]
    return [frame.to_ndarray().astype(np.uint8) for frame in [*frames, *decoder.decode(None)]]


def psnr(frame: NDArray[np.uint8], picture: NDArray[np.uint8]) -> float:
    error = np.square(frame.astype(float) - to_frame(picture).to_ndarray()).mean()
    return float(10 * np.log10(255**2 / error))


@pytest.mark.parametrize(
    "form",
    [
        Form("mp4", 160, 90, 24, "draft"),
        Form("mp4", 160, 90, 30, "standard"),
        Form("mp4", 160, 90, 60, "high"),
        Form("mp4", 320, 180, 30, "draft"),
        Form("mp4", 90, 160, 25, "high"),
        Form("webm", 160, 90, 30, "draft"),
        Form("webm", 160, 90, 24, "standard"),
    ],
)
@pytest.mark.parametrize("decoders", [1, 4])
def test_every_frame_of_a_hold_is_decoded_alike_and_none_is_lost(form: Form, decoders: int) -> None:
    for step in steps_of(tutorial(form.width, form.height)):
        frames = decoded(list(coded(step, form)), form, threads=decoders)
        assert len(frames) == sum(count for _, count, _ in step)
        at = 0
        for _, count, _ in step:
            held = frames[at : at + count]
            assert all(np.array_equal(held[0], frame) for frame in held[1:])
            at += count


@pytest.mark.parametrize("count", [2, 11, 12, 13, 16, 17, 20, 60])
def test_a_hold_of_any_length_is_whole(count: int) -> None:
    shown: list[Shown] = [(busy(1), count, True), (busy(2), 3, False), (busy(1), count, False)]
    frames = decoded(list(coded(shown, FORM)), FORM)
    assert len(frames) == 2 * count + 3
    assert all(np.array_equal(frames[0], frame) for frame in frames[:count])
    assert all(np.array_equal(frames[-1], frame) for frame in frames[-count:])


def test_what_moves_after_a_hold_is_decoded_as_the_encoder_meant_it() -> None:
    """The encoder knows nothing of the frames between: without drift, they change nothing."""
    move = [busy(seed) for seed in range(2, 6)]
    shown: list[Shown] = [(busy(1), 40, True), *((picture, 1, False) for picture in move)]
    direct: list[Shown] = [(busy(1), 1, True), *((picture, 1, False) for picture in move)]
    held = busy(1)
    encoder = open_encoder(FORM, held=to_frame(held))
    own = []
    for number, (picture, _, _) in enumerate(direct):
        frame = to_frame(picture)
        frame.pts, frame.time_base = number, encoder.time_base
        own += [Coded(bytes(packet), keyframe=False) for packet in encoder.encode(frame)]
    own += [Coded(bytes(packet), keyframe=False) for packet in encoder.encode(None)]
    ours, theirs = decoded(list(coded(shown, FORM)), FORM), decoded(own, FORM)
    assert len(theirs) == 5
    assert all(np.array_equal(one, two) for one, two in zip(ours[40:], theirs[1:], strict=True))


@pytest.mark.parametrize("quality", ["draft", "standard", "high"])
@pytest.mark.parametrize("grain", [None, 0, 6])
def test_a_hold_is_as_good_as_one_that_is_encoded_frame_by_frame(
    quality: Quality, grain: int | None
) -> None:
    form = Form("mp4", 320, 180, 30, quality)
    noise = np.random.default_rng(0).normal(0, grain or 0, (180, 320, 3))
    first, last = (np.clip(busy(seed) + noise, 0, 255).astype(np.uint8) for seed in (1, 2))
    if grain is None:
        first, last = words("Shuffle the cards."), words("Deal four to each.")
    slide: list[Shown] = [(np.roll(first, 4 * n, axis=1), 1, False) for n in range(1, 8)]
    shown: list[Shown] = [(first, 45, True), *slide, (last, 45, False)]
    sizes = {}
    quality_of = {}
    for replay in (True, False):
        packets = list(coded(shown, form, replay=replay))
        frames = decoded(packets, form)
        sizes[replay] = sum(len(packet.data) for packet in packets)
        quality_of[replay] = [psnr(frames[44], first), psnr(frames[-1], last)]
    for ours, theirs in zip(quality_of[True], quality_of[False], strict=True):
        assert ours > min(theirs - 0.5, UNSEEN)
    assert sizes[True] < 1.05 * sizes[False]


@pytest.mark.parametrize("container", ["mp4", "webm"])
def test_a_long_hold_has_a_keyframe_every_ten_seconds(container: Container) -> None:
    form = Form(container, 160, 90, 10, "draft")
    picture = busy(1, width=160, height=90)
    frames = list(coded([(picture, 349, True)], form))
    keys = [number for number, frame in enumerate(frames) if frame.keyframe]
    assert keys == [0, 100, 200, 300]
    whole = decoded(frames, form)
    assert len(whole) == 349
    for key in keys:
        shown = decoded(frames[key:], form)
        assert len(shown) == 349 - key
        assert np.array_equal(shown[0], whole[0])
    assert len(frames[100].data) <= len(frames[0].data)


def test_a_hold_behind_a_single_frame_has_no_two_keyframes_in_a_row() -> None:
    frames = list(coded([(busy(1), 1, True), (busy(2), 40, False)], FORM))
    assert [number for number, frame in enumerate(frames) if frame.keyframe] == [0, 2]
    assert len(decoded(frames, FORM)) == 41


def test_a_hold_costs_its_picture_alone() -> None:
    frames = list(coded([(busy(1), 299, True)], FORM))
    assert sum(len(frame.data) for frame in frames[1:]) < 30 * 298


def test_a_segment_depends_on_its_own_pictures_alone() -> None:
    step: list[Shown] = [(busy(3), 40, True), (busy(4), 90, False)]
    alone = list(coded(step, FORM))
    list(coded([(busy(5), 70, True)], FORM))
    assert list(coded(step, FORM)) == alone
    assert [number for number, frame in enumerate(alone) if frame.keyframe] == [0, 40]


def test_every_segment_of_a_form_has_the_same_headers() -> None:
    encoder = open_encoder(FORM)
    assert encoder.extradata
    assert encoder.extradata == open_encoder(FORM).extradata


def test_a_step_that_moves_for_long_has_segments_of_about_equal_length() -> None:
    form = Form("mp4", 160, 90, 10, "draft")
    moving = tuple(Run(0, frame, 1) for frame in range(230))
    held = (*moving[:5], Run(0, 5, 6000), Run(0, 6005, 1))
    assert [len(part) for part in parted(moving, form)] == [76, 77, 77]
    assert [run for part in parted(moving, form) for run in part] == list(moving)
    assert list(parted(moving[:100], form)) == [moving[:100]]
    assert list(parted(held, form)) == [held], "a hold costs one picture, however long"
    packets = [
        packet
        for part in parted(moving, form)
        for packet in coded(
            [(busy(run.start_frame % 7, width=160, height=90), 1, False) for run in part], form
        )
    ]
    assert [at for at, packet in enumerate(packets) if packet.keyframe] == [0, 76, 153]
    assert len(decoded(packets, form)) == 230
