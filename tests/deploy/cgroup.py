"""A control group with a limit of memory, as a node gives one to a container.

Both versions of the kernel's interface; it takes root, and a machine that lets root do it.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conftest import wait_until

_ROOT = Path("/sys/fs/cgroup")


@dataclass(frozen=True)
class MemoryGroup:
    """Processes that share a limit; the kernel kills one of them where they go beyond."""

    directory: Path

    def add(self, pid: int) -> None:
        """Take in a process; its children will be members, too."""
        (self.directory / "cgroup.procs").write_text(str(pid))

    @property
    def kills(self) -> int:
        """How many members the kernel has killed."""
        for name in ("memory.events", "memory.oom_control"):
            with contextlib.suppress(FileNotFoundError):
                lines = (self.directory / name).read_text().splitlines()
                return next(int(line.split()[1]) for line in lines if line.startswith("oom_kill "))
        raise AssertionError("the kernel does not count kills")


@contextlib.contextmanager
def memory_group(mib: int) -> Iterator[MemoryGroup | None]:
    """Make a group with a limit and no swap; None where this machine does not allow it."""
    legacy = (_ROOT / "memory").is_dir()
    directory = (_ROOT / "memory" if legacy else _ROOT) / f"preview-{uuid.uuid4().hex[:8]}"
    limits = (
        {"memory.limit_in_bytes": mib << 20, "memory.swappiness": 0}
        if legacy
        else {"memory.max": mib << 20, "memory.swap.max": 0}
    )
    try:
        directory.mkdir()
        for name, value in limits.items():
            (directory / name).write_text(str(value))
    except OSError:
        with contextlib.suppress(OSError):
            directory.rmdir()
        yield None
        return
    try:
        yield MemoryGroup(directory)
    finally:
        wait_until(lambda: _removed(directory), "no process is left in the group")


def _removed(directory: Path) -> bool:
    with contextlib.suppress(OSError):
        directory.rmdir()
    return not directory.exists()
