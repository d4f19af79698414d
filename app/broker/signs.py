"""Signs of life, from the consumers of a worker service to its probe process.

A ping shows that Redis is alive, not that the worker is. So each consumer writes a small file in
a directory that the processes of a service share. It says when the consumer's loop last ran, when
the ledger last answered a claim, and why it does not answer, if known. The process holds a lock
on the file, which the kernel releases when the process dies for any reason.
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

#: A consumer whose loop has not run for this long is stuck. It runs every second, even while all
#: slots are busy or the worker drains. While Redis is unreachable, a call takes up to 5 s to
#: connect and 5 s for the reply; an unreachable name server adds 10 to 20 s.
STUCK_SECONDS = 30.0
#: Time that a service has to start its first consumer.
START_SECONDS = 60.0
#: A worker whose claims have not been answered for this long is not ready, whatever a ping says.
UNANSWERED_SECONDS = 10.0

#: Times of the system's monotonic clock, which all processes share, in seconds: last run of the
#: loop, last answer (0: none yet). The reason why Redis does not answer follows as UTF-8.
_TIMES = struct.Struct("=dd")
_SUFFIX = ".sign"
#: Longest reason, in bytes.
_TROUBLE_BYTES = 500


class ConsumerSign:
    """The sign of life of one consumer. Calls take microseconds and never fail.

    Args:
        directory: Shared by the processes of a service; None to leave no sign.
        queue: Queue of the consumer.
    """

    def __init__(self, directory: Path | None, queue: str) -> None:
        self._path = directory / f"{os.getpid()}-{queue}{_SUFFIX}" if directory else None
        self._answered = 0.0
        self._trouble = b""
        self._fd = -1
        if self._path is not None:
            with contextlib.suppress(OSError):  # the probes report the missing sign
                self._fd = _create(self._path)

    def turned(self) -> None:
        """Record that the loop runs, whether or not Redis responds."""
        self._write(_TIMES.pack(time.monotonic(), self._answered))

    def answered(self) -> None:
        """Record that the ledger has answered a claim, with or without a job."""
        self._answered = time.monotonic()
        self._write(_TIMES.pack(self._answered, self._answered))
        if self._trouble:
            self._tell(b"")

    def failed(self, detail: str) -> None:
        """Record why the ledger does not answer."""
        trouble = detail.encode()[:_TROUBLE_BYTES]
        if trouble != self._trouble:
            self._tell(trouble)

    def close(self) -> None:
        """Remove the sign: the consumer has shut down."""
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
        # Without a sign the probes fail, but that must not end a worker that works.
        if self._fd >= 0:
            with contextlib.suppress(OSError):
                os.pwrite(self._fd, times, 0)


def _create(path: Path) -> int:
    """Create a file that is visible only once it is locked, and remove those of dead processes."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    for dead in _read_all(path.parent)[1]:  # from before a SIGHUP
        dead.unlink(missing_ok=True)
    unseen = path.with_suffix(".new")
    fd = os.open(unseen, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.pwrite(fd, _TIMES.pack(time.monotonic(), 0.0), 0)
    unseen.rename(path)
    return fd


@dataclass(frozen=True, slots=True)
class WorkerLife:
    """State of a worker service at one moment.

    Attributes:
        stuck: Why the service has to be restarted, "" if it does not.
        unanswered: Why the service gets no jobs, "" if its claims are answered.
        last_claim_at: Time of the ledger's last answer to the consumer that has waited longest,
            in seconds since 1970; 0 before the first answer.
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
    """Reads the signs of life of a service.

    Args:
        directory: Directory of its consumers' signs.
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
        """Whether any consumer is still alive, including those that drain."""
        return bool(_read_all(self._directory)[0])

    def __call__(self) -> WorkerLife:
        """Read all signs. Does not use Redis."""
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
                yield f"A consumer has not responded for {now - sign.turned:.0f} s."

    def _unanswered(self, signs: list[_Sign], now: float) -> Iterator[str]:
        for sign in signs:
            if sign.trouble:
                yield sign.trouble
            elif not sign.answered:
                yield "No claim has been answered yet."
            elif now - sign.answered > self._unanswered_seconds:
                yield f"No claim has been answered for {now - sign.answered:.0f} s."


def _read_all(directory: Path) -> tuple[list[_Sign], list[Path]]:
    """Return the signs of live processes, and the files of dead ones."""
    living, dead = [], []
    for path in sorted(directory.glob(f"*{_SUFFIX}")):
        with contextlib.suppress(FileNotFoundError), path.open("rb") as file:  # just removed
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                content = file.read()
                turned, answered = _TIMES.unpack_from(content)
                trouble = content[_TIMES.size :].decode(errors="replace")
                living.append(_Sign(turned, answered, trouble))
            else:
                if path.exists():  # else its process removed it before it released the lock
                    dead.append(path)
    return living, dead
