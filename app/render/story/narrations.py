"""Which narrations a film has: those in its own language. Pure."""

from __future__ import annotations

from app.render.model.request import NarrationTrack, Request


def heard_narrations(request: Request) -> tuple[dict[str, NarrationTrack], tuple[str, ...]]:
    """Return the narration of each step by the step's id, and warnings about the others.

    A step is heard in the film's language (``options.language``), else in another
    form of it (en-GB for en), else in the first language that there is. Translations are
    no further tracks of the same film, because each narration decides how long its step lasts:
    a payload with other ``options.language`` makes the other film.
    """
    film = request.options.language
    by_step: dict[str, list[NarrationTrack]] = {}
    for track in request.narrations:
        by_step.setdefault(track.step_id, []).append(track)
    heard: dict[str, NarrationTrack] = {}
    warnings = []
    for step_id, tracks in by_step.items():
        best = min(tracks, key=lambda track: _distance(track.language or film, film))
        heard[step_id] = best
        language = best.language or film
        if _distance(language, film) == _OTHER:
            warnings.append(f"step {step_id}: heard in {language}; it has no narration in {film}")
        left = [track.language or film for track in tracks if track is not best]
        if left:
            warnings.append(
                f"step {step_id}: its narration in {', '.join(left)} is left out;"
                f" the film is in {film}"
            )
    return heard, tuple(warnings)


_SAME, _FORM, _OTHER = range(3)


def _distance(language: str, film: str) -> int:
    one, other = language.lower(), film.lower()
    if one == other:
        return _SAME
    return _FORM if one.partition("-")[0] == other.partition("-")[0] else _OTHER
