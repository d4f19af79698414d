"""Requests for stills, and their answers: short-lived, bounded, and apart from the jobs.

A request waits in Redis until a worker takes it or its time is over. Its answer is kept for
seconds. If either is lost, the caller has to repeat its request.
"""

from __future__ import annotations

import time
import uuid
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

import redis

from app.errors import BrokerUnavailable, NoWorker, QueueFull, RenderTimeout, RetryableError
from app.ledger.connection import redis_errors
from app.ledger.keys import Keys
from app.ledger.scripts import Scripts

#: Longest time from a request to its answer, in seconds.
STILL_SECONDS: Final = 20.0
#: Most requests of a queue that wait at once. Each holds a thread of an API.
MAX_WAITING: Final = 16
#: Time after which a worker that has not renewed its presence does not count.
PRESENCE_SECONDS: Final = 5.0
#: Longest single wait. The time limit and the presence of workers are checked in between.
WAIT_SECONDS: Final = 1.0
#: Time in which an answer must be fetched.
_ANSWER_MS: Final = 10_000
#: When to ask again, in seconds: after a few stills, and after the start of a worker.
FULL_RETRY_SECONDS: Final = 1
ABSENT_RETRY_SECONDS: Final = 5


@dataclass(frozen=True, slots=True)
class TakenStill:
    """A request that a worker has taken.

    Attributes:
        id: Names it in the other calls.
        request: What :meth:`StillQueue.ask` was given.
        left_seconds: Time until nobody waits for the answer.
    """

    id: str
    request: bytes
    left_seconds: float


class StillQueue:
    """The requests for stills of one queue.

    Args:
        client: A client that does not retry (:func:`app.ledger.connect`).
        queue: Name of the queue.

    All methods raise :class:`app.errors.BrokerUnavailable` when Redis is unreachable.
    """

    def __init__(self, client: redis.Redis, *, queue: str) -> None:
        self._client = client
        self._keys = Keys(queue)
        self._scripts = Scripts(client, self._keys)

    # The side that asks

    def ask(self, request: bytes, *, seconds: float = STILL_SECONDS) -> bytes:
        """Have a worker answer ``request``, and return its answer.

        Args:
            request: Any bytes that :meth:`take` passes to a worker.
            seconds: Longest wait.

        Raises:
            NoWorker: No worker draws stills.
            QueueFull: :data:`MAX_WAITING` requests wait.
            RenderTimeout: There is no answer after ``seconds``.
        """
        still_id = uuid.uuid4().hex
        left_ms = int(seconds * 1000)
        outcome = self._scripts.run("still_ask", still_id, request, left_ms, MAX_WAITING)
        if outcome == b"absent":
            raise _no_worker()
        if outcome == b"full":
            raise QueueFull(
                f"{MAX_WAITING} stills wait already.", retry_after_seconds=FULL_RETRY_SECONDS
            )
        try:
            return self._answer_to(still_id, until=time.monotonic() + seconds)
        except RetryableError:
            with suppress(BrokerUnavailable):  # then it expires
                self._drop(still_id)
            raise

    def _answer_to(self, still_id: str, *, until: float) -> bytes:
        while (left := until - time.monotonic()) > 0:
            answer = self._scripts.wait(f"still:{still_id}:answer", min(WAIT_SECONDS, left))
            if answer is not None:
                return answer
            with redis_errors():
                present = self._client.get(self._keys["stills:slot"])
            if present is None:
                raise _no_worker()
        raise RenderTimeout("No worker drew the still in time.")

    def _drop(self, still_id: str) -> None:
        """Withdraw a request, so that it is not drawn."""
        with redis_errors(), self._client.pipeline() as pipe:
            pipe.zrem(self._keys["stills"], still_id)
            pipe.delete(self._keys[f"still:{still_id}"], self._keys[f"still:{still_id}:answer"])
            pipe.execute()

    # The side that draws

    def take(self) -> TakenStill | None:
        """Record the worker's presence, and take the request that has waited longest, if any."""
        answer = self._scripts.run("still_take", int(PRESENCE_SECONDS * 1000))
        if answer is None:
            return None
        still_id, request, left_ms = answer
        return TakenStill(still_id.decode(), request, left_ms / 1000)

    def wait(self) -> None:
        """Block until a request may wait, for at most :data:`WAIT_SECONDS`."""
        self._scripts.wait("stills:wake", WAIT_SECONDS)

    def beat(self, still_id: str) -> bool:
        """Record the worker's presence; return whether somebody waits for the answer."""
        with redis_errors(), self._client.pipeline() as pipe:
            pipe.set(self._keys["stills:slot"], b"1", px=int(PRESENCE_SECONDS * 1000))
            pipe.get(self._keys[f"still:{still_id}"])
            return pipe.execute()[1] is not None

    def answer(self, still_id: str, content: bytes) -> bool:
        """Answer a request; return whether somebody waited for it."""
        return bool(self._scripts.run("still_answer", still_id, content, _ANSWER_MS))


def _no_worker() -> NoWorker:
    return NoWorker("No worker draws stills.", retry_after_seconds=ABSENT_RETRY_SECONDS)
