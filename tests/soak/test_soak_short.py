"""A soak of seconds, so that the long one never rots; and its checks, which must find things."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from app.ledger import Ledger
from app.settings import Settings
from app.storage import ArtifactStore
from tests.faults.history import Event, History
from tests.ledger.jobs import admission
from tests.soak import audit, logs
from tests.soak.__main__ import table
from tests.soak.book import Book
from tests.soak.run import Soak
from tests.soak.samples import Sample, growth

#: Of load and faults; start and end take as long again.
SOAK_SECONDS = 15.0


@pytest.mark.timeout(400)
def test_a_short_soak_finds_nothing() -> None:
    with tempfile.TemporaryDirectory(prefix="soak-") as directory:  # a short name, for sockets
        soak = Soak(Path(directory), seconds=SOAK_SECONDS, seed=1)
        broken = soak.run()
    assert broken == []
    assert soak.book.accepted
    assert soak.figures["jobs completed"]
    assert soak.journal.counts
    assert any("submit: 202" in line for line in table(soak))


def accepted(job_id: str) -> Event:
    return Event(1, "accepted", job_id, after="m")


def test_an_answer_that_was_not_meant_is_found() -> None:
    book = Book()
    for job_id, status in (("kept", 202), ("lost", 0), ("away", 503), ("full", 429)):
        book.submitted(job_id, status)
    events = [accepted(job_id) for job_id in ("kept", "lost", "away", "full")]
    assert list(book.broken(History(events))) == ["full was refused and yet admitted"]
    book.acknowledged("cancelled", "kept")
    book.acknowledged("cancelled", "kept")
    book.acknowledged("replayed", "kept")
    happened = [Event(2, "state", "kept", "queued", "cancelled"), Event(3, "replayed", "kept")]
    assert list(book.broken(History(happened))) == []
    book.acknowledged("replayed", "kept")
    assert list(book.broken(History(happened))) == [
        "kept was told 2 times to be replayed, and was 1 times"
    ]


def test_files_of_an_attempt_that_has_ended_are_found(tmp_path: Path) -> None:
    store = ArtifactStore((tmp_path / "artifacts").as_uri())
    (tmp_path / "file").write_bytes(b"film")
    ended, other = "1795331000000001", "1795331000000002"
    for fence in (ended, other):
        store.put(f"job/{fence}/preview.mp4", tmp_path / "file")
        (tmp_path / "work" / f"{fence}-abc").mkdir(parents=True)
    history = History([Event(1, "settled", "job", ended, ended)])
    found = list(audit.leftovers(history, [], store, tmp_path / "work", told={"job": 1}))
    assert len(found) == 2
    assert all(f"/{ended}" in sentence for sentence in found)
    cut_off = audit.leftovers(history, [], store, tmp_path / "work", told={})
    assert list(cut_off) == [], "its worker died before it could clean up"


def test_a_key_that_outlives_its_job_is_found(ledger: Ledger, settings: Settings) -> None:
    ledger.admit(admission("a"), limit=None)
    client = ledger._client
    found = "\n".join(audit.strange_keys(client, [ledger.queue]))
    for name in ("job:a", "index:all", "waiting:normal"):
        assert ledger.keys[name] in found
    assert ledger.keys["clock"] not in found


@pytest.mark.parametrize(
    ("last", "complaint"),
    [
        (Sample(frozenset({1}), 100.0, 10, 20), None),
        (Sample(frozenset({1}), 200.0, 10, 20), "memory of it has grown from 100 to 200 MiB"),
        (Sample(frozenset({1}), 100.0, 30, 20), "30 threads"),
        (Sample(frozenset({1}), 100.0, 10, 90), "90 descriptors"),
        (Sample(frozenset({2}), 100.0, 10, 20), "other processes"),
    ],
)
def test_what_grows_is_found(last: Sample, complaint: str | None) -> None:
    samples = [Sample(frozenset({1}), 100.0, 10, 20)] * 100 + [last] * 20
    found = list(growth("it", samples))
    assert len(found) == (complaint is not None)
    assert complaint is None or complaint in found[0]


def test_a_traceback_that_nobody_knows_is_found(tmp_path: Path) -> None:
    log = tmp_path / "scheduler.log"
    told = "Traceback (most recent call last):\\n  x\\n{}: away"
    line = '{{"level":"error","event":"Unhandled error:","exception":"' + told + '"}}\n'
    log.write_text(line.format("app.errors.BrokerUnavailable"))
    assert list(logs.tracebacks(log)) == []
    assert logs.troubles([log]) == {"error Unhandled error:": 1}
    with log.open("a") as more:
        more.write(line.format("KeyError"))
        more.write("Traceback (most recent call last):\n  x\nValueError: bad\n")
    assert list(logs.tracebacks(log)) == [
        "scheduler.log: Unhandled error: KeyError: away",
        "scheduler.log: (no event) ValueError: bad",
    ]
