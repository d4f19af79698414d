"""The paths of the API, each written once, and the links that responses carry."""

from __future__ import annotations

from typing import Final

#: Prefix of everything but the probes.
BASE: Final = "/api/preview"
JOBS: Final = f"{BASE}/jobs"
JOB: Final = f"{BASE}/job"
STATUS: Final = f"{JOB}/{{job_id}}/status"
ARTIFACT: Final = f"{JOB}/{{job_id}}/artifact"
JOB_STILL: Final = f"{JOB}/{{job_id}}/still"
STILL: Final = f"{BASE}/still"
CANCEL: Final = f"{JOB}/{{job_id}}/cancel"
DEAD_LETTERS: Final = f"{BASE}/dlq"
DEAD_LETTER: Final = f"{DEAD_LETTERS}/{{job_id}}"
REPLAY: Final = f"{DEAD_LETTERS}/replay"
QUEUE_METRICS: Final = f"{BASE}/queue/metrics"
WORKER_HEALTH: Final = f"{BASE}/worker/health"
LIVEZ: Final = "/livez"
READYZ: Final = "/readyz"
METRICS: Final = "/metrics"
OPENAPI: Final = "/openapi.json"

#: Asked by machines that have no key; everything else needs one.
OPEN: Final = frozenset({WORKER_HEALTH, LIVEZ, READYZ, METRICS, OPENAPI})
#: Asked every few seconds; logged at debug level only.
PROBES: Final = frozenset({WORKER_HEALTH, LIVEZ, READYZ, METRICS})


def status_of(job_id: str) -> str:
    """Return the path of a job's status."""
    return STATUS.format(job_id=job_id)


def artifact_of(job_id: str, kind: str) -> str:
    """Return the path of one of a job's files."""
    return f"{ARTIFACT.format(job_id=job_id)}?kind={kind}"


def links_of(job_id: str) -> dict[str, str]:
    """Return what a client may ask next about a job."""
    return {
        "status": status_of(job_id),
        "artifact": ARTIFACT.format(job_id=job_id),
        "cancel": CANCEL.format(job_id=job_id),
    }
