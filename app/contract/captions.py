"""Captions in other languages than the film's: the requested languages, and their files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.contract.semantics import film_language


def caption_wishes(request: Mapping[str, Any]) -> dict[str, int]:
    """Return the requested languages other than the film's, with their ``captionLanguages`` index.

    Languages are in lower case, because tags are not case-sensitive (RFC 5646, 2.1.1).
    """
    languages = request.get("options", {}).get("captionLanguages", ())
    wishes: dict[str, int] = {}
    for index, language in enumerate(languages):
        if language.lower() != film_language(dict(request)):
            wishes.setdefault(language.lower(), index)
    return wishes


def caption_assets(request: Mapping[str, Any]) -> dict[str, int]:
    """Return the language of each ``captions`` asset, with the index of the first such asset."""
    found: dict[str, int] = {}
    for index, asset in enumerate(request["assets"]):
        if asset["type"] == "captions" and "language" in asset:
            found.setdefault(asset["language"].lower(), index)
    return found
