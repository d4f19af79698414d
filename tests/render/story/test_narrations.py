from __future__ import annotations

from typing import Any

import pytest

from app.render.story.narrations import heard_narrations
from tests.render.requests import request_of


def track(step_id: str, asset_id: str, language: str | None = None) -> dict[str, Any]:
    return {"stepId": step_id, "assetId": asset_id} | ({"language": language} if language else {})


def heard(film: str | None, *tracks: dict[str, Any]) -> tuple[dict[str, str], tuple[str, ...]]:
    request = {"audio": {"narration": list(tracks)}, "options": {"language": film} if film else {}}
    found, warnings = heard_narrations(request_of({"previewRequest": request}))
    return {step_id: track.asset.id for step_id, track in found.items()}, warnings


def test_a_film_has_the_narrations_of_its_own_language_and_tells_of_the_others() -> None:
    tracks = [track("a", "a-en", "en"), track("a", "a-de", "de"), track("a", "a-fr", "FR")]
    assert heard("de", *tracks) == (
        {"a": "a-de"},
        ("step a: its narration in en, FR is left out; the film is in de",),
    )
    assert heard(None, *tracks)[0] == {"a": "a-en"}
    assert heard("fr", *tracks)[0] == {"a": "a-fr"}


def test_a_narration_without_a_language_is_in_the_films() -> None:
    assert heard("de", track("a", "a-en", "en"), track("a", "a-own"))[0] == {"a": "a-own"}


@pytest.mark.parametrize(("film", "asset"), [("en-US", "gb"), ("en", "gb"), ("pt-BR", "br")])
def test_another_form_of_the_language_is_nearer_than_another_language(
    film: str, asset: str
) -> None:
    tracks = [track("a", "de", "de"), track("a", "gb", "en-GB"), track("a", "br", "pt-br")]
    assert heard(film, *tracks)[0] == {"a": asset}


def test_a_step_is_heard_in_another_language_rather_than_not_at_all_and_that_is_told() -> None:
    assert heard("en", track("a", "x", "de"), track("b", "y")) == (
        {"a": "x", "b": "y"},
        ("step a: heard in de; it has no narration in en",),
    )


def test_without_narrations_there_is_nothing_to_tell() -> None:
    assert heard(None) == ({}, ())
