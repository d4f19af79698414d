"""JSON documents about jobs, as the API and the command line show them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from app.contract import public_uri
from app.ledger import DeadLetterFilter, Record, Worker


def status_document(
    record: Record, *, url_for: Callable[[str], str] | None = None
) -> dict[str, Any]:
    """Return a job's status as clients see it.

    Args:
        record: The job.
        url_for: Returns the URL of an artifact of the given kind, where there is an API.
    """
    document = summary_document(record, url_for=url_for)
    document |= {"error": record.error, "warnings": list(record.warnings)}
    if record.plan is not None:
        document["plan"] = record.plan
    return document


def summary_document(
    record: Record, *, url_for: Callable[[str], str] | None = None
) -> dict[str, Any]:
    """Return a job as lists show it: its status without what may be long.

    It has the number of warnings instead of the warnings, an error without its violations, and
    no plan.

    Args:
        record: The job.
        url_for: As for :func:`status_document`.
    """
    progress = record.progress
    # The last report of a render may be older than its last frames.
    completed = record.state == "completed"
    done = progress.frames_total if completed else progress.frames_done
    percent = 100.0 * done / progress.frames_total if progress.frames_total else 100.0 * completed
    return {
        "jobId": record.job_id,
        "projectId": record.project,
        "requestId": record.request,
        "status": record.state,
        "phase": progress.phase if record.state == "active" else record.state,
        "progress": {
            "percent": round(percent, 1),
            "framesDone": done,
            "framesTotal": progress.frames_total,
        },
        "attempt": record.attempt,
        "maxAttempts": record.max_attempts,
        "priority": record.priority,
        "dryRun": record.dry_run,
        "createdAt": rfc3339(record.created_at),
        "startedAt": rfc3339(record.started_at),
        "finishedAt": rfc3339(record.finished_at),
        "heartbeatAt": rfc3339(record.heartbeat_at),
        "error": _brief(record.error),
        "warningCount": len(record.warnings),
        "artifacts": [
            {
                "kind": artifact["kind"],
                "contentType": artifact["contentType"],
                "bytes": artifact["bytes"],
                "sha256": artifact["sha256"],
                **({"url": url_for(artifact["kind"])} if url_for else {"name": artifact["name"]}),
            }
            for artifact in (record.artifacts if record.expired_at is None else ())
        ],
        "expiredAt": rfc3339(record.expired_at),
        "replays": record.replays,
    }


def _brief(error: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if error is None else {**error, "errors": []}


def expired_detail(record: Record) -> str:
    """Return the error message for a file whose retention period is over."""
    return (
        f"The files were deleted at {rfc3339(record.expired_at)}. "
        "To make them again, submit the payload under a new jobId."
    )


def dead_letter_document(record: Record) -> dict[str, Any]:
    """Return a dead letter as operators see it."""
    return {**dead_letter_summary(record), "error": record.error}


def dead_letter_summary(record: Record) -> dict[str, Any]:
    """Return a dead letter as lists show it: its error lacks the violations."""
    return {
        "jobId": record.job_id,
        "projectId": record.project,
        "requestId": record.request,
        "priority": record.priority,
        "dryRun": record.dry_run,
        "createdAt": rfc3339(record.created_at),
        "failedAt": rfc3339(record.finished_at),
        "attempts": record.attempts,
        "maxAttempts": record.max_attempts,
        "replays": record.replays,
        "track": record.track,
        "error": _brief(record.error),
    }


def public_payload(payload: Any) -> Any:
    """Return a payload in which no ``uri`` has a user name, password or query.

    Args:
        payload: Any JSON that is not nested deeply; it need not be valid.
    """
    if isinstance(payload, list):
        return [public_payload(item) for item in payload]
    if not isinstance(payload, dict):
        return payload
    return {
        name: public_uri(value)
        if name == "uri" and isinstance(value, str)
        else public_payload(value)
        for name, value in payload.items()
    }


def filter_document(wanted: DeadLetterFilter) -> dict[str, Any]:
    """Return a filter of dead letters. A member is null where the filter does not limit it."""
    return {
        "code": wanted.code,
        "projectId": wanted.project,
        "failedFrom": rfc3339(wanted.failed_from),
        "failedUntil": rfc3339(wanted.failed_until),
    }


def replay_document(
    replayed: Sequence[str], skipped: Sequence[tuple[str, str]], *, dry_run: bool
) -> dict[str, Any]:
    """Return the result of a replay, or of its dry run.

    Args:
        replayed: The jobs that were queued again.
        skipped: The other jobs, each with the reason.
        dry_run: Whether nothing was queued, only reported.
    """
    return {
        "replayed": list(replayed),
        "skipped": [{"jobId": job_id, "reason": reason} for job_id, reason in skipped],
        "dryRun": dry_run,
    }


def rfc3339(seconds: float | None) -> str | None:
    """Return seconds since 1970 as RFC 3339 in UTC with milliseconds; None stays None."""
    if seconds is None:
        return None
    whole, millis = divmod(round(seconds * 1000), 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{millis:03d}Z"


def workers_document(workers: Sequence[Worker]) -> dict[str, int]:
    """Return the totals of the live workers of a queue."""
    return {
        "alive": len(workers),
        "slots": sum(worker.slots for worker in workers),
        "busy": sum(worker.busy for worker in workers),
        "resting": sum(worker.resting for worker in workers),
    }
