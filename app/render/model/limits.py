"""What a render may use, and how the child process is held to it."""

from __future__ import annotations

import math
import os
import resource
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_MIB: Final = 1024 * 1024
#: Linux: the process's sizes in pages, the whole address space first (proc(5)).
_STATM: Final = Path("/proc/self/statm")
#: CPU seconds beyond the deadline before the kernel ends a child whose supervisor is stuck.
_CPU_SLACK_SECONDS: Final = 10


@dataclass(frozen=True, slots=True)
class StepCachePlace:
    """Where encoded steps are kept, and the MiB that all of them may take."""

    directory: Path
    max_mb: int


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of one render.

    Attributes:
        deadline_seconds: Wall time after which it is killed.
        memory_mb: MiB of address space beyond what the child starts with.
        file_mb: MiB of its largest file.
        threads: Segments that are drawn and encoded side by side.
        niceness: Added to the child's nice value: the worker's own threads go first.
    """

    deadline_seconds: float = 600.0
    memory_mb: int = 1024
    file_mb: int = 2048
    threads: int = 1
    niceness: int = 5

    def apply(self) -> None:
        """Hold the calling process to these limits, for good."""
        os.nice(self.niceness)
        _limit(resource.RLIMIT_CORE, 0)
        _limit(resource.RLIMIT_FSIZE, self.file_mb * _MIB)
        threads = 2 * self.threads + 1  # one draws a segment, one encodes it; and the sound's
        seconds = math.ceil(self.deadline_seconds * threads) + _CPU_SLACK_SECONDS
        _limit(resource.RLIMIT_CPU, seconds, spare=_CPU_SLACK_SECONDS)
        if _STATM.exists():
            _limit(resource.RLIMIT_AS, _address_space() + self.memory_mb * _MIB)


def memory_left() -> int | None:
    """Return the bytes of address space that this process may still take; None for no limit."""
    limit, _ = resource.getrlimit(resource.RLIMIT_AS)
    if limit == resource.RLIM_INFINITY or not _STATM.exists():
        return None
    return max(0, limit - _address_space())


def _address_space() -> int:
    """Return the bytes of address space that this process has taken."""
    pages = int(_STATM.read_text(encoding="ascii").split()[0])
    return pages * os.sysconf("SC_PAGE_SIZE")


def _limit(kind: int, value: int, *, spare: int = 0) -> None:
    """Lower a limit; one that is lower already stays.

    ``spare`` lies between the signal that tells why (SIGXCPU) and SIGKILL.
    """
    soft, hard = resource.getrlimit(kind)
    value = min([value, *(old for old in (soft, hard) if old != resource.RLIM_INFINITY)])
    most = value + spare if hard == resource.RLIM_INFINITY else min(value + spare, hard)
    resource.setrlimit(kind, (value, most))
