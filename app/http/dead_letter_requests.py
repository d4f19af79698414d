"""What may be asked about dead letters: filters, and the body of a replay."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any, Final

from app.contract import RequestSchema
from app.http.openapi import request_schema
from app.http.parameters import (
    Query,
    error_code,
    identifier,
    moment,
    moment_after,
)
from app.ledger import DeadLetterFilter

#: Dead letters that a filtered replay takes, unless asked for otherwise.
DEFAULT_REPLAY: Final = 100


@dataclass(frozen=True, slots=True)
class ReplayRequest:
    """The body of a replay; exactly one of ``job_ids`` and ``wanted`` is given.

    Attributes:
        job_ids: Dead letters by name, each once.
        wanted: Dead letters by what they have in common.
        limit: Most jobs that are tried.
        dry_run: Only say which they would be.
    """

    job_ids: tuple[str, ...] | None
    wanted: DeadLetterFilter | None
    limit: int
    dry_run: bool


def read_filter(query: Query) -> DeadLetterFilter:
    """Read a filter from parameters or from the members of a body; ``query`` notes errors."""
    failed_from = query.read("failedFrom", moment, None)
    return DeadLetterFilter(
        code=query.read("code", error_code, None),
        project=query.read("projectId", identifier, None),
        failed_from=failed_from,
        failed_until=query.read("failedUntil", moment_after(failed_from), None),
    )


def replay_request(body: Any) -> ReplayRequest:
    """Read the parsed body of a replay.

    Raises:
        ValidationFailed: ``errors`` has every violation with its pointer.
    """
    replay_schema().check(body)
    dry_run = body.get("dryRun", False)
    if "jobIds" in body:
        job_ids = tuple(dict.fromkeys(body["jobIds"]))
        return ReplayRequest(job_ids, None, int(body.get("limit", len(job_ids))), dry_run)
    query = Query(body["filter"].get, at="/filter")
    wanted = read_filter(query)
    query.check()
    # In JSON Schema, 5.0 is an integer.
    return ReplayRequest(None, wanted, int(body.get("limit", DEFAULT_REPLAY)), dry_run)


@functools.cache
def replay_schema() -> RequestSchema:
    """Return the schema of a replay's body."""
    return request_schema("ReplayRequest")
