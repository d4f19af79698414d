"""Captions in other languages than the film's: which are asked for, and the files with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.contract.semantics import film_language


def caption_wishes(request: Mapping[str, Any]) -> dict[str, int]:
    """Return each language asked for beside the film's, with its place in ``captionLanguages``.

    Languages are in lower case: tags differ in that without a difference (RFC 5646, 2.1.1).
    """
    languages = request.get("options", {}).get("captionLanguages", ())
    wishes: dict[str, int] = {}
    for index, language in enumerate(languages):
        if language.lower() != film_language(dict(request)):
            wishes.setdefault(language.lower(), index)
    return wishes


def caption_assets(request: Mapping[str, Any]) -> dict[str, int]:
    """Return the languages of assets of type ``captions``, with the index of the first of each."""
    found: dict[str, int] = {}
    for index, asset in enumerate(request["assets"]):
        if asset["type"] == "captions" and "language" in asset:
            found.setdefault(asset["language"].lower(), index)
    return found
