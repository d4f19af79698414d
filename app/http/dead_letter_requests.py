"""What may be asked about dead letters: filters, and the body of a replay."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from app.contract import RequestSchema, load_contract
from app.http.parameters import (
    CODE_PATTERN,
    Query,
    error_code,
    identifier,
    moment,
    moment_after,
)
from app.ledger import DeadLetterFilter

#: Dead letters that a filtered replay takes, unless asked for otherwise.
DEFAULT_REPLAY: Final = 100
#: Most dead letters of one replay.
MAX_REPLAY: Final = 1000


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
    """Return the schema of a replay's body; its identifiers and times are the contract's."""
    return RequestSchema(
        {
            "type": "object",
            "description": "Which dead letters to queue again: those named, or those that match.",
            "additionalProperties": False,
            "oneOf": [{"required": ["jobIds"]}, {"required": ["filter"]}],
            "properties": {
                "jobIds": {
                    "type": "array",
                    "description": "In the order in which they shall be queued.",
                    "maxItems": MAX_REPLAY,
                    "items": _defined("id"),
                },
                "filter": {
                    "type": "object",
                    "description": "The oldest that match; without any member, all do.",
                    "additionalProperties": False,
                    "properties": filter_schemas(),
                },
                "limit": {
                    "type": "integer",
                    "description": f"Most jobs. Without it, all of jobIds, or {DEFAULT_REPLAY} "
                    "that match the filter.",
                    "minimum": 1,
                    "maximum": MAX_REPLAY,
                },
                "dryRun": {
                    "type": "boolean",
                    "description": "Only say which they are.",
                    "default": False,
                },
            },
        }
    )


def filter_schemas() -> dict[str, Any]:
    """Return the schema of each member of a filter."""
    return {
        "code": {
            "type": "string",
            "description": "The code of an error, such as render-failed.",
            "pattern": CODE_PATTERN,
        },
        "projectId": _defined("id"),
        "failedFrom": {**_defined("timestamp"), "description": "Failed then or later (RFC 3339)."},
        "failedUntil": {**_defined("timestamp"), "description": "Failed before then (RFC 3339)."},
    }


def _defined(name: str) -> Mapping[str, Any]:
    definition: Mapping[str, Any] = load_contract().schema["$defs"][name]
    return definition
