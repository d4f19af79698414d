"""Measures how fast dry runs are planned: ``python -m benchmarks.plans [CHECKOUT]``.

With another checkout, which has an environment of its own in ``.venv``, both take turns in one
run, and the ratio is printed. Figures are processor time, the best of five rounds.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

_STEPS: Final = 11
_TURNS: Final = 10
_BODY: Final = (
    "Each player draws {n} cards from the deck and places number {n} face up on the table. "
    "Then round {n} begins, and the youngest player chooses a market."
)


def payload(*texts: int) -> dict[str, Any]:
    """Return a tutorial with a heading and a text in each step, which differ by its number."""
    steps = [
        {
            "id": f"step-{index}",
            "durationSec": 9,
            "overlays": [
                {"role": "heading", "text": f"Round {number}"},
                {"role": "body", "text": _BODY.format(n=number)},
            ],
        }
        for index, number in enumerate(texts)
    ]
    request = {"title": "Plans", "steps": steps, "assets": [], "audio": {}, "options": {}}
    return {"jobId": "plans", "projectId": "plans", "requestId": "plans", "previewRequest": request}


def figures() -> dict[str, float]:
    """Return milliseconds for a plan: the first, one of the same texts, an edit, new texts."""
    return dict(_figures())


def _figures() -> Iterator[tuple[str, float]]:
    from app.render.plan import plan  # noqa: PLC0415 - the other checkout has one of its own

    def each(payloads: list[Mapping[str, Any]]) -> float:
        begun = time.process_time()
        for given in payloads:
            plan(given)
        return (time.process_time() - begun) * 1000 / len(payloads)

    first = list(range(100, 100 + _STEPS))
    edits = [payload(*first[:5], 200 + turn, *first[6:]) for turn in range(_TURNS)]
    fresh = [payload(*range(300 + turn * _STEPS, 300 + (turn + 1) * _STEPS)) for turn in range(5)]
    yield "first in a process", each([payload(*first)])
    yield "one text edited", each([*edits])
    yield "all texts new", each([*fresh])
    yield "the same again", each([payload(*first)] * _TURNS)


if __name__ == "__main__":
    if sys.argv[1:] == ["--figures"]:
        print(json.dumps(figures()))
    else:
        from benchmarks.texts import compare

        sys.exit(compare(Path(__file__), sys.argv[1:]))
