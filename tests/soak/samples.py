"""Memory, threads and descriptors of a service, sampled from /proc (Linux)."""

from __future__ import annotations

import contextlib
import os
import statistics
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.support.processes import children_of

#: Whether there is a /proc to read.
SAMPLED: Final = sys.platform == "linux"
#: Growth of memory that is no leak: a share of what was there, and so many MiB.
MEMORY_SHARE, MEMORY_MIB = 0.10, 16.0
#: Threads and descriptors beyond what the first third of the soak has seen: pools grow and shrink.
COUNT_SLACK: Final = 16
#: Fewer samples than this tell nothing.
MIN_SAMPLES: Final = 30


@dataclass(frozen=True, slots=True)
class Sample:
    """A service at one moment, its renders aside."""

    pids: frozenset[int]
    memory_mib: float
    threads: int
    descriptors: int


def family_of(master: int) -> tuple[set[int], set[int]]:
    """Return the processes below ``master``: those that stay, and the renders, which come and go.

    Each render leads a session of its own.
    """
    lasting: set[int] = set()
    renders: set[int] = set()
    for pid in children_of(master):
        with contextlib.suppress(ProcessLookupError):  # it ended just now
            (renders if os.getsid(pid) == pid else lasting).add(pid)
    return lasting, renders


def sample(master: int) -> Sample:
    """Add up what the process ``master`` and those below it use, without renders."""
    pids = {master} | family_of(master)[0]
    memory = threads = descriptors = 0
    for pid in pids:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):  # it ended just now
            status = Path(f"/proc/{pid}/status").read_text()
            fields = dict(line.split(":", 1) for line in status.splitlines())
            memory += int(fields.get("VmRSS", "0").split()[0])  # none: it just ends
            threads += int(fields["Threads"])
            descriptors += len(list(Path(f"/proc/{pid}/fd").iterdir()))
    return Sample(frozenset(pids), memory / 1024, threads, descriptors)


def growth(name: str, samples: list[Sample]) -> Iterator[str]:
    """Yield what has grown from the first third of a soak to its end.

    Args:
        name: What was sampled.
        samples: In equal intervals; the last one is of an idle service.
    """
    if len(samples) < MIN_SAMPLES:
        return
    third = samples[len(samples) // 6 : len(samples) // 3]
    before = statistics.median(item.memory_mib for item in third)
    after = statistics.median(item.memory_mib for item in samples[-len(samples) // 10 :])
    if after > before * (1 + MEMORY_SHARE) + MEMORY_MIB:
        yield f"the memory of {name} has grown from {before:.0f} to {after:.0f} MiB"
    early, last = samples[: len(samples) // 3], samples[-1]
    for what in ("threads", "descriptors"):
        most = max(getattr(item, what) for item in early)
        if getattr(last, what) > most + COUNT_SLACK:
            yield f"{name} has {getattr(last, what)} {what}, at first at most {most}"
    # A render that has just been forked leads no session yet.
    if last.pids != frozenset.intersection(*(item.pids for item in third)):
        yield f"{name} has other processes than at first"
