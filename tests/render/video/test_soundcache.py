from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from app.render.model.sound import LoudnessTarget, SoundOptions
from app.render.model.storyboard import Container, Storyboard
from app.render.sound.codec import CODECS
from app.render.sound.soundtrack import Soundtrack
from app.render.video.encoder import Form
from app.render.video.film import make_film as write_film
from app.render.video.mux import NO_TRACKS
from app.render.video.soundcache import CachedSound, soundtrack
from app.render.video.stepcache import StepCache
from tests.render.films import make_film, make_step
from tests.render.sounds import narration, write_speech


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    # No whole number of packets: the last one is shorter.
    return write_speech(tmp_path / "voice.wav", seconds=1.37)


@pytest.fixture
def cache(tmp_path: Path) -> StepCache:
    return StepCache(tmp_path / "cache", max_bytes=10**9)


def film(voice: Path, **changes: object) -> Storyboard:
    step = replace(make_step(frames=43, narration=narration(voice)), **changes)  # type: ignore[arg-type]  # of many kinds
    return make_film(step, width=160, height=90)


def sound(
    storyboard: Storyboard,
    cache: StepCache | None,
    *,
    wishes: SoundOptions | None = None,
    container: Container = "mp4",
) -> Soundtrack | CachedSound:
    return soundtrack(
        storyboard,
        wishes or SoundOptions(),
        codec=CODECS[container],
        music_seconds=0.0,
        cache=cache,
    )


def test_a_film_with_a_kept_sound_is_byte_for_byte_the_one_that_made_it(
    voice: Path, cache: StepCache, tmp_path: Path
) -> None:
    board, films = film(voice), []
    made, kept = (sound(board, cache) for _ in range(2))
    assert isinstance(kept, CachedSound)
    assert (kept.report, kept.warnings) == (made.report, made.warnings)
    for number, each in enumerate((made, kept)):
        directory = tmp_path / str(number)
        directory.mkdir()
        made_film = write_film(
            board,
            directory,
            form=Form("mp4", 160, 90, 30, "draft"),
            threads=2,
            sound=each.packets(),
            tracks=NO_TRACKS,
            cache=None,
            measure=lambda *_: (),
            on_measured=lambda _: None,
            on_frame=lambda _: None,
        )
        films.append(made_film.path.read_bytes())
    assert films[0] == films[1]


def test_a_step_whose_words_change_keeps_the_sound(voice: Path, cache: StepCache) -> None:
    sound(film(voice), cache)
    assert isinstance(sound(film(voice, spoken="Other words."), cache), CachedSound)


def test_whatever_can_be_heard_makes_another_sound(voice: Path, cache: StepCache) -> None:
    sound(film(voice), cache)
    louder = SoundOptions(target=LoudnessTarget(-16, -1))
    assert isinstance(sound(film(voice), cache, wishes=louder), Soundtrack)
    assert isinstance(sound(film(voice, frames=44), cache), Soundtrack)
    write_speech(voice, seconds=1.37, level=0.9)
    assert isinstance(sound(film(voice), cache), Soundtrack)


def test_silence_and_opus_are_not_kept_and_nothing_is_without_a_cache(
    voice: Path, cache: StepCache, tmp_path: Path
) -> None:
    assert isinstance(sound(make_film(make_step(frames=30)), cache), Soundtrack)
    assert isinstance(sound(film(voice), cache, container="webm"), Soundtrack)
    assert not (tmp_path / "cache").exists()
    assert isinstance(sound(film(voice), None), Soundtrack)
