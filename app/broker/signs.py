"""Signs of life: what the consumers of a worker service leave for its probe process.

A ping proves that Redis lives, not that the worker does. So each consumer keeps a small
file in a directory that the processes of one service share: when its loop last turned,
when the ledger last answered a claim of it, and why it does not, if it knows. The process
holds a lock on the file, which the kernel gives up when it dies, however it dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

#: A consumer that has not turned for so long is stuck. It turns every second, also while its
#: slots are full or it drains; while Redis is away, each call takes 5 s at most for connecting
#: and 5 s for the reply, a name server that is away 10 to 20 s more.
STUCK_SECONDS = 30.0
#: A service without any consumer may take so long to start one.
START_SECONDS = 60.0
#: A worker is unready when its claims have not been answered for so long, whatever a ping says.
UNANSWERED_SECONDS = 10.0

#: Seconds of the system's monotonic clock, the same in all processes: last turn, last answer
#: (0: none yet). The trouble follows as UTF-8.
_TIMES = struct.Struct("=dd")
_SUFFIX = ".sign"
#: Longest trouble that is told, in bytes.
_TROUBLE_BYTES = 500


class ConsumerSign:
    """The sign of one consumer. A call costs microseconds and never fails.

    Args:
        directory: Shared by the processes of one service; None: leave no sign.
        queue: What the consumer consumes.
    """

    def __init__(self, directory: Path | None, queue: str) -> None:
        self._path = directory / f"{os.getpid()}-{queue}{_SUFFIX}" if directory else None
        self._answered = 0.0
        self._trouble = b""
        self._fd = -1
        if self._path is not None:
            with contextlib.suppress(OSError):  # the probes will say that there is no sign
                self._fd = _create(self._path)

    def turned(self) -> None:
        """The loop goes round, whatever Redis does."""
        self._write(_TIMES.pack(time.monotonic(), self._answered))

    def answered(self) -> None:
        """The ledger has answered a claim, with a job or without."""
        self._answered = time.monotonic()
        self._write(_TIMES.pack(self._answered, self._answered))
        if self._trouble:
            self._tell(b"")

    def failed(self, detail: str) -> None:
        """The ledger does not answer, and this is why."""
        trouble = detail.encode()[:_TROUBLE_BYTES]
        if trouble != self._trouble:
            self._tell(trouble)

    def close(self) -> None:
        """Take the sign away: the consumer has ended as it should."""
        if self._fd >= 0 and self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
            os.close(self._fd)
            self._fd = -1

    def _tell(self, trouble: bytes) -> None:
        self._trouble = trouble
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.ftruncate(self._fd, _TIMES.size)
                os.pwrite(self._fd, trouble, _TIMES.size)

    def _write(self, times: bytes) -> None:
        # Without a sign the probes turn red; that must not end a worker which works.
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.pwrite(self._fd, times, 0)


def _create(path: Path) -> int:
    """Make a locked file, in sight only once it is locked, and remove those of the dead."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for dead in _read_all(path.parent)[1]:  # of a boot that a SIGHUP has replaced
        dead.unlink(missing_ok=True)
    unseen = path.with_suffix(".new")
    fd = os.open(unseen, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.pwrite(fd, _TIMES.pack(time.monotonic(), 0.0), 0)
    unseen.rename(path)
    return fd


@dataclass(frozen=True, slots=True)
class WorkerLife:
    """What the signs of a service say at one moment.

    Attributes:
        stuck: Why the platform should restart the service; "" when it need not.
        unanswered: Why the service gets no jobs; "" when its claims are answered.
        last_claim_at: When the ledger last answered the consumer that waits longest, in
            seconds since 1970; 0 before the first answer.
    """

    stuck: str = ""
    unanswered: str = ""
    last_claim_at: float = 0.0


@dataclass(frozen=True, slots=True)
class _Sign:
    turned: float
    answered: float
    trouble: str


class WorkerSigns:
    """Reads the signs of a service.

    Args:
        directory: That of its consumers.
        stuck_seconds: See :data:`STUCK_SECONDS`.
        unanswered_seconds: See :data:`UNANSWERED_SECONDS`.
        start_seconds: See :data:`START_SECONDS`.
    """

    def __init__(
        self,
        directory: Path,
        *,
        stuck_seconds: float = STUCK_SECONDS,
        unanswered_seconds: float = UNANSWERED_SECONDS,
        start_seconds: float = START_SECONDS,
    ) -> None:
        self._directory = directory
        self._stuck_seconds = stuck_seconds
        self._unanswered_seconds = unanswered_seconds
        self._start_until = time.monotonic() + start_seconds

    @property
    def any_living(self) -> bool:
        """Whether a consumer has not ended yet; also one that takes nothing more."""
        return bool(_read_all(self._directory)[0])

    def __call__(self) -> WorkerLife:
        """Read all signs, without asking Redis anything."""
        living, dead = _read_all(self._directory)
        now, wall = time.monotonic(), time.time()
        if not living and not dead:
            starting = "No consumer has started yet."
            return WorkerLife("" if now < self._start_until else starting, starting)
        stuck = "A worker process is gone." if dead else next(self._stuck(living, now), "")
        answered = min((sign.answered for sign in living), default=0.0)
        return WorkerLife(
            stuck,
            stuck or next(self._unanswered(living, now), ""),
            wall - (now - answered) if answered else 0.0,
        )

    def _stuck(self, signs: list[_Sign], now: float) -> Iterator[str]:
        for sign in signs:
            if now - sign.turned > self._stuck_seconds:
                yield f"A consumer has stood still for {now - sign.turned:.0f} s."

    def _unanswered(self, signs: list[_Sign], now: float) -> Iterator[str]:
        for sign in signs:
            if sign.trouble:
                yield sign.trouble
            elif not sign.answered:
                yield "No claim has been answered yet."
            elif now - sign.answered > self._unanswered_seconds:
                yield f"No claim has been answered for {now - sign.answered:.0f} s."


def _read_all(directory: Path) -> tuple[list[_Sign], list[Path]]:
    """Return the signs of the living, and the files that the dead have left."""
    living, dead = [], []
    for path in sorted(directory.glob(f"*{_SUFFIX}")):
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:  # it ended just now
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                content = file.read()
                turned, answered = _TIMES.unpack_from(content)
                trouble = content[_TIMES.size :].decode(errors="replace")
                living.append(_Sign(turned, answered, trouble))
            else:
                if path.exists():  # else its process took it away before it let go
                    dead.append(path)
    return living, dead
