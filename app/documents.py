"""What clients see of jobs: the documents of the API and of the command line."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from app.ledger import DeadLetterFilter, Record, Worker


def status_document(
    record: Record, *, url_for: Callable[[str], str] | None = None
) -> dict[str, Any]:
    """Return a job's status as clients see it.

    Args:
        record: The job.
        url_for: Gives the URL of an artifact by its kind, where there is an API.
    """
    progress = record.progress
    # The last report of a render may be older than its last frames.
    completed = record.state == "completed"
    done = progress.frames_total if completed else progress.frames_done
    percent = 100.0 * done / progress.frames_total if progress.frames_total else 100.0 * completed
    document: dict[str, Any] = {
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
        "error": record.error,
        "warnings": list(record.warnings),
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
    if record.plan is not None:
        document["plan"] = record.plan
    return document


def expired_detail(record: Record) -> str:
    """Return the error message for a file whose retention period is over."""
    return (
        f"The files were kept until {rfc3339(record.expired_at)} and are deleted. "
        "Submit the payload under a new jobId to have them made again."
    )


def dead_letter_document(record: Record) -> dict[str, Any]:
    """Return a dead letter as operators see it."""
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
        "error": record.error,
    }


def filter_document(wanted: DeadLetterFilter) -> dict[str, Any]:
    """Return which dead letters are meant, null where it does not matter."""
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
        replayed: The jobs that are queued again.
        skipped: The others, each with its reason.
        dry_run: Whether nothing was done.
    """
    return {
        "replayed": list(replayed),
        "skipped": [{"jobId": job_id, "reason": reason} for job_id, reason in skipped],
        "dryRun": dry_run,
    }


def rfc3339(seconds: float | None) -> str | None:
    """Return a time as RFC 3339 in UTC with milliseconds, None as None."""
    if seconds is None:
        return None
    whole, millis = divmod(round(seconds * 1000), 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(whole)) + f".{millis:03d}Z"


def workers_document(workers: Sequence[Worker]) -> dict[str, int]:
    """Return the living workers of a queue as clients see them."""
    return {
        "alive": len(workers),
        "slots": sum(worker.slots for worker in workers),
        "busy": sum(worker.busy for worker in workers),
        "resting": sum(worker.resting for worker in workers),
    }
