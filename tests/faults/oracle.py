"""The oracle: whether a history keeps the promises of the queue."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Collection, Iterator
from itertools import groupby

from app.ledger import TERMINAL_STATES, Ledger, Record
from app.storage import ArtifactStore
from tests.faults.history import Event, History

#: What may follow a state; a replay alone leads out of "failed".
LEGAL = {
    "": {"queued", "delayed"},
    "queued": {"active", "cancelled", "queued"},
    "delayed": {"queued", "cancelled"},
    "active": {"queued", "delayed", "completed", "failed", "cancelled"},
    "failed": {"queued"},
    "completed": set[str](),
    "cancelled": set[str](),
}
LIVE = ("queued", "active", "delayed")


class _Life:
    """One life of a job: from its admission until it is forgotten."""

    def __init__(self, job_id: str) -> None:
        self.job_id = job_id
        self.state = ""
        self._commits = 0
        self._fences: set[str] = set()
        self._replayed = False

    def follow(self, event: Event) -> Iterator[str]:
        """Yield what an event breaks."""
        name = f"{self.job_id} ({self.state})"
        match event.kind:
            case "state":
                yield from self._become(event.after)
            case "started":
                if self.state != "queued":
                    yield f"{name} was started when it was not waiting"
                if event.after in self._fences:
                    yield f"{name} was started twice by one claim"
                self._fences.add(event.after)
            case "settled" if event.before != event.after:
                yield f"{name} was settled by {event.after} and belongs to {event.before}"
            case "replayed":
                if self.state != "failed":
                    yield f"{name} was replayed and is no dead letter"
                self._replayed = True
            case "forgotten" if self.state not in TERMINAL_STATES:
                yield f"{name} was forgotten before its end"

    def _become(self, state: str) -> Iterator[str]:
        if state not in LEGAL[self.state] or (self.state == "failed") != self._replayed:
            yield f"{self.job_id} ({self.state}) became {state}"
        self.state, self._replayed = state, False
        self._commits += state == "completed"
        if self._commits > 1:
            yield f"{self.job_id} was committed {self._commits} times"


def violations(
    history: History, *, accepted: Collection[str], ledger: Ledger, queue_max: int
) -> Iterator[str]:
    """Yield each broken promise as a sentence.

    Args:
        history: Of the whole life of the server.
        accepted: Jobs whose admission was confirmed to a client.
        ledger: What the queue says of itself now, when nothing moves any more.
        queue_max: Most live jobs.
    """
    lives: dict[str, _Life] = {}
    counts: Counter[str] = Counter()
    ends: Counter[str] = Counter()
    seen: set[str] = set()
    for transaction, group in groupby(history.events, key=lambda event: event.transaction):
        for event in group:
            seen.add(event.job_id)
            ends[event.kind if event.kind != "state" else f"to {event.after}"] += 1
            yield from _judge(lives, counts, event)
        depth = sum(counts[state] for state in LIVE)
        if depth > queue_max:
            yield f"{depth} live jobs after transaction {transaction}, at most {queue_max} may be"
    for job_id in set(accepted) - seen:
        yield f"{job_id} was accepted and is in no log"
    yield from _balance(ends, counts, ledger)


def _judge(lives: dict[str, _Life], counts: Counter[str], event: Event) -> Iterator[str]:
    if event.kind == "accepted":
        if event.job_id in lives:
            yield f"{event.job_id} was accepted twice"
        lives[event.job_id] = _Life(event.job_id)
    life = lives[event.job_id]
    before = life.state
    yield from life.follow(event)
    if event.kind == "forgotten":
        del lives[event.job_id]
        counts[before] -= 1
    elif event.kind == "state":
        counts[before] -= 1
        counts[life.state] += 1


def _balance(ends: Counter[str], counts: Counter[str], ledger: Ledger) -> Iterator[str]:
    live = sum(counts[state] for state in LIVE)
    ended = ends["to completed"] + ends["to failed"] + ends["to cancelled"]
    if ends["accepted"] + ends["replayed"] != ended + live:
        yield f"accepted and replayed are not completed, failed, cancelled and live: {ends}, {live}"
    stats = ledger.stats()
    told = {
        "queued": stats.waiting, "active": stats.active, "delayed": stats.delayed,
        "completed": stats.completed, "failed": stats.failed, "cancelled": stats.cancelled,
    }  # fmt: skip
    for state, number in told.items():
        if counts[state] != number:
            yield f"the ledger counts {number} {state}, its history {counts[state]}"


def broken_results(records: Collection[Record], store: ArtifactStore) -> Iterator[str]:
    """Yield what is wrong with the files of completed jobs: absent, damaged."""
    for record in records:
        if record.expired_at is not None:
            continue
        for artifact in record.artifacts:
            parts = store.read(artifact["key"], start=0, end=store.size(artifact["key"]))
            if hashlib.sha256(b"".join(parts)).hexdigest() != artifact["sha256"]:
                yield f"{artifact['key']} is not what was made"
