"""The form of a quality rule, and of its check against a finished preview.

A preview that breaks a *hard* rule would not play correctly everywhere, so it fails the job. If a
choice of the author breaks a rule (a text that is too long for its given duration), the outcome is
a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, get_args

from app.errors import ErrorItem, QualityFailed

Table = Literal["Picture", "Captions", "Sound", "Files"]
Outcome = Literal["ok", "broken", "warning", "not applicable"]

#: Name of the report that ``preview inspect`` reads: a JSON array of :class:`Check`.
REPORT: Final = "report.json"
#: The tables, in the order of the report.
TABLES: Final[tuple[Table, ...]] = ("Picture", "Captions", "Sound", "Files")


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one rule for one preview.

    Attributes:
        table: Table of the report in which the check stands.
        rule: Stable name in kebab-case.
        limit: What the rule requires, in words.
        measured: What was found, in words.
        outcome: ``warning`` means that a choice of the author breaks the rule.
        hard: Whether breaking the rule fails the job.
    """

    table: Table
    rule: str
    limit: str
    measured: str
    outcome: Outcome
    hard: bool = False

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Check:
        """Return a check from its JSON form, see :func:`to_json`.

        Raises:
            KeyError, TypeError, ValueError: It is not a check.
        """
        table, outcome = document["table"], document["outcome"]
        if table not in TABLES or outcome not in get_args(Outcome):
            raise ValueError(f"{document['rule']!r} is not a check")
        rule, limit, measured = (str(document[name]) for name in ("rule", "limit", "measured"))
        return cls(table, rule, limit, measured, outcome, bool(document["hard"]))


@dataclass(frozen=True, slots=True)
class Rule:
    """A quality rule. :class:`Check` describes the fields."""

    table: Table
    name: str
    limit: str
    hard: bool = False

    def check(self, measured: object, *, holds: bool, excused: bool = False) -> Check:
        """Return the check of what was ``measured``.

        Args:
            measured: What was found. ``str()`` of it goes into the report.
            holds: Whether it meets the limit.
            excused: Whether missing the limit is only a warning.
        """
        outcome: Outcome = "ok" if holds else "warning" if excused else "broken"
        return self._check(str(measured), outcome)

    def not_applicable(self, why: str) -> Check:
        """Return the check of a preview that has nothing to measure, and ``why``."""
        return self._check(why, "not applicable")

    def _check(self, measured: str, outcome: Outcome) -> Check:
        return Check(self.table, self.name, self.limit, measured, outcome, self.hard)


@dataclass(frozen=True, slots=True)
class Expected:
    """What a film should be, according to its storyboard or manifest.

    Attributes:
        width: Width in pixels.
        height: Height in pixels.
        fps: Frames per second.
        frames: Frames in the film.
        starts: First frame of each step.
        lengths: Frames in each step.
        sources: What set the length of each step: ``given``, ``narration`` or ``estimate``.
    """

    width: int
    height: int
    fps: int
    frames: int
    starts: tuple[int, ...]
    lengths: tuple[int, ...]
    sources: tuple[str, ...]

    @classmethod
    def from_manifest(cls, document: Mapping[str, Any]) -> Expected:
        """Return what a manifest states about its film.

        Raises:
            KeyError, TypeError, ValueError: It is not a manifest.
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
            raise ValueError("video.fps and video.frames must be greater than 0")
        return expected


def require_quality(checks: Iterable[Check]) -> None:
    """Check that no hard rule is broken.

    Raises:
        QualityFailed: A hard rule is broken. ``errors`` has one item per broken rule.
    """
    broken = [
        ErrorItem("", item.rule, f"measured: {item.measured}; required: {item.limit}")
        for item in checks
        if item.hard and item.outcome == "broken"
    ]
    if broken:
        names = ", ".join(item.code for item in broken)
        raise QualityFailed(
            f"the finished preview breaks {names} ({broken[0].detail})", errors=broken
        )


def to_json(checks: Iterable[Check]) -> list[dict[str, Any]]:
    """Return checks in their JSON form."""
    return [asdict(item) for item in checks]
