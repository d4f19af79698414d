"""The oracle finds what it is there to find."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.client import PreviewClient
from app.ledger import Ledger
from app.settings import Settings
from tests.conftest import wait_until
from tests.faults.history import LOGGED, Event, History, Kind, read_history
from tests.faults.oracle import violations
from tests.ledger.jobs import admission, claim_next
from tests.support.redis_servers import RedisServer


def history(*events: tuple[Kind, str, str]) -> History:
    """Events of job "a", one a transaction: kind, before, after."""
    return History(
        [
            Event(number, kind, "a", before, after)
            for number, (kind, before, after) in enumerate(events)
        ]
    )


BORN: tuple[Kind, str, str] = ("accepted", "", "m")
QUEUED: tuple[Kind, str, str] = ("state", "", "queued")
ACTIVE: tuple[Kind, str, str] = ("state", "queued", "active")
DONE: tuple[Kind, str, str] = ("state", "active", "completed")


@pytest.mark.parametrize(
    ("events", "complaint"),
    [
        ([BORN, QUEUED, BORN], "accepted twice"),
        ([BORN, QUEUED, ACTIVE, DONE, ("state", "completed", "active")], "became active"),
        ([BORN, QUEUED, ACTIVE, DONE, DONE], "committed 2 times"),
        ([BORN, QUEUED, ACTIVE, DONE, ("started", "", "1")], "when it was not waiting"),
        ([BORN, QUEUED, ("started", "", "1"), ("started", "", "1")], "started twice"),
        ([BORN, QUEUED, ACTIVE, ("settled", "2", "1")], "settled by 1"),
        ([BORN, QUEUED, ("replayed", "", "1")], "no dead letter"),
        ([BORN, QUEUED, ACTIVE, ("state", "active", "failed"), QUEUED], "became queued"),
        ([BORN, QUEUED, ("forgotten", "queued", "")], "forgotten before its end"),
        ([BORN, QUEUED, ACTIVE, DONE], "the ledger counts 0 completed, its history 1"),
        ([BORN], "accepted and replayed are not"),
        ([], "b was accepted and is in no log"),
        ([BORN, QUEUED], "1 live jobs"),
    ],
)
def test_a_broken_promise_is_named(
    ledger: Ledger, events: list[tuple[Kind, str, str]], complaint: str
) -> None:
    found = violations(history(*events), accepted={"b"}, ledger=ledger, queue_max=0)
    assert any(complaint in sentence for sentence in found)


def test_a_life_is_read_from_the_servers_log(tmp_path: Path) -> None:
    with RedisServer(tmp_path / "redis", *LOGGED) as server:
        settings = Settings(redis_url=server.url, app_env="test", preview_queue_name="q")
        ledger = PreviewClient.from_settings(settings).ledger
        ledger.admit(admission("a"), limit=None)
        job = claim_next(ledger)
        ledger.settle("a", job.fence, "failed", fields={"error": {"code": "c"}})
        ledger.archive.replay(["a"], limit=None)
        ledger.cancel("a")
        wait_until(lambda: len(read_history(server.directory, "q").events) == 9, "it is written")
        found = read_history(server.directory, "q")
        kinds = [event.kind for event in found.events if event.kind != "state"]
        assert kinds == ["accepted", "started", "settled", "replayed"]
        states = [event.after for event in found.events if event.kind == "state"]
        assert states == ["queued", "active", "failed", "queued", "cancelled"]
        assert list(violations(found, accepted={"a"}, ledger=ledger, queue_max=1)) == []
