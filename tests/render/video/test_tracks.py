from __future__ import annotations

from pathlib import Path
from typing import Any

import av
import pytest
from av.stream import Disposition

from app.render.captions.cues import Cue
from app.render.captions.texts import Texts
from app.render.captions.translations import Translation
from app.render.model.chapters import chapters_json
from app.render.model.storyboard import Container
from app.render.sound.codec import CODECS
from app.render.sound.encoding import encoded
from app.render.video.encoder import Form
from app.render.video.mux import FilmWriter
from app.render.video.tracks import Captions, Tracks, tracks_of
from tests.render.encoded import Shown, coded, plain, silence
from tests.render.films import make_film, make_step

CUES = (
    Cue(1, "step-1", 0.5, 1.75, ("Take a <card>", "& pass it on.")),
    Cue(2, "step-1", 2.0, 3.5, ("Возьми карту — קח קלף",)),
)
FRENCH = (
    Cue(1, "step-1", 0.0, 0.9, ("Prends",)),
    Cue(2, "step-1", 2.0, 2.4, ("puis",)),
    Cue(3, "step-1", 2.5, 3.9, ("passe.",)),
)
BRAZILIAN = (Cue(1, "step-1", 1.0, 4.0, ("Pegue", "uma carta.")),)
CAPTIONS = (
    Captions("de-AT", CUES), Captions("fr", FRENCH), Captions("pt-br", BRAZILIAN),
)  # fmt: skip
TRACKS = Tracks(CAPTIONS, ((0, 1500, "Set up"), (1500, 2500, "Spiel & Spaß"), (2500, 4000, "End")))


def written(path: Path, container: Container, tracks: Tracks) -> Path:
    form = Form(container, 160, 90, 30, "draft")
    shown: list[Shown] = [(plain((15, 23, 42), width=160, height=90), 120, True)]
    sound = encoded(silence(4), codec=CODECS[container])
    with FilmWriter(path, form, sound=sound, tracks=tracks) as writer:
        for frame in coded(shown, form):
            writer.write(frame)
    return path


def captions(path: Path) -> dict[int, list[tuple[float, float, str]]]:
    """What the packets of each track say and when, in the order of the file."""
    with av.open(str(path)) as film:
        tracks = film.streams.subtitles
        found: dict[int, list[tuple[float, float, str]]] = {track.index: [] for track in tracks}
        for packet in film.demux(tracks):
            data = bytes(packet)[2:] if path.suffix == ".mp4" else bytes(packet)
            if not data:  # MP4 fills the gaps with empty samples
                continue
            assert packet.pts is not None
            assert packet.duration is not None
            start, end = (
                round(float(ticks * packet.time_base), 3)
                for ticks in (packet.pts, packet.pts + packet.duration)
            )
            found[packet.stream.index].append((start, end, data.decode()))
        return found


def boxes(data: bytes, *path: bytes) -> list[bytes]:
    """The contents of all boxes of an MP4 below ``path`` (ISO/IEC 14496-12, 4.2)."""
    found, at = [], 0
    while at + 8 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if data[at + 4 : at + 8] == path[0]:
            inner = data[at + 8 : at + length]
            found += boxes(inner, *path[1:]) if path[1:] else [inner]
        at += length
    return found


@pytest.mark.parametrize(
    ("container", "codec", "codes", "name"),
    [
        ("mp4", "mov_text", ["deu", "fra", "por"], "name"),
        ("webm", "webvtt", ["ger", "fre", "por"], "title"),
    ],
)
def test_the_film_carries_its_captions_in_each_language(
    tmp_path: Path, container: Container, codec: str, codes: list[str], name: str
) -> None:
    path = written(tmp_path / f"film.{container}", container, TRACKS)
    assert list(captions(path).values()) == [
        [(cue.start_seconds, cue.end_seconds, "\n".join(cue.lines)) for cue in one.cues]
        for one in CAPTIONS
    ]
    with av.open(str(path)) as film:
        tracks = film.streams.subtitles
        assert {track.codec_context.name for track in tracks} == {codec}
        assert [track.language for track in tracks] == codes
        assert [track.metadata[name] for track in tracks] == ["de-AT", "fr", "pt-br"]
        defaults = [bool(track.disposition & Disposition.default) for track in tracks]
        assert defaults == [True, False, False]


def test_captions_of_an_mp4_are_alternatives_of_which_the_first_is_on(tmp_path: Path) -> None:
    data = written(tmp_path / "film.mp4", "mp4", TRACKS).read_bytes()
    found = []
    for track in boxes(data, b"moov", b"trak"):
        (handler,) = boxes(track, b"mdia", b"hdlr")
        (head,) = boxes(track, b"tkhd")
        if handler[8:12] == b"sbtl":
            (entry,) = boxes(track, b"mdia", b"minf", b"stbl", b"stsd")
            assert entry[12:16] == b"tx3g"
            found.append((int.from_bytes(head[34:36], "big"), bool(head[3] & 1)))
    group = found[0][0]
    assert group != 0
    assert found == [(group, True), (group, False), (group, False)]


def test_captions_of_a_webm_stand_in_the_order_of_their_times(tmp_path: Path) -> None:
    data = written(tmp_path / "film.webm", "webm", TRACKS).read_bytes()
    due = sorted(
        (cue.start_seconds, number, cue.lines[0].encode())
        for number, one in enumerate(CAPTIONS)
        for cue in one.cues
    )
    places = [data.index(text) for _, _, text in due]
    assert places == sorted(places)


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


def test_a_film_without_captions_in_its_own_language_has_the_others() -> None:
    german = Translation("de", CUES, ())
    assert tracks_of(make_film(make_step()), Texts(translations=(german,))).captions == (
        Captions("de", CUES),
    )


def test_chapters_of_a_storyboard_are_those_of_its_file() -> None:
    steps = [make_step(frames=300, chapter_title=title) for title in ("One", "Two", "Three")]
    film = make_film(*steps, language="fr")
    german = Translation("de", CUES, ("too fast",))
    tracks = tracks_of(film, Texts(FRENCH, (german,), chapters_json(film)))
    assert tracks.chapters == (
        (0, 10_000, "One"),
        (10_000, 20_000, "Two"),
        (20_000, 30_000, "Three"),
    )
    assert tracks.captions == (Captions("fr", FRENCH), Captions("de", CUES))
    assert tracks_of(make_film(make_step()), Texts()) == Tracks()


@pytest.mark.parametrize(
    ("title", "in_mp4"),
    [
        ("é" * 127, "é" * 127),
        ("a" * 255, "a" * 255),
        ("é" * 128, "é" * 126 + "…"),
        ("🎲" * 100, "🎲" * 63 + "…"),
        ("👍🏽" * 50, "👍🏽" * 31 + "…"),
        ("abc " * 69 + "d", "abc " * 62 + "abc…"),
    ],
)
def test_a_long_title_of_a_chapter_is_cut_between_characters(
    tmp_path: Path, title: str, in_mp4: str
) -> None:
    tracks = Tracks((), ((0, 1500, title), (1500, 2500, "B"), (2500, 4000, "C")))
    titles: list[tuple[Container, str]] = [("mp4", in_mp4), ("webm", title)]
    for container, expected in titles:
        path = written(tmp_path / container, container, tracks)
        with av.open(str(path)) as film:
            chapters: list[Any] = film.chapters()
        assert chapters[0]["metadata"]["title"] == expected
    # MP4 has the title twice: in the list that some players read, and in a track of titles.
    said = in_mp4.encode()
    assert (tmp_path / "mp4").read_bytes().count(bytes([len(said)]) + said) == 2
