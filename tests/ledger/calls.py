"""All that may happen to a queue, as the rules of a state machine."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import get_args

from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from app.ledger import PRIORITIES, Admission, DeadLetterFilter, Fate, Progress, Retention
from tests.ledger.jobs import INFO, admission
from tests.ledger.machine import CODES, JOB_IDS, OLD, PROJECTS, WORKERS, YOUNG, LedgerMachine
from tests.ledger.model import LIVE, Failure, Job

job_ids = st.sampled_from([*JOB_IDS, "unknown"])
workers = st.sampled_from(WORKERS)
failures = st.tuples(st.sampled_from(CODES[:2]), st.booleans())
fates = st.sampled_from([*get_args(Fate), "failed", "failed"])
#: Which of the claims speaks: mostly the last, or one of those before it, be it long ended.
speakers = st.sampled_from([0, 0, 0, 0, 1, 2, 5])
#: Which of several jobs is meant.
which_ones = st.integers(0, 3)
rarely = st.sampled_from([False, False, True])
#: Whether the reply of a call is lost.
losses = st.booleans()


class RandomCalls(LedgerMachine):
    """Every call of the ledger, in any order, by anybody, and every passing of time."""

    def __init__(self) -> None:
        super().__init__()
        self.admissions: list[Admission] = []
        self.claims: list[tuple[str, int]] = []
        self.tokens = dict.fromkeys(WORKERS, "")

    @rule(
        job_id=st.sampled_from(JOB_IDS), digest=st.sampled_from("xxxy"),
        priority=st.sampled_from(["normal", "normal", *PRIORITIES]),
        project=st.sampled_from(PROJECTS), delayed=rarely, late_again=rarely, lost=losses,
    )  # fmt: skip
    def admit(
        self, *, job_id: str, delayed: bool, late_again: bool, lost: bool, **given: str
    ) -> None:
        earlier = [known for known in self.admissions if known.job_id == job_id]
        job = admission(job_id, delay_ms=3_600_000 if delayed else 0, **given)
        if late_again and earlier:
            job = earlier[0]
        self.admissions.append(job)
        new = job.job_id not in self.model.jobs
        modelled = Job(job.job_id, job.message_id, job.digest, job.priority, job.project)
        answer = self.both(
            "admit",
            lambda: str(self.ledger.admit(job, limit=self.model.limit)),
            lambda: self.model.admit(modelled, delayed=job.delay_ms > 0),
            lost=lost,
        )
        self.told["accepted"] += new and answer == "admitted"

    @precondition(lambda self: self.model.of_state(*LIVE))
    @rule(job_id=job_ids, lost=losses)
    def cancel(self, *, job_id: str, lost: bool) -> None:
        answer = self.both(
            "cancel",
            lambda: str(self.ledger.cancel(job_id)),
            lambda: self.model.cancel(job_id),
            lost=lost,
            same=False,
        )
        self.tell_ended(answer)

    # Workers

    @precondition(lambda self: self.model.of_state(*LIVE))
    @rule(worker=workers, late_again=rarely, woken=st.booleans(), lost=losses)
    def claim(self, *, worker: str, late_again: bool, woken: bool, lost: bool) -> None:
        if not late_again:
            self.tokens[worker] = uuid.uuid4().hex
        token = self.tokens[worker]
        fence = 0

        def claim() -> tuple[str, int] | None:
            nonlocal fence
            job, due_seconds = self.ledger.claim(worker, token=token, free=True, info=INFO)
            if job is None:
                assert (due_seconds is None) == (not self.model.of_state("delayed"))
                return None
            assert job.message == b"message of " + job.job_id.encode()
            assert job.attempt == self.model.jobs[job.job_id].attempts + 1
            fence = job.fence
            return job.job_id, fence

        if woken and self.model.of_state("queued"):
            self.ledger.wait_for_work(1)  # takes the token
        self.model.show(worker)
        taken = self.both("claim", claim, lambda: self.model.claim(worker, token, fence), lost=lost)
        if taken and taken not in self.claims:
            assert fence > max((known for _, known in self.claims), default=0)
            self.claims.append(taken)

    @precondition(lambda self: self.model.claims)
    @rule(worker=workers, other=workers, leaves=st.booleans())
    def end_a_worker(self, *, worker: str, other: str, leaves: bool) -> None:
        """It leaves, or is silent for so long that the next who shows itself removes it."""
        if leaves or worker == other:
            self.ledger.forget_worker(worker)
        elif worker in self.model.workers:
            self.set_score("workers", worker)
        self.model.forget_worker(worker)
        self.model.show(other)
        assert self.ledger.claim(other, token="t", free=False, info=INFO)[0] is None

    @precondition(lambda self: self.claims)
    @rule(which=speakers, frames=st.integers(0, 9), lost=losses)
    def beat(self, *, which: int, frames: int, lost: bool) -> None:
        job_id, fence = self.claims[-1 - which % len(self.claims)]
        self.both(
            "beat",
            lambda: str(self.ledger.beat(job_id, fence, Progress("rendering", frames, 9))),
            lambda: self.model.beat(job_id, fence),
            lost=lost,
        )

    @precondition(lambda self: self.claims)
    @rule(which=speakers, fate=fates, failure=failures, files=st.booleans(), lost=losses)
    def settle(self, *, which: int, fate: Fate, failure: Failure, files: bool, lost: bool) -> None:
        job_id, fence = self.claims[-1 - which % len(self.claims)]
        files = files and fate == "completed"
        fields: dict[str, object] = {"artifacts": [{"kind": "video"}]} if files else {}
        if fate in {"failed", "delayed"}:
            fields["error"] = dict(zip(("code", "retryable"), failure, strict=True))
        answer = self.both(
            "settle",
            lambda: str(self.ledger.settle(job_id, fence, fate, delay_seconds=3600, fields=fields)),
            lambda: self.model.settle(job_id, fence, fate, failure, files=files),
            lost=lost,
        )
        if answer not in {"stale", "missing"} and (job_id, fence) not in self.settled:
            self.settled.add((job_id, fence))
            self.tell_ended(answer)
            if answer == "completed":
                self.model.jobs[job_id].commits += 1

    @precondition(lambda self: self.model.of_state("queued", "delayed"))
    @rule(worker=workers, fate=fates, failure=failures, lost=losses)
    def work(self, *, worker: str, fate: Fate, failure: Failure, lost: bool) -> None:
        """An attempt without anything in between: the runs get further by it."""
        for job in self.model.of_state("delayed")[:1]:
            job.due = self.set_score("delayed", job.job_id)
        self.claim(worker=worker, late_again=False, woken=True, lost=lost)
        self.settle(which=0, fate=fate, failure=failure, files=True, lost=lost)

    @precondition(lambda self: self.model.of_state("active"))
    @rule(worker=workers, fate=fates, failure=failures, lost=losses)
    def outlive_a_lease(self, *, worker: str, fate: Fate, failure: Failure, lost: bool) -> None:
        """A lease ends, the next job goes to another worker, and the first one speaks."""
        job = self.model.of_state("active")[0]
        zombie = (job.job_id, job.fence)
        job.silent = self.set_score("active", job.job_id)
        self.recover(after_outage=False, lost=lost)
        self.claim(worker=worker, late_again=False, woken=True, lost=lost)
        self.claims.append(zombie)
        self.settle(which=0, fate=fate, failure=failure, files=True, lost=lost)

    # Time passes, workers die, lists are lost

    @precondition(lambda self: self.model.of_state(*LIVE))
    @rule(which=which_ones, then=st.sampled_from(["", "recover", "outage", "loss"]))
    def let_time_pass(self, *, which: int, then: str) -> None:
        """A delay or a lease ends, or a list loses an entry."""
        jobs = self.model.of_state("active", "delayed") or self.model.of_state("queued")
        job = jobs[which % len(jobs)]
        if then == "loss":
            self.lose_an_entry(job)
        elif job.state == "delayed":
            job.due = self.set_score("delayed", job.job_id)
        elif job.state == "active":
            job.silent = self.set_score("active", job.job_id)
            if then:
                self.recover(after_outage=then == "outage", lost=False)

    @precondition(lambda self: self.model.of_state("active"))
    @rule(after_outage=rarely, lost=losses)
    def recover(self, *, after_outage: bool, lost: bool) -> None:
        self.model.amnesty = after_outage or (self.model.amnesty and lost)
        self.recovered(self.ask_recovery(after_outage=after_outage), self.model.recover())
        if lost:
            assert self.ledger.recover() == [], "another did so lately"

    def lose_an_entry(self, job: Job) -> None:
        """A list forgets a job, and the round of recovery finds it."""
        name = f"waiting:{job.priority}" if job.state == "queued" else job.state
        assert self.client.zrem(self.ledger.keys[name], job.job_id) == 1
        outcomes: dict[str, str] = {}
        for _ in LIVE:  # the round looks at the jobs of one state a time
            outcomes |= self.ask_recovery()
        self.recovered(outcomes, self.model.recover(unlisted=job.job_id))

    def recovered(self, outcomes: dict[str, str], expected: Mapping[str, str]) -> None:
        assert outcomes == expected
        self.see("recover", [*outcomes.values()])
        self.tell_ended(*outcomes.values())

    # What has ended

    @precondition(lambda self: self.model.of_state("failed"))
    @rule(ids=st.lists(job_ids, min_size=1, max_size=5), token=st.sampled_from("rst"), lost=losses)
    def replay(self, *, ids: list[str], token: str, lost: bool) -> None:
        before = {job.job_id: job.replays for job in self.model.jobs.values()}
        self.both(
            "replay",
            lambda: self.ledger.archive.replay(ids, limit=self.model.limit, token=token),
            lambda: self.model.replay(ids, token),
            lost=lost,
        )
        self.told["replayed"] += sum(
            job.replays - before[job.job_id] for job in self.model.jobs.values()
        )

    @precondition(lambda self: self.model.of_state("failed"))
    @rule(job_id=job_ids, lost=losses)
    def purge(self, *, job_id: str, lost: bool) -> None:
        answer = self.both(
            "purge",
            lambda: str(self.ledger.archive.purge(job_id)),
            lambda: self.model.purge(job_id),
            lost=lost,
            same=False,
        )
        self.told["dropped"] += answer == "purged"

    @precondition(lambda self: self.model.of_state("completed", "failed", "cancelled"))
    @rule(
        results=st.booleans(), records=rarely, letters=rarely, most=st.integers(0, 4), lost=losses
    )
    def sweep(self, *, results: bool, records: bool, letters: bool, most: int, lost: bool) -> None:
        retention = Retention(
            result_seconds=OLD if results else YOUNG,
            record_seconds=OLD if records else YOUNG,
            dead_letter_seconds=OLD if letters else YOUNG,
            dead_letters=most,
        )

        def sweep() -> tuple[list[str], int, list[str]]:
            swept = self.ledger.archive.sweep(retention)
            assert not swept.more
            return list(swept.expired), swept.forgotten, list(swept.dropped)

        def model() -> tuple[list[str], int, list[str]]:
            return self.model.sweep(results=results, records=records, letters=letters, most=most)

        expired, forgotten, dropped = self.both("sweep", sweep, model, lost=lost, same=False)
        found = {"expired": expired, "forgotten": forgotten, "dropped": dropped}
        self.see("sweep", [name for name, some in found.items() if some])
        self.told["forgotten"] += forgotten
        self.told["dropped"] += len(dropped)
        if expired:
            self.ledger.archive.results_deleted(expired[0])
            self.model.jobs[expired[0]].files = False

    @precondition(lambda self: self.model.of_state("failed"))
    @rule(code=st.sampled_from([None, *CODES]), project=st.sampled_from([None, *PROJECTS]))
    def read(self, *, code: str | None, project: str | None) -> None:
        page, _ = self.ledger.list_dead_letters(DeadLetterFilter(code, project))
        assert [record.job_id for record in page] == [
            job.job_id
            for job in self.model.dead()[::-1]
            if code in {None, job.failure and job.failure[0]} and project in {None, job.project}
        ]
        assert self.ledger.archive.transient(10) == self.model.transient()
        page, _ = self.ledger.list_jobs()
        assert [record.job_id for record in page] == [*self.model.jobs][::-1]
