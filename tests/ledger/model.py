"""What the ledger promises, in plain Python: the reference that the scripts are held against.

It has no keys, no indexes and no clock: that a lease or a delay has ended, or an outage has been,
is said by the test, and the order of events stands for their times.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

from app.ledger import PRIORITIES, Fate, Priority, Recovery, Replay, State
from tests.ledger.audit import MOST_AUTO_REPLAYS

#: States that count towards the maximum.
LIVE: tuple[State, ...] = ("queued", "active", "delayed")
#: Ten turns of the priorities, by weight 6:3:1.
TURNS: tuple[Priority, ...] = (
    "high", "normal", "high", "high", "normal", "high", "low", "high", "normal", "high",
)  # fmt: skip


#: Code of an error, and whether another try may help.
Failure = tuple[str, bool]
#: Why recovery gives a job up.
LOST: Failure = ("worker-lost", True)


@dataclass
class Job:
    """A job; ``place`` orders the waiting, ``ended`` those that have ended."""

    job_id: str
    message_id: str
    digest: str
    priority: Priority
    project: str
    state: State = "queued"
    place: int | None = None
    ended: int = 0
    fence: int = 0
    worker: str = ""
    settled: int = 0
    outcome: State = "queued"
    attempts: int = 0
    starts: int = 0
    replays: int = 0
    replayed_by: str = ""
    due: int = 0
    silent: int = 0
    cancelling: bool = False
    failure: Failure | None = None
    files: bool = False
    commits: int = 0

    def held(self, fence: int) -> bool:
        """Whether the holder of ``fence`` may work on it."""
        return self.state == "active" and self.fence == fence


@dataclass
class Model:
    """A queue of at most ``limit`` live jobs; a job may lose ``max_starts`` workers."""

    limit: int | None
    max_starts: int
    jobs: dict[str, Job] = field(default_factory=dict)
    turn: int = 0
    #: Worker → token, job and fence of its last claim.
    claims: dict[str, tuple[str, str, int]] = field(default_factory=dict)
    workers: set[str] = field(default_factory=set)
    amnesty: bool = False
    #: Numbers events in their order.
    clock: itertools.count[int] = field(default_factory=lambda: itertools.count(1))

    def of_state(self, *states: State) -> list[Job]:
        """Return the jobs that are in one of ``states``, in the order of creation."""
        return [job for job in self.jobs.values() if job.state in states]

    def waiting(self, priority: Priority) -> list[Job]:
        """Return the waiting jobs of a class, the next first."""
        found = [job for job in self.of_state("queued") if job.priority == priority]
        return sorted(found, key=lambda job: job.place or 0)

    def dead(self) -> list[Job]:
        """Return the dead letters, the first failed first."""
        return sorted(self.of_state("failed"), key=lambda job: job.ended)

    def transient(self) -> list[str]:
        """Return the dead letters that need no person to be replayed."""
        return [
            job.job_id
            for job in self.dead()
            if job.failure and job.failure[1] and job.replays < MOST_AUTO_REPLAYS
        ]

    @property
    def full(self) -> bool:
        """Whether no further job may live."""
        return self.limit is not None and len(self.of_state(*LIVE)) >= self.limit

    def admit(self, job: Job, *, delayed: bool) -> str:
        """A job is recorded once; the same message again is the same admission."""
        known = self.jobs.get(job.job_id)
        if known:
            if known.message_id == job.message_id:
                return "admitted"
            return "existing" if known.digest == job.digest else "conflict"
        if self.full:
            return "full"
        self.jobs[job.job_id] = job
        if delayed:
            job.state = "delayed"
        else:
            self._queue(job)
        return "admitted"

    def claim(self, worker: str, token: str, fence: int) -> tuple[str, int] | None:
        """The next job goes to ``worker``, once for each ``token``; the server names the fence."""
        known = self.claims.get(worker, ("", "", 0))
        if known[0] == token:
            job = self.jobs.get(known[1])
            if job and job.held(known[2]) and job.worker == worker:
                return job.job_id, job.fence
        for priority in (TURNS[self.turn], *PRIORITIES):
            if waiting := self.waiting(priority):
                job = waiting[0]
                self.turn = (self.turn + 1) % len(TURNS)
                job.state, job.worker, job.fence, job.silent = "active", worker, fence, 0
                job.starts += 1
                self.claims[worker] = (token, job.job_id, fence)
                return job.job_id, fence
        return None

    def show(self, worker: str) -> None:
        """Any claim shows its worker, and makes claimable what is due, the first due first."""
        self.workers.add(worker)
        for job in sorted(self.of_state("delayed"), key=lambda job: job.due):
            if job.due:
                job.due = 0
                self._queue(job)

    def forget_worker(self, worker: str) -> None:
        """A worker leaves, or is silent for too long."""
        self.workers.discard(worker)
        self.claims.pop(worker, None)

    def beat(self, job_id: str, fence: int) -> str:
        """The holder keeps the job and hears of a cancellation."""
        job = self.jobs.get(job_id)
        if job is None or not job.held(fence):
            return "stale"
        job.silent = 0
        return "cancel" if job.cancelling else "go"

    def settle(
        self, job_id: str, fence: int, fate: Fate, failure: Failure | None, *, files: bool
    ) -> str:
        """The holder ends the attempt, once; an acknowledged cancellation wins."""
        job = self.jobs.get(job_id)
        if job is None:
            return "missing"
        if job.settled == fence:
            return job.outcome
        if not job.held(fence):
            return "stale"
        job.settled, job.starts = fence, 0
        if job.cancelling or fate == "cancelled":
            self._end(job, "cancelled", job.failure)
        elif fate == "released":
            self._queue(job, job.place)
        else:
            job.attempts += 1
            job.files = files
            if fate == "delayed":
                job.state, job.failure = "delayed", failure
            else:
                self._end(job, fate, failure)
        job.outcome = job.state
        return job.outcome

    def cancel(self, job_id: str) -> str:
        """A waiting job ends; a running one is asked to."""
        job = self.jobs.get(job_id)
        if job is None:
            return "missing"
        if job.state not in LIVE:
            return "already" if job.state == "cancelled" else "ended"
        if job.state == "active":
            job.cancelling = True
            return "requested"
        self._end(job, "cancelled", job.failure)
        return "cancelled"

    def recover(self, unlisted: str | None = None) -> dict[str, Recovery]:
        """What silent workers held, and a job that no list holds, goes back to its place."""
        told: dict[str, Recovery] = {}
        silent = [] if self.amnesty else [job for job in self.of_state("active") if job.silent]
        back = [job for job in sorted(silent, key=lambda job: job.silent) if job.job_id != unlisted]
        for job in back + [self.jobs[job_id] for job_id in self.jobs if job_id == unlisted]:
            outcome = self._give_back(job)
            lost = job.job_id == unlisted and outcome == "queued"
            told[job.job_id] = "relisted" if lost else outcome
        return told

    def replay(self, job_ids: Sequence[str], token: str) -> list[Replay]:
        """Dead letters start anew, as far as there is room."""
        return [self._replay(job_id, token) for job_id in job_ids]

    def _replay(self, job_id: str, token: str) -> Replay:
        job = self.jobs.get(job_id)
        if job is None:
            return "missing"
        if job.replayed_by == token:
            return "replayed"
        if job.state != "failed":
            return "live" if job.state in LIVE else "ended"
        if self.full:
            return "full"
        job.replays += 1
        job.replayed_by = token
        job.attempts = job.starts = job.ended = 0
        job.failure = None
        job.files = False
        self._queue(job)
        return "replayed"

    def purge(self, job_id: str) -> str:
        """A dead letter is forgotten."""
        job = self.jobs.get(job_id)
        if job is None:
            return "missing"
        if job.state != "failed":
            return "live" if job.state in LIVE else "ended"
        del self.jobs[job_id]
        return "purged"

    def sweep(
        self, *, results: bool, records: bool, letters: bool, most: int
    ) -> tuple[list[str], int, list[str]]:
        """What is old goes: ids of expired results, number of records, ids of dead letters."""
        expired = [job for job in self.of_state("completed") if results and job.files]
        records_of = self.of_state("completed", "cancelled") if records else []
        gone = [job for job in records_of if not job.files]
        dead = self.dead()
        dropped = dead if letters else dead[: max(0, len(dead) - most)]
        for job in (*gone, *dropped):
            del self.jobs[job.job_id]
        expired.sort(key=lambda job: job.ended)
        return [job.job_id for job in expired], len(gone), [job.job_id for job in dropped]

    def _queue(self, job: Job, place: int | None = None) -> None:
        job.state = "queued"
        job.place = next(self.clock) if place is None else place

    def _end(self, job: Job, state: State, failure: Failure | None) -> None:
        job.state, job.ended, job.cancelling = state, next(self.clock), False
        job.due = 0
        job.failure = None if state == "completed" else failure

    def _give_back(self, job: Job) -> Recovery:
        if job.cancelling:
            self._end(job, "cancelled", job.failure)
            return "cancelled"
        if job.starts >= self.max_starts:
            self._end(job, "failed", LOST)
            return "failed"
        job.due = 0
        self._queue(job, job.place)
        return "queued"
