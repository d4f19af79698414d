"""Checks that captions contain the words of each step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from app.render.inspect.captions import ParsedCue
from app.render.inspect.rules import Check, Rule

#: Tolerance in seconds: caption files round times to milliseconds.
_ROUNDING: Final = 0.002

WORDS: Final = Rule("Captions", "cue-words", "every word of each step, in order")


def word_check(cues: Sequence[ParsedCue], timeline: Sequence[Mapping[str, Any]]) -> Check:
    """Return the check that the captions contain every word of each step, in order.

    Only letters and digits are compared, because line breaks change spaces and punctuation.

    Args:
        cues: The captions in the film's own language.
        timeline: The steps, as in the manifest.
    """
    if not cues:
        return WORDS.not_applicable("no captions")
    if not all("spoken" in step for step in timeline):
        return WORDS.not_applicable(
            "the manifest is from an earlier version, which did not record the words"
        )
    wrong = [
        str(step["stepId"])
        for step in timeline
        if _letters([str(step["spoken"])]) != _letters(_lines(cues, step))
    ]
    words = sum(len(str(step["spoken"]).split()) for step in timeline)
    measured = f"different words in {', '.join(wrong[:3])}" if wrong else f"{words} words in order"
    return WORDS.check(measured, holds=not wrong)


def _lines(cues: Sequence[ParsedCue], step: Mapping[str, Any]) -> list[str]:
    start = float(step["startSec"]) - _ROUNDING
    end = start + float(step["durationSec"])
    return [line for cue in cues if start <= cue.start < end for line in cue.lines]


def _letters(lines: Iterable[str]) -> str:
    return "".join(char for line in lines for char in line if char.isalnum())
