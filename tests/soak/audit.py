"""What must hold when all is quiet: of the history, the files and the keys."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import redis

from app.errors import PreviewError
from app.ledger import Keys, Ledger, Record
from app.storage import ArtifactStore
from tests.faults.history import History
from tests.faults.oracle import broken_results

#: What is left of a queue that has no jobs and no workers: the housekeeping of ``keys.py``.
HOUSEKEEPING: Final = frozenset(
    {"wake", "turn", "clock", "recovering", "round", "stills:slot", "stills:wake"}
)
TICK: Final = "tick:"


def completed(ledger: Ledger) -> list[Record]:
    """Read all completed jobs that are kept."""
    records: list[Record] = []
    cursor: int | None = None
    while True:
        page, cursor = ledger.list_jobs(state="completed", before_us=cursor, limit=200)
        records += page
        if cursor is None:
            return records


def results(records: Sequence[Record], store: ArtifactStore) -> Iterator[str]:
    """Yield the results that are absent or damaged before their time."""
    for record in records:
        try:
            yield from broken_results([record], store)
        except PreviewError as error:
            yield f"{record.job_id}: {error.detail}"


def leftovers(
    history: History,
    records: Sequence[Record],
    store: ArtifactStore,
    work: Path,
    *,
    told: Mapping[str, int],
) -> Iterator[str]:
    """Yield files of attempts that have told their end; only a dead worker may leave any.

    One that dies after it has settled and before it has cleaned up leaves them to the sweep of
    orphans, which is for those that are a day old.

    Args:
        history: Tells which attempts have told their end.
        records: Completed jobs, whose files are no leftovers.
        store: Where results are.
        work: Where attempts write.
        told: Of each job, how many ends of attempts the logs have.
    """
    events = [event for event in history.events if event.kind == "settled"]
    times = Counter(event.job_id for event in events)
    settled = {
        (event.job_id, event.after)
        for event in events
        if told.get(event.job_id, 0) >= times[event.job_id]
    }
    named = {
        artifact["key"].rpartition("/")[0]
        for record in records
        if record.expired_at is None
        for artifact in record.artifacts
    }
    for job_id, fences in store.attempts():
        for fence in fences:
            if (job_id, str(fence)) in settled and f"{job_id}/{fence}" not in named:
                yield f"{job_id}/{fence} has ended, is no result, and its files are there"
    ended = {fence for _, fence in settled}
    for directory in work.glob("*/"):
        if directory.name.partition("-")[0] in ended:
            yield f"work/{directory.name} belongs to an attempt that has ended"


def strange_keys(client: redis.Redis, queues: Sequence[str]) -> Iterator[str]:
    """Yield the keys that outlive all jobs and workers and are no housekeeping."""
    prefixes = [Keys(queue).prefix for queue in queues]
    for key in client.scan_iter(count=1000):
        name = key.decode()
        rest = next((name.removeprefix(item) for item in prefixes if name.startswith(item)), name)
        if rest not in HOUSEKEEPING and not rest.startswith(TICK):
            yield f"the key {name} is left"


def survivors(data_dir: Path) -> Iterator[str]:
    """Yield the processes that still run on ``data_dir`` (Linux)."""
    mark = f"DATA_DIR={data_dir}".encode()
    for environ in Path("/proc").glob("[0-9]*/environ"):
        try:
            if mark in environ.read_bytes().split(b"\0"):
                command = environ.with_name("cmdline").read_bytes().replace(b"\0", b" ")
                yield f"process {environ.parent.name} is left: {command.decode(errors='replace')}"
        except OSError:
            continue  # of another user, or gone meanwhile
