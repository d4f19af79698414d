"""Jobs that tests of the ledger admit and claim."""

from __future__ import annotations

import uuid
from typing import Any

from app.ledger import Admission, Claimed, Ledger

INFO = {"slots": 2, "busy": 0, "track": "stable"}


def admission(job_id: str, **changes: Any) -> Admission:
    fields: dict[str, Any] = {
        "job_id": job_id,
        "message_id": uuid.uuid4().hex,
        "message": b"message of " + job_id.encode(),
        "digest": "digest",
        "project": "project",
        "max_attempts": 5,
    }
    return Admission(**{**fields, **changes})


def claim(ledger: Ledger, worker: str = "worker") -> Claimed | None:
    return ledger.claim(worker, token=uuid.uuid4().hex, free=True, info=INFO)[0]


def claim_next(ledger: Ledger) -> Claimed:
    job = claim(ledger)
    assert job is not None
    return job


def state(ledger: Ledger, job_id: str) -> str | None:
    record = ledger.get(job_id)
    return record.state if record else None
