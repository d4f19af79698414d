"""A queue, its model, and what must be true of both after every call."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any, ClassVar, TypeVar

import redis
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant

from app.ledger import PRIORITIES, STATES, Ledger, QueueStats, Record
from app.ledger.ledger import AMNESTY_SECONDS
from tests.ledger import audit
from tests.ledger.model import Job, Model

#: Few, so that much happens to each.
JOB_IDS = ("a", "b", "c")
PROJECTS = ("p", "p:queued")
CODES = ("render-failed", "asset-failed", "worker-lost")
WORKERS = ("w1", "w2")
MAX_STARTS = 2
#: Far longer than a run: what ends, ends by the test's hand.
LEASE_SECONDS = 3600.0
#: How far the server's clock was set back, in some of the runs.
SET_BACK_SECONDS = 3600
#: Ages for a sweep, in seconds; the first is reached even where the clock was set back.
OLD, YOUNG = -2.0 * SET_BACK_SECONDS, 3600.0

T = TypeVar("T")


class LedgerMachine(RuleBasedStateMachine):
    """Calls both, compares their answers, and counts what the ledger has answered."""

    #: Set by the test that runs it.
    client: redis.Redis
    #: Answers of all runs, by call.
    seen: ClassVar[Counter[str]] = Counter()

    @initialize(limit=st.sampled_from([None, 2]), set_back=st.booleans())
    def make_queue(self, *, limit: int | None, set_back: bool) -> None:
        self.ledger = Ledger(
            self.client,
            queue=f"model-{uuid.uuid4().hex[:12]}",
            lease_seconds=LEASE_SECONDS,
            max_starts=MAX_STARTS,
        )
        if set_back:
            last = (self.client.time()[0] + SET_BACK_SECONDS) * 1_000_000
            self.client.set(self.ledger.keys["clock"], last)
        self.model = Model(limit, MAX_STARTS)
        self.told: Counter[str] = Counter()
        self.settled: set[tuple[str, int]] = set()
        self.ledger.recover()  # from now on, a long pause between two is an outage

    def teardown(self) -> None:
        if hasattr(self, "ledger"):
            names = self.client.keys(f"{self.ledger.keys.prefix}*")
            self.client.delete("nothing", *names)

    def contents(self) -> audit.Contents:
        """Read all keys of the queue."""
        return audit.contents(self.client, self.ledger.keys)

    def both(
        self,
        name: str,
        real: Callable[[], T],
        model: Callable[[], T],
        *,
        lost: bool = False,
        same: bool = True,
    ) -> T:
        """Ask ledger and model and compare.

        Args:
            name: What is asked.
            real: Asks the ledger, with the same arguments each time.
            model: Asks the model, which may need what the ledger has given.
            lost: The reply is lost: it is asked again, and nothing more may change.
            same: Asked again it answers the same; otherwise what the model answers then.
        """
        answer = real()
        assert answer == model(), name
        self.see(name, answer)
        if lost:
            before = audit.unchanged(self.contents())
            assert real() == (answer if same else model()), f"{name} again"
            assert audit.unchanged(self.contents()) == before, f"{name} again"
        return answer

    def see(self, name: str, answer: object) -> None:
        """Count what was answered, to show that the runs reach everything."""
        for item in answer if isinstance(answer, list | tuple) else [answer]:
            if isinstance(item, str):
                self.seen[f"{name}: {item}"] += 1

    def tell_ended(self, *states: str) -> None:
        """Count the ends of jobs that the ledger has told of."""
        self.told.update(state for state in states if state in {"completed", "failed", "cancelled"})

    # Time passes

    def set_score(self, name: str, member: str) -> int:
        """Let the time of a member come, after all that have come; returns its place."""
        order = next(self.model.clock)
        self.client.zadd(self.ledger.keys[name], {member: order})
        return order

    def ask_recovery(self, *, after_outage: bool = False) -> dict[str, str]:
        """Recover now, whoever did so lately; ``after_outage``: long after the last one."""
        place = self.ledger.keys["round"]
        self.client.delete(self.ledger.keys["recovering"])
        now_ms = self.client.time()[0] * 1000
        spared = self.model.amnesty and not after_outage
        self.client.hset(
            place,
            mapping={
                "ran_at": 1 if after_outage else now_ms,
                "amnesty_until": now_ms + int(AMNESTY_SECONDS * 1000) if spared else 0,
            },
        )
        return {job.job_id: job.outcome for job in self.ledger.recover()}

    @invariant()
    def ledger_and_model_agree(self) -> None:
        found = self.contents()
        audit.check(found)
        self._check_lists(found)
        for job_id, fields in audit.records(found).items():
            assert _of_record(job_id, fields) == _of_model(self.model.jobs[job_id])
        self._check_counts(self.ledger.stats())

    def _check_lists(self, found: audit.Contents) -> None:
        """Assert who is where, in which order."""
        assert list(found.get("index:all", {})) == list(self.model.jobs)
        for priority in PRIORITIES:
            expected = [job.job_id for job in self.model.waiting(priority)]
            assert list(found.get(f"waiting:{priority}", {})) == expected
        assert set(found.get("results", {})) == {
            job.job_id for job in self.model.jobs.values() if job.files
        }
        assert set(found.get("workers", {})) == self.model.workers
        assert "wake" in found or not self.model.of_state("queued"), "nobody would be woken"

    def _check_counts(self, stats: QueueStats) -> None:
        """Assert that what was accepted is there or has ended, by the ledger's own words."""
        counts = (
            stats.waiting, stats.active, stats.delayed, stats.completed, stats.failed,
            stats.cancelled,
        )  # fmt: skip
        assert counts == tuple(len(self.model.of_state(state)) for state in STATES)
        assert self.model.limit is None or stats.depth <= self.model.limit
        told = self.told
        ended = told["completed"] + told["failed"] + told["cancelled"]
        assert told["accepted"] + told["replayed"] == ended + stats.depth
        assert stats.completed + stats.cancelled + told["forgotten"] == (
            told["completed"] + told["cancelled"]
        )
        assert stats.failed + told["replayed"] + told["dropped"] == told["failed"]
        assert all(job.commits <= 1 for job in self.model.jobs.values())


def _of_record(job_id: str, fields: audit.Fields) -> dict[str, Any]:
    values = [fields[name].encode() if name in fields else None for name in Record.FIELDS]
    record = Record.parse(job_id, values)
    assert record is not None
    error = record.error
    return {
        "state": record.state,
        "digest": record.digest,
        "priority": record.priority,
        "project": record.project,
        "attempts": record.attempts,
        "starts": int(fields["starts"]),
        "replays": record.replays,
        "fence": record.fence,
        "cancelling": "cancel_requested" in fields,
        "failure": error and (error["code"], error["retryable"]),
    }


def _of_model(job: Job) -> dict[str, Any]:
    return {
        "state": job.state,
        "digest": job.digest,
        "priority": job.priority,
        "project": job.project,
        "attempts": job.attempts,
        "starts": job.starts,
        "replays": job.replays,
        "fence": job.fence,
        "cancelling": job.cancelling,
        "failure": job.failure,
    }
