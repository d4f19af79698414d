"""Clients of the API, who do at random what clients do, and judge each answer."""

from __future__ import annotations

import hashlib
import http.client
import json
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from typing import Any, Final

from app.cli.remote.addresses import LOOPBACK
from tests.soak.book import Book
from tests.soak.journal import Journal
from tests.soak.requests import random_payload
from tests.soak.system import QUEUE_MAX, RECORD_SECONDS

#: Requests a second of one client, bursts aside.
RATE: Final = 8.0
#: Jobs of a burst: with what is queued, more than the queue takes.
BURST: Final = 50
#: Longest wait for an answer: longer than the API waits for Redis.
ANSWER_SECONDS: Final = 30.0
#: A job that was submitted so lately cannot have been forgotten, unless it was purged.
CERTAIN_SECONDS: Final = RECORD_SECONDS / 2
#: Answers while Redis is away; 0: none at all.
AWAY: Final = frozenset({0, 503})


@dataclass(eq=False)
class Job:
    """A job as its author knows it."""

    job_id: str
    payload: dict[str, Any]
    submitted_at: float = field(default_factory=time.monotonic)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer; status 0 when it was lost."""

    status: int
    body: bytes = b""
    etag: str = ""

    def json(self) -> Any:
        return json.loads(self.body)


class Author:
    """One client on one connection, with jobs of its own.

    Args:
        name: What its jobs are called.
        port: That of the API.
        rng: Decides what it does, and when.
        book: Where answers are noted.
        journal: Where wrong answers are told.
        ended: Ends it.
    """

    def __init__(
        self,
        name: str,
        *,
        port: int,
        rng: random.Random,
        book: Book,
        journal: Journal,
        ended: threading.Event,
    ) -> None:
        self._name = name
        self._rng = rng
        self._book = book
        self._journal = journal
        self._ended = ended
        self._number = 0
        self._accepted: deque[Job] = deque(maxlen=300)
        self._unsure: deque[Job] = deque(maxlen=20)
        self._connection = http.client.HTTPConnection(LOOPBACK, port, timeout=ANSWER_SECONDS)

    def __call__(self) -> None:
        """Work until the end."""
        deeds: dict[Callable[[], None], int] = {
            self.submit: 100, self.retry: 20, self.repeat: 12, self.contradict: 8,
            self.cancel: 25, self.look: 25, self.fetch: 15, self.count: 6, self.replay: 5,
            self.purge: 4, self.burst: 1,
        }  # fmt: skip
        while not self._ended.wait(self._rng.expovariate(RATE)):
            [deed] = self._rng.choices(list(deeds), list(deeds.values()))
            deed()
        self._connection.close()

    # Submissions

    def submit(self) -> None:
        """Submit a new job."""
        self._number += 1
        job_id = f"{self._name}-{self._number}"
        self._post(Job(job_id, random_payload(self._rng, job_id)), "submit", {202, 429})

    def burst(self) -> None:
        """Submit many at once."""
        for _ in range(BURST):
            self.submit()

    def retry(self) -> None:
        """Submit again what was perhaps not admitted, as clients do."""
        if self._unsure:
            self._post(self._unsure.popleft(), "retry", {200, 202, 429})

    def repeat(self) -> None:
        """Submit again what was admitted."""
        job = self._pick()
        if job is not None:
            self._post(job, "repeat", {200}, else_allowed={202, 429})

    def contradict(self) -> None:
        """Submit another payload under the name of a job that exists."""
        job = self._pick()
        if job is not None and self._certain(job):
            request = {**job.payload["previewRequest"], "title": "Another game"}
            other = Job(job.job_id, {**job.payload, "previewRequest": request}, job.submitted_at)
            answer = self._ask("POST", "/job", body=other.payload)
            self._judge("contradict", job, answer, {409}, else_allowed={202, 429})
            if answer.status != 409:  # it may have been purged just before, and be the other now
                self._book.submitted(job.job_id, answer.status)
                self._accepted.remove(job)

    def _post(
        self, job: Job, what: str, allowed: Collection[int], else_allowed: Collection[int] = ()
    ) -> None:
        answer = self._ask("POST", "/job", body=job.payload)
        self._book.submitted(job.job_id, answer.status)
        self._judge(what, job, answer, allowed, else_allowed)
        if answer.status in AWAY:
            self._unsure.append(job)
        elif answer.status == 202:
            job.submitted_at = time.monotonic()
        if answer.status in (200, 202) and job not in self._accepted:
            self._accepted.append(job)

    # What exists

    def cancel(self) -> None:
        """Cancel one of the last jobs, waiting or running."""
        job = self._pick(last=4)
        if job is not None:
            answer = self._ask("POST", f"/job/{job.job_id}/cancel")
            self._judge("cancel", job, answer, {202, 409}, else_allowed={404})
            if answer.status == 202:
                self._book.acknowledged("cancelled", job.job_id)

    def look(self) -> None:
        """Read a job's status."""
        job = self._pick()
        if job is not None:
            answer = self._ask("GET", f"/job/{job.job_id}/status")
            self._judge("status", job, answer, {200}, else_allowed={404})

    def fetch(self) -> None:
        """Read a preview: whole, or not at all."""
        job = self._pick()
        if job is not None:
            answer = self._ask("GET", f"/job/{job.job_id}/artifact")
            self._judge("artifact", job, answer, {200, 404, 409, 410})
            if answer.status == 200 and hashlib.sha256(answer.body).hexdigest() != answer.etag:
                self._journal.complain(f"{job.job_id}: the file is not what its ETag says")

    def count(self) -> None:
        """Read how deep the queue is."""
        answer = self._ask("GET", "/queue/metrics")
        self._judge("metrics", None, answer, {200})
        if answer.status == 200:
            counts = answer.json()
            depth = counts["waiting"] + counts["active"] + counts["delayed"]
            if depth > QUEUE_MAX:
                self._journal.complain(f"{depth} jobs are live, at most {QUEUE_MAX} may be")

    # Dead letters

    def replay(self) -> None:
        """Replay some dead letters: by name, or the oldest."""
        letters = self._letters()
        named = {"jobIds": self._rng.sample(letters, min(3, len(letters)))}
        body = named if letters and self._rng.random() < 0.5 else {"filter": {}, "limit": 5}
        answer = self._ask("POST", "/dlq/replay", body=body)
        self._judge("replay", None, answer, {202})
        if answer.status == 202:
            for job_id in answer.json()["replayed"]:
                self._book.acknowledged("replayed", job_id)

    def purge(self) -> None:
        """Forget a dead letter."""
        letters = self._letters()
        if letters:
            job_id = self._rng.choice(letters)
            self._book.doomed.add(job_id)
            answer = self._ask("DELETE", f"/dlq/{job_id}")
            self._judge("purge", None, answer, {204, 404, 409})
            if answer.status == 204:
                self._book.acknowledged("forgotten", job_id)

    def _letters(self) -> list[str]:
        answer = self._ask("GET", "/dlq?limit=50")
        self._judge("dead letters", None, answer, {200})
        if answer.status != 200:
            return []
        return [letter["jobId"] for letter in answer.json()["deadLetters"]]

    # The wire

    def _pick(self, *, last: int = 300) -> Job | None:
        jobs = list(self._accepted)[-last:]
        return self._rng.choice(jobs) if jobs else None

    def _certain(self, job: Job) -> bool:
        young = time.monotonic() - job.submitted_at < CERTAIN_SECONDS
        return young and job.job_id not in self._book.doomed

    def _judge(
        self,
        what: str,
        job: Job | None,
        answer: Answer,
        allowed: Collection[int],
        else_allowed: Collection[int] = (),
    ) -> None:
        """Complain of a status that is none of ``allowed``; a forgotten job has others, too."""
        self._book.answered(what, answer.status)
        if answer.status in AWAY or answer.status in allowed:
            return
        if job is None or self._certain(job) or answer.status not in else_allowed:
            name = job.job_id if job is not None else ""
            shown = answer.body[:300].decode(errors="replace")
            self._journal.complain(f"{what} {name} was answered {answer.status}: {shown}")

    def _ask(self, method: str, path: str, *, body: object = None) -> Answer:
        data = None if body is None else json.dumps(body).encode()
        headers = {} if body is None else {"Content-Type": "application/json"}
        try:
            self._connection.request(method, "/api/preview" + path, body=data, headers=headers)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return Answer(0)
        return Answer(response.status, content, response.getheader("ETag", "").strip('"'))
