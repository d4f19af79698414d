"""Compares the words of caption files with those of the manifest's timeline."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from app.render.inspect.captions import ReadCue
from app.render.inspect.rules import Check, Rule

#: Caption files have whole milliseconds.
_ROUNDING: Final = 0.002

WORDS: Final = Rule("Captions", "cue-words", "every word of each step, in order")


def word_check(cues: Sequence[ReadCue], timeline: Sequence[Mapping[str, Any]]) -> Check:
    """Check that ``cues``, in the film's own language, contain the words of its steps.

    Only letters and digits count. Spaces and punctuation do not, because lines break at them.
    """
    if not cues:
        return WORDS.not_applicable("no captions")
    if not all("spoken" in step for step in timeline):
        return WORDS.not_applicable("the manifest is of an earlier version, without the words")
    wrong = [
        str(step["stepId"])
        for step in timeline
        if _letters([str(step["spoken"])]) != _letters(_said(cues, step))
    ]
    words = sum(len(str(step["spoken"]).split()) for step in timeline)
    told = f"other words in {', '.join(wrong[:3])}" if wrong else f"{words} in their order"
    return WORDS.check(told, holds=not wrong)


def _said(cues: Sequence[ReadCue], step: Mapping[str, Any]) -> list[str]:
    start = float(step["startSec"]) - _ROUNDING
    end = start + float(step["durationSec"])
    return [line for cue in cues if start <= cue.start < end for line in cue.lines]


def _letters(lines: Iterable[str]) -> str:
    return "".join(char for line in lines for char in line if char.isalnum())
