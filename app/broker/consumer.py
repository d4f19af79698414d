"""The consumer: waits until there is both a free slot and a job, then claims the job."""

from __future__ import annotations

import contextlib
import os
import socket
import time
import uuid
from collections.abc import Callable, Iterable

from dramatiq.broker import Consumer, MessageProxy
from dramatiq.errors import DecodeError

from app.broker.claimed import ClaimedMessage, claimed
from app.broker.messages import decode
from app.broker.signs import ConsumerSign
from app.broker.slots import Slots
from app.errors import BrokerUnavailable, MessageUndecodable
from app.ledger import RECOVER_SECONDS, Claimed, Ledger, Recovered
from app.logs import get_logger

log = get_logger(__name__)

#: Longest interval at which a consumer records its presence.
PRESENCE_SECONDS = 1.0
#: Pauses while Redis is unreachable, doubling from the first to the last.
FIRST_PAUSE_SECONDS = 0.1
LAST_PAUSE_SECONDS = 2.0
#: Interval at which a draining consumer records its presence.
DRAIN_POLL_SECONDS = 0.2
#: How long a draining consumer keeps calling an unreachable Redis, which delays the worker's exit.
DRAIN_ASK_SECONDS = 5.0


class ConsumerIdentity:
    """Identity of a worker process: its name, its sign of life, and the token of its last claim.

    Outlives the consumers, which Dramatiq replaces after an error, so that a claim whose reply was
    lost is repeated with the same token.

    Attributes:
        unanswered: Whether a claim was sent that has not been answered, perhaps with a job.
    """

    def __init__(self, *, track: str, sign: ConsumerSign) -> None:
        self.track = track
        self.sign = sign
        self.worker_id = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self.token = uuid.uuid4().hex
        self.unanswered = False

    def renew_token(self) -> None:
        """Use a new token for the next claim, because this one was answered."""
        self.token = uuid.uuid4().hex
        self.unanswered = False


