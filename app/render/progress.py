"""How far a render is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Phase = Literal["preparing", "rendering", "finishing", "measuring"]


@dataclass(frozen=True, slots=True)
class Progress:
    """One report of a render. ``frames_total`` is 0 until the film is planned."""

    phase: Phase
    frames_done: int = 0
    frames_total: int = 0
