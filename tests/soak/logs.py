"""What the processes of a soak have logged."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

TRACEBACK: Final = "Traceback (most recent call last)"
#: Of a traceback that stands in the log as it is.
NO_EVENT: Final = "(no event)"
#: Tracebacks that are no fault: a part of the event, a part of the last line.
KNOWN: Final[tuple[tuple[str, str], ...]] = (
    # periodiq ends when it cannot send, and is started again; later ticks make good for one.
    ("Unhandled error:", "BrokerUnavailable"),
    # A cron task in the middle of which the server went away; it is tried again.
    ("Failed to process message", "BrokerUnavailable"),
    ("attempt.ended", "BrokerUnavailable"),
    # Dramatiq's master, told a second time to stop after it has closed its own log.
    (NO_EVENT, "BrokenPipeError"),
    # Renders whose asset is absent.
    ("attempt.ended", "AssetFailed"),
)


def lines_of(log: Path) -> Iterator[dict[str, Any]]:
    """Yield the structured lines of a log."""
    for line in log.read_text(errors="replace").splitlines():
        if line.startswith("{"):
            yield json.loads(line)


def troubles(logs: Sequence[Path]) -> Counter[str]:
    """Count the events that are more than information, over all logs."""
    lines = (line for log in logs for line in lines_of(log))
    return Counter(
        f"{line['level']} {line['event']}"
        for line in lines
        if line.get("level") in ("warning", "error", "critical")
    )


def ends(logs: Sequence[Path]) -> Counter[str]:
    """Count the attempts that have logged their end, by job: after it, nothing is left to do."""
    lines = (line for log in logs for line in lines_of(log))
    return Counter(line.get("jobId", "") for line in lines if line["event"] == "attempt.ended")


def tracebacks(log: Path) -> Iterator[str]:
    """Yield each traceback that is not known to be harmless, as its event and its last line."""
    for line in lines_of(log):
        for name in ("exception", "childTraceback"):
            told = line.get(name, "")
            if TRACEBACK in told:
                yield from _unknown(log, line["event"], told.strip().splitlines()[-1])
    plain = [line for line in log.read_text(errors="replace").splitlines() if line[:1] != "{"]
    for number, text in enumerate(plain):
        if TRACEBACK in text:
            ends = (line for line in plain[number + 1 :] if line and not line.startswith(" "))
            yield from _unknown(log, NO_EVENT, next(ends, ""))


def _unknown(log: Path, event: str, last: str) -> Iterator[str]:
    if not any(part in event and end in last for part, end in KNOWN):
        yield f"{log.name}: {event} {last}"