class LedgerConsumer(Consumer):
    """Yields the claimed messages of one queue, and None after a second without a message."""

    def __init__(
        self,
        *,
        ledger: Ledger,
        slots: Slots,
        identity: ConsumerIdentity,
        timeout_seconds: float,
        knows_actor: Callable[[str], bool],
        on_outside: Callable[[Recovered], None],
    ) -> None:
        self._ledger = ledger
        self._queue = ledger.queue
        self._slots = slots
        self._identity = identity
        self._timeout = min(timeout_seconds, PRESENCE_SECONDS)
        self._knows_actor = knows_actor
        self._on_outside = on_outside
        self._claimed_at = 0.0
        self._recover_at = 0.0
        self._drain_until: float | None = None
        self._pause = FIRST_PAUSE_SECONDS
        self._away = False

    def __next__(self) -> MessageProxy | None:
        self._identity.sign.turned()
        if self._slots.draining:
            time.sleep(DRAIN_POLL_SECONDS)
            if self._leaves_redis_alone():
                return None
        try:
            message = self._next()
        except BrokerUnavailable as error:
            self._survive(error)
            return None
        if self._away:
            log.info("redis.back", queue=self._queue)
        self._away, self._pause = False, FIRST_PAUSE_SECONDS
        return message

    def _survive(self, error: BrokerUnavailable) -> None:
        """Pause while Redis is unreachable. Logs one line per outage."""
        if not self._away:
            log.warning("redis.away", queue=self._queue, detail=error.detail)
        self._away = True
        self._identity.sign.failed(error.detail)
        self._slots.pause(self._pause)
        self._pause = min(2 * self._pause, LAST_PAUSE_SECONDS)

    def _recover(self) -> None:
        """Queue the jobs of dead workers again. The ledger lets one consumer of all do it."""
        now = time.monotonic()
        if now < self._recover_at:
            return
        self._recover_at = now + RECOVER_SECONDS
        for job in self._ledger.recover():
            log.warning(
                "job.recovered", jobId=job.job_id, outcome=job.outcome, lostTrack=job.lost_track
            )
            self._on_outside(job)
        self._identity.sign.turned()

    def _next(self) -> MessageProxy | None:
        if self._slots.draining:
            self._drain()
            return None
        self._recover()
        if not self._slots.wait_free(self._queue, timeout_seconds=self._timeout):
            self._claim(free=False)
            return None
        job, due_seconds = self._claim(free=True)
        if job is None:
            wait = self._timeout if due_seconds is None else min(self._timeout, due_seconds)
            self._ledger.wait_for_work(wait)
            if self._slots.draining:
                return None
            job = self._claim(free=True)[0]
        if job is None:
            return None
        if self._slots.draining:  # since the claim was sent
            self._give_back(job.job_id, job.fence)
            return None
        message = self._open(job)
        if message is not None:
            self._slots.take(self._queue)
        return message

    def _drain(self) -> None:
        """Record the worker's presence while its last attempts run, and claim nothing."""
        if not self._identity.unanswered:
            self._claim(free=False)
            return
        # A claim whose reply was lost may have claimed a job; repeating it tells which.
        job, _ = self._claim(free=True)
        if job is not None:
            self._give_back(job.job_id, job.fence)

    def _leaves_redis_alone(self) -> bool:
        if self._drain_until is None:
            self._drain_until = time.monotonic() + DRAIN_ASK_SECONDS
        return self._away and time.monotonic() > self._drain_until

    def _give_back(self, job_id: str, fence: int) -> None:
        """Release a job that was claimed and has not begun. This spends no attempt."""
        try:
            self._ledger.settle(job_id, fence, "released")
        except BrokerUnavailable:
            log.warning("message.not-given-back", jobId=job_id, until="lease expires")
        else:
            log.info("message.given-back", jobId=job_id)

    def _claim(self, *, free: bool) -> tuple[Claimed | None, float | None]:
        self._identity.unanswered |= free
        self._claimed_at = time.monotonic()
        resting = self._slots.resting(self._queue)
        info = {
            "slots": self._slots.limit(self._queue),
            "busy": self._slots.busy(self._queue) - resting,
            "resting": resting,
            "track": self._identity.track,
        }
        answer = self._ledger.claim(
            self._identity.worker_id, token=self._identity.token, free=free, info=info
        )
        self._identity.sign.answered()
        if free:
            self._identity.renew_token()
        return answer

    def _open(self, job: Claimed) -> MessageProxy | None:
        """Decode a message. One that cannot be run becomes a dead letter and keeps its bytes."""
        try:
            message = decode(job.message)
        except DecodeError:
            detail = "The queued message is not a Dramatiq message."
        else:
            if self._knows_actor(message.actor_name):
                return ClaimedMessage(
                    message, ledger=self._ledger, claimed=job, claimed_at=self._claimed_at
                )
            detail = f"No actor is named {message.actor_name[:80]!r}."
        error = MessageUndecodable(detail)
        self._ledger.settle(job.job_id, job.fence, "failed", fields={"error": error.to_problem()})
        self._on_outside(Recovered(job.job_id, "failed"))
        log.error("message.undecodable", jobId=job.job_id, detail=detail)
        return None

    # Settlement has settled the job in the ledger. Only the slot has to be released.

    def ack(self, message: MessageProxy) -> None:  # noqa: ARG002 - Dramatiq's signature
        """Release the slot of a finished message."""
        self._slots.release(self._queue)

    nack = ack

    def requeue(self, messages: Iterable[MessageProxy]) -> None:
        """Give back messages that were claimed and have not begun."""
        for message in messages:
            job = claimed(message)
            self._give_back(job.job_id, job.fence)
            self._slots.release(self._queue)

    def close(self) -> None:
        """Leave the list of workers at a shutdown."""
        if not self._slots.draining:
            return
        if not self._away:  # otherwise the entry expires by itself
            with contextlib.suppress(BrokerUnavailable):
                self._ledger.forget_worker(self._identity.worker_id)
        self._identity.sign.close()
