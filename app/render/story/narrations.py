"""Which narrations a film has: those in its own language. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

#: Language of a film that does not say so.
DEFAULT_LANGUAGE: Final = "en"


def heard_narrations(
    request: Mapping[str, Any],
) -> tuple[dict[str, Mapping[str, Any]], tuple[str, ...]]:
    """Return the narration of each step by the step's id, and warnings about the others.

    A step is heard in the film's language (``options.language``), else in another
    form of it (en-GB for en), else in the first language that there is. Translations are
    no further tracks of the same film, because each narration decides how long its step lasts:
    a payload with other ``options.language`` makes the other film.

    Args:
        request: A ``previewRequest`` that fulfils the contract.
    """
    film = request.get("options", {}).get("language", DEFAULT_LANGUAGE)
    by_step: dict[str, list[Mapping[str, Any]]] = {}
    for entry in request["audio"].get("narration", ()):
        by_step.setdefault(entry["stepId"], []).append(entry)
    heard: dict[str, Mapping[str, Any]] = {}
    warnings = []
    for step_id, entries in by_step.items():
        best = min(entries, key=lambda entry: _distance(_language(entry, film), film))
        heard[step_id] = best
        language = _language(best, film)
        if _distance(language, film) == _OTHER:
            warnings.append(f"step {step_id}: heard in {language}; it has no narration in {film}")
        left = [_language(entry, film) for entry in entries if entry is not best]
        if left:
            warnings.append(
                f"step {step_id}: its narration in {', '.join(left)} is left out;"
                f" the film is in {film}"
            )
    return heard, tuple(warnings)


_SAME, _FORM, _OTHER = range(3)


def _language(entry: Mapping[str, Any], film: str) -> str:
    return str(entry.get("language") or film)


def _distance(language: str, film: str) -> int:
    one, other = language.lower(), film.lower()
    if one == other:
        return _SAME
    return _FORM if one.partition("-")[0] == other.partition("-")[0] else _OTHER
