from __future__ import annotations

import shutil
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from app.errors import RenderFailed, ValidationFailed
from app.render.plan import plan
from app.render.sound import espeak, speech
from app.render.sound.espeak import EspeakVoice
from app.render.sound.speech import with_speech
from app.render.sound.voice import Manner
from app.render.sound.voices import lacking_voice, load_voice, manner_of
from app.render.story.timeline import build_storyboard
from tests.render.films import make_payload
from tests.render.requests import request_of

needs_espeak = pytest.mark.skipif(
    not shutil.which(espeak.PROGRAM), reason="espeak-ng is not installed"
)

#: A plug-in: a tone as long as its text, at 16 kHz.
PLUG_IN = """
import math, struct, wave
class Tone:
    def missing(self):
        return ""
    def speak(self, text, manner, path):
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1); file.setsampwidth(2); file.setframerate(16000)
            count = 1600 * len(text)
            file.writeframes(b"".join(
                struct.pack("<h", int(9000 * math.sin(n / 9))) for n in range(count)
            ))
"""


def install(directory: Path, name: str, *, provider: str = "local") -> Path:
    """Install a distribution with a voice, as pip would."""
    directory.mkdir(exist_ok=True)
    (directory / f"{name}_voice.py").write_text(PLUG_IN)
    info = directory / f"{name}_voice-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}-voice\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[preview.voices]\n{provider} = {name}_voice:Tone\n")
    return directory


