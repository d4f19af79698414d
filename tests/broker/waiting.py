"""What tests of the worker wait for."""

from __future__ import annotations

from app.ledger import Record
from tests.broker.conftest import Rig
from tests.conftest import wait_until


def ended(rig: Rig, job_id: str) -> Record:
    def done() -> bool:
        record = rig.ledger.get(job_id)
        return record is not None and record.state in {"completed", "failed", "cancelled"}

    wait_until(done, f"{job_id} ends")
    record = rig.ledger.get(job_id)
    assert record is not None
    return record


def idle(rig: Rig) -> None:
    wait_until(lambda: rig.slots.busy(rig.ledger.queue) == 0, "all slots are free")
