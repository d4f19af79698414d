from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest

from app.render.audiocodec import CODECS
from app.render.captions import Cue
from app.render.encoder import Container, Form
from app.render.mux import FilmWriter
from app.render.softtracks import Tracks, tracks_of
from app.render.soundcoding import encoded
from tests.render.encoded import Shown, coded, plain, silence
from tests.render.films import make_film, make_step

CUES = (
    Cue(1, "step-1", 0.5, 1.75, ("Take a <card>", "& pass it on.")),
    Cue(2, "step-1", 2.0, 3.5, ("Возьми карту — קח קלף",)),
)
TRACKS = Tracks(
    CUES, "de-AT", ((0, 1500, "Set up"), (1500, 2500, "Spiel & Spaß"), (2500, 4000, "End"))
)


def written(path: Path, container: Container, tracks: Tracks) -> Path:
    form = Form(container, 160, 90, 30, "draft", 1)
    shown: list[Shown] = [(plain((15, 23, 42), width=160, height=90), 120, True)]
    sound = encoded(silence(4), codec=CODECS[container])
    with FilmWriter(path, form, sound=sound, tracks=tracks) as writer:
        for frame in coded(shown, form):
            writer.write(frame)
    return path


def captions(path: Path) -> list[tuple[float, float, str]]:
    with av.open(str(path)) as film:
        (stream,) = film.streams.subtitles
        assert stream.time_base is not None
        found = []
        for packet in film.demux(stream):
            if packet.size <= 2:  # MP4 fills the gaps with empty samples
                continue
            assert packet.pts is not None
            assert packet.duration is not None
            start, end = (
                round(float(ticks * stream.time_base), 3)
                for ticks in (packet.pts, packet.pts + packet.duration)
            )
            data = bytes(packet)
            found.append((start, end, (data[2:] if path.suffix == ".mp4" else data).decode()))
        return found


@pytest.mark.parametrize(("container", "codec"), [("mp4", "mov_text"), ("webm", "webvtt")])
def test_the_film_carries_its_captions_in_its_language(
    tmp_path: Path, container: Container, codec: str
) -> None:
    path = written(tmp_path / f"film.{container}", container, TRACKS)
    assert captions(path) == [
        (cue.start_seconds, cue.end_seconds, "\n".join(cue.lines)) for cue in CUES
    ]
    with av.open(str(path)) as film:
        (stream,) = film.streams.subtitles
        assert stream.codec_context.name == codec
        assert stream.language == "deu"


@pytest.mark.parametrize("container", ["mp4", "webm"])
def test_the_film_carries_its_chapters(tmp_path: Path, container: Container) -> None:
    with av.open(str(written(tmp_path / "film", container, TRACKS))) as film:
        chapters: list[Any] = film.chapters()
        found = [
            (
                round(float(one["start"] * one["time_base"]), 3),
                round(float(one["end"] * one["time_base"]), 3),
                one["metadata"]["title"],
            )
            for one in chapters
        ]
    assert found == [(0, 1.5, "Set up"), (1.5, 2.5, "Spiel & Spaß"), (2.5, 4, "End")]


@pytest.mark.parametrize("container", ["mp4", "webm"])
def test_captions_and_chapters_do_not_shift_picture_or_sound(
    tmp_path: Path, container: Container
) -> None:
    with av.open(str(written(tmp_path / "film", container, TRACKS))) as film:
        video, sound = film.streams.video[0], film.streams.audio[0]
        assert (video.start_time, sound.start_time) == (0, 0)
        assert len([packet for packet in film.demux(video) if packet.size]) == 120


@pytest.mark.parametrize("container", ["mp4", "webm"])
def test_a_film_without_captions_has_no_track_of_them(tmp_path: Path, container: Container) -> None:
    with av.open(str(written(tmp_path / "film", container, Tracks()))) as film:
        assert [stream.type for stream in film.streams] == ["video", "audio"]
        assert film.chapters() == []


@pytest.mark.parametrize("container", ["mp4", "webm"])
def test_the_same_tracks_give_the_same_bytes(tmp_path: Path, container: Container) -> None:
    first, second = (
        written(tmp_path / name, container, TRACKS).read_bytes() for name in ("a", "b")
    )
    assert first == second


def test_a_language_without_a_code_is_undetermined(tmp_path: Path) -> None:
    path = written(tmp_path / "film.mp4", "mp4", Tracks(CUES, "tlh"))
    with av.open(str(path)) as film:
        assert film.streams.subtitles[0].language == "und"


def test_chapters_of_a_storyboard_are_those_of_its_file() -> None:
    steps = [make_step(frames=300, chapter_title=title) for title in ("One", "Two", "Three")]
    film = make_film(*steps, language="fr")
    tracks = tracks_of(film, CUES)
    assert tracks.chapters == (
        (0, 10_000, "One"),
        (10_000, 20_000, "Two"),
        (20_000, 30_000, "Three"),
    )
    assert (tracks.cues, tracks.language) == (CUES, "fr")
    assert tracks_of(make_film(make_step()), ()).chapters == ()
