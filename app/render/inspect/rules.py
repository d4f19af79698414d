"""Rules that a finished preview is held to, and what becomes of one that breaks them.

A *hard* rule that is broken fails the job by its name: the file would not play as it
should anywhere. What an author's own wishes lead to (text too long for a given duration)
is a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, get_args

from app.errors import ErrorItem, QualityFailed

Table = Literal["Picture", "Captions", "Sound", "Files"]
Outcome = Literal["ok", "broken", "warning", "not applicable"]

#: Name of the file with the findings about a preview, a JSON array of :class:`Check`.
REPORT: Final = "report.json"
#: The tables, in the order in which they are shown.
TABLES: Final[tuple[Table, ...]] = ("Picture", "Captions", "Sound", "Files")


@dataclass(frozen=True, slots=True)
class Check:
    """One rule, held against one preview.

    Attributes:
        table: Where it belongs.
        rule: Stable kebab-case name.
        limit: What is right, for a person.
        measured: What was found, for a person.
        outcome: What came of it; ``warning`` is what the author's own wishes lead to.
        hard: Whether a preview that breaks it is no preview.
    """

    table: Table
    rule: str
    limit: str
    measured: str
    outcome: Outcome
    hard: bool = False

    @classmethod
    def of_json(cls, document: Mapping[str, Any]) -> Check:
        """Return what :func:`to_json` gave.

        Raises:
            ValueError: It is no check; so for KeyError and TypeError.
        """
        table, outcome = document["table"], document["outcome"]
        if table not in TABLES or outcome not in get_args(Outcome):
            raise ValueError(f"{document['rule']!r} is no check")
        rule, limit, measured = (str(document[name]) for name in ("rule", "limit", "measured"))
        return cls(table, rule, limit, measured, outcome, bool(document["hard"]))


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule before it is held against anything; see :class:`Check`."""

    table: Table
    name: str
    limit: str
    hard: bool = False

    def check(self, measured: object, *, holds: bool, excused: bool = False) -> Check:
        """Return the outcome; one that is ``excused`` is a warning at worst."""
        outcome: Outcome = "ok" if holds else "warning" if excused else "broken"
        return self._check(str(measured), outcome)

    def not_applicable(self, why: str) -> Check:
        """Return that there is nothing to hold the rule against."""
        return self._check(why, "not applicable")

    def _check(self, measured: str, outcome: Outcome) -> Check:
        return Check(self.table, self.name, self.limit, measured, outcome, self.hard)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a film is meant to be, by its storyboard or its manifest.

    Attributes:
        width: Pixels.
        height: Pixels.
        fps: Frames a second.
        frames: Of the whole film.
        starts: First frame of each step.
        lengths: Frames of each step.
        sources: What decided each step's length: given, narration or estimate.
    """

    width: int
    height: int
    fps: int
    frames: int
    starts: tuple[int, ...]
    lengths: tuple[int, ...]
    sources: tuple[str, ...]

    @classmethod
    def of_manifest(cls, document: Mapping[str, Any]) -> Expected:
        """Return what a manifest promises.

        Raises:
            KeyError: It is no manifest; so for TypeError and ValueError.
        """
        video, steps = document["video"], document["timeline"]
        fps = int(video["fps"])
        expected = cls(
            width=int(video["width"]),
            height=int(video["height"]),
            fps=fps,
            frames=int(video["frames"]),
            starts=tuple(round(float(step["startSec"]) * fps) for step in steps),
            lengths=tuple(int(step["frames"]) for step in steps),
            sources=tuple(str(step["durationSource"]) for step in steps),
        )
        if fps <= 0 or expected.frames <= 0:
            raise ValueError("a film has frames")
        return expected


def require_quality(checks: Iterable[Check]) -> None:
    """Return unless a hard rule is broken.

    Raises:
        QualityFailed: One is; ``errors`` names each, the rule as its code.
    """
    broken = [
        ErrorItem("", item.rule, f"{item.measured}, but it must be: {item.limit}")
        for item in checks
        if item.hard and item.outcome == "broken"
    ]
    if broken:
        names = ", ".join(item.code for item in broken)
        raise QualityFailed(
            f"the finished preview breaks {names}: {broken[0].detail}", errors=broken
        )


def to_json(checks: Iterable[Check]) -> list[dict[str, Any]]:
    """Return checks as plain data."""
    return [asdict(item) for item in checks]
