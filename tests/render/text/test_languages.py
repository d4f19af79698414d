from __future__ import annotations

import pytest

from app.render.text.languages import bibliographic, terminological


@pytest.mark.parametrize(
    ("tag", "code", "older"),
    [
        ("en", "eng", "eng"),
        ("de-AT", "deu", "ger"),
        ("ZH-hant-TW", "zho", "chi"),
        ("pt-br", "por", "por"),
        ("tlh", "tlh", "tlh"),
        ("FIL-PH", "fil", "fil"),
        ("xx", "und", "und"),
    ],
)
def test_a_language_has_the_codes_that_containers_want(tag: str, code: str, older: str) -> None:
    assert (terminological(tag), bibliographic(tag)) == (code, older)