def spoken(text: str, path: Path, *, language: str = "en", **manner: Any) -> np.ndarray[Any, Any]:
    EspeakVoice().speak(text, Manner(language, **manner), path)
    with wave.open(str(path)) as file:
        assert (file.getnchannels(), file.getframerate()) == (1, 22_050)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def job(*steps: dict[str, Any], voice: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    return make_payload(*steps, audio={"voice": {"provider": "local"} | (voice or {})} | more)


@needs_espeak
def test_a_text_is_spoken_at_once_and_the_same_each_time(tmp_path: Path) -> None:
    first = spoken("Take a card, then play one.", tmp_path / "a.wav")
    assert len(first) > 22_050
    assert np.flatnonzero(np.abs(first.astype(int)) > 500)[0] < 220  # 10 ms
    assert np.array_equal(first, spoken("Take a card, then play one.", tmp_path / "b.wav"))


@needs_espeak
def test_speed_and_language_change_the_speech(tmp_path: Path) -> None:
    text = "One, two, three."
    slow = spoken(text, tmp_path / "a.wav", words_per_minute=90)
    fast = spoken(text, tmp_path / "b.wav", words_per_minute=220)
    german = spoken(text, tmp_path / "c.wav", language="de-XX", words_per_minute=220)
    assert len(slow) > 1.5 * len(fast)
    assert not np.array_equal(fast[: len(german)], german[: len(fast)])
    other = spoken(text, tmp_path / "d.wav", voice_id="en+f3", words_per_minute=220)
    assert not np.array_equal(fast[: len(other)], other[: len(fast)])


@needs_espeak
@pytest.mark.parametrize(
    "text", ["; touch {0}", "$(touch {0})", "`touch {0}`", "-w {0}", "\n--stdout", "| tee {0}"]
)
def test_a_text_is_never_a_command(tmp_path: Path, text: str) -> None:
    target = tmp_path / "made"
    assert len(spoken(text.format(target), tmp_path / "a.wav")) > 1000
    assert not target.exists()


@needs_espeak
def test_brackets_are_not_taken_for_phonemes(tmp_path: Path) -> None:
    one = spoken("The [ [card]] is red.", tmp_path / "a.wav")
    assert np.array_equal(one, spoken("The [[card]] is red.", tmp_path / "b.wav"))


@needs_espeak
@pytest.mark.parametrize(
    ("manner", "pointer"),
    [
        (Manner("en", "nobody"), "voiceId"),
        (Manner("en", "../../etc/passwd"), "voiceId"),
        (Manner("en", "--help"), "voiceId"),
        (Manner("xx-YY"), "language"),
    ],
)
def test_a_voice_that_does_not_exist_is_refused_by_name(
    tmp_path: Path, manner: Manner, pointer: str
) -> None:
    with pytest.raises(ValidationFailed) as caught:
        EspeakVoice().speak("Hi.", manner, tmp_path / "a.wav")
    (item,) = caught.value.errors
    assert (item.pointer, item.code) == (f"/previewRequest/audio/voice/{pointer}", "unknown-voice")


@needs_espeak
def test_speech_that_cannot_be_written_fails(tmp_path: Path) -> None:
    with pytest.raises(RenderFailed):
        EspeakVoice().speak("Hi.", Manner("en"), tmp_path / "nowhere" / "a.wav")


@needs_espeak
def test_speech_decides_how_long_a_step_lasts(tmp_path: Path) -> None:
    payload = job(
        {"id": "a", "title": "Setup", "body": "Place the board in the middle of the table."},
        {"text": "Take a card."},
        {"id": "picture-only"},
    )
    request = request_of(payload)
    found = with_speech(request, directory=tmp_path / "speech")
    assert [track.step_id for track in found.narrations] == ["a", "step-2"]
    seconds = {track.asset.id: 2.0 for track in found.narrations}
    board = build_storyboard(found, narration_seconds=seconds)
    assert [step.duration_source for step in board.steps] == ["narration", "narration", "estimate"]
    assert request.narrations == ()


@needs_espeak
def test_recordings_come_before_speech_and_a_title_card_is_read(tmp_path: Path) -> None:
    tracks = [{"stepId": "a", "assetId": "own"}]
    payload = job({"id": "a", "text": "One."}, {"id": "b", "text": "Two."}, narration=tracks)
    found = with_speech(request_of(payload), directory=tmp_path)
    assert [track.asset.id for track in found.narrations] == ["own", "speech/b"]
    found = with_speech(request_of(job()), directory=tmp_path)
    assert [track.step_id for track in found.narrations] == ["title"]


@needs_espeak
def test_a_text_without_words_is_not_spoken(tmp_path: Path) -> None:
    found = with_speech(request_of(job({"id": "a", "text": "…"})), directory=tmp_path)
    assert found.narrations == ()


@needs_espeak
def test_speech_that_is_longer_than_the_film_may_be_ends_early(tmp_path: Path) -> None:
    payload = job(*[{"id": f"s{n}", "text": "Take a card, then play one."} for n in range(9)])
    payload["previewRequest"]["options"]["maxDurationSec"] = 3
    with pytest.raises(ValidationFailed, match="3 s") as caught:
        with_speech(request_of(payload), directory=tmp_path)
    assert caught.value.errors[0].code == "duration-too-long"
    assert len(list(tmp_path.iterdir())) < 4


def test_without_a_wish_for_a_voice_nothing_changes(tmp_path: Path) -> None:
    request = request_of(make_payload({"id": "a", "text": "One."}))
    assert with_speech(request, directory=tmp_path / "speech") is request
    assert not (tmp_path / "speech").exists()


def test_without_espeak_a_job_fails_by_name_and_a_dry_run_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    payload = job({"id": "a", "text": "One."})
    with pytest.raises(ValidationFailed, match="espeak-ng is not installed") as caught:
        with_speech(request_of(payload), directory=tmp_path)
    (item,) = caught.value.errors
    assert (item.pointer, item.code) == (
        "/previewRequest/audio/voice/provider",
        "voice-unavailable",
    )
    warnings = plan(payload)["warnings"]
    assert any("espeak-ng is not installed" in warning for warning in warnings)
    assert any("speech is not made in a dry run" in warning for warning in warnings)
    with pytest.raises(RenderFailed):
        EspeakVoice().speak("Hi.", Manner("en"), tmp_path / "a.wav")


def asked(payload: dict[str, Any]) -> tuple[str, Manner] | None:
    voice = request_of(payload).voice
    return None if voice is None else (voice.provider, manner_of(voice))


def test_manner_and_language_come_from_the_payload() -> None:
    payload = job(voice={"voiceId": " en+f2 ", "wordsPerMinute": 120, "language": "de"})
    assert asked(payload) == ("local", Manner("de", "en+f2", 120))
    payload["previewRequest"]["audio"]["voice"] = {"provider": "local"}
    payload["previewRequest"]["options"]["language"] = "fr-CA"
    assert asked(payload) == ("local", Manner("fr-CA", "", 160))
    payload["previewRequest"]["audio"]["voice"] = {"provider": "none"}
    assert asked(payload) is None


def test_an_installed_plug_in_takes_the_place_of_the_built_in_voice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(load_voice("local"), EspeakVoice)
    monkeypatch.syspath_prepend(install(tmp_path / "one", "tone"))
    payload = job({"id": "a", "text": "0123456789"})
    found = with_speech(request_of(payload), directory=tmp_path / "speech")
    (track,) = found.narrations
    assert track.asset.id == "speech/a"
    assert speech._seconds(track.asset.file) == 1.0
    monkeypatch.syspath_prepend(install(tmp_path / "two", "other"))
    with pytest.raises(ValidationFailed, match="other_voice:Tone, tone_voice:Tone"):
        load_voice("local")


def test_a_voice_that_nobody_provides_is_told() -> None:
    assert "preview.voices" in lacking_voice("cloud")


def test_a_plan_with_a_voice_loads_no_decoder() -> None:
    code = (
        "import sys; from app.render.plan import plan;"
        f"plan({job({'id': 'a', 'text': 'One.'})!r});"
        "print([name for name in ('av', 'cv2') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
