"""All errors of the product. The class of an error decides whether a job is retried.

::

    PreviewError
    ├── PermanentError            fails at once, never retried
    │   ├── InvalidJson           400 invalid-json
    │   ├── Unauthorized          401 unauthorized
    │   ├── NotFound              404 not-found
    │   ├── JobNotFound           404 job-not-found
    │   ├── MethodNotAllowed      405 method-not-allowed
    │   ├── JobConflict           409 job-conflict
    │   ├── ReplayConflict        409 replay-conflict
    │   ├── PayloadTooLarge       413 payload-too-large
    │   ├── UnsupportedMediaType  415 unsupported-media-type
    │   ├── RangeNotSatisfiable   416 range-not-satisfiable
    │   ├── ValidationFailed      422 validation-failed
    │   ├── ArtifactExpired       410 artifact-expired
    │   ├── AssetBlocked          422 asset-blocked
    │   ├── AssetFailed           422 asset-failed
    │   ├── QualityFailed         500 quality-failed
    │   └── MessageUndecodable    500 message-undecodable
    └── RetryableError            may succeed when tried again
        ├── ArtifactNotReady      409 artifact-not-ready
        ├── QueueFull             429 queue-full
        ├── BrokerUnavailable     503 broker-unavailable
        ├── NoWorker              503 no-worker
        ├── StorageUnavailable    503 storage-unavailable
        ├── AssetUnavailable      503 asset-unavailable
        ├── RenderTimeout         504 render-timeout
        ├── RenderFailed          500 render-failed
        └── WorkerLost            500 worker-lost

A worker retries every error that is not a :class:`PermanentError`. Clients, metrics and
runbooks depend on ``code``, so it never changes. ``detail`` names the bad value and the
remedy. It never contains a secret, a stack trace or a path on the server.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final

#: Prefix of the ``type`` member of problem documents; the code follows it.
PROBLEM_TYPE_BASE = "urn:mobius:preview:problem:"


@dataclass(frozen=True, slots=True)
class ErrorItem:
    """One violation inside a document.

    Attributes:
        pointer: JSON pointer (RFC 6901) to the bad value, "" for the whole document.
        code: Stable kebab-case name of the broken rule.
        detail: What is wrong, and how to fix it.
    """

    pointer: str
    code: str
    detail: str


class PreviewError(Exception):
    """Base class of the errors that clients, operators and job records see.

    Args:
        detail: One sentence for a person.
        errors: The individual violations, if there are any.
        retry_after_seconds: When to try again; sent as the ``Retry-After`` header.
    """

    code: ClassVar[str] = "internal-error"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = True

    def __init__(
        self,
        detail: str = "",
        *,
        errors: Sequence[ErrorItem] = (),
        retry_after_seconds: int | None = None,
    ) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.errors = tuple(errors)
        self.retry_after_seconds = retry_after_seconds

    def to_problem(self, *, request_id: str = "", instance: str = "") -> dict[str, Any]:
        """Return the RFC 9457 problem document of this error."""
        return {
            "type": PROBLEM_TYPE_BASE + self.code,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "code": self.code,
            "retryable": self.retryable,
            "requestId": request_id,
            "errors": [asdict(item) for item in self.errors],
        }


class PermanentError(PreviewError):
    """Trying again gives the same error."""

    code = "permanent-error"
    title = "The job cannot succeed"
    retryable = False


class RetryableError(PreviewError):
    """Trying again may succeed."""


class InvalidJson(PermanentError):
    """The body is not JSON."""

    code, status, title = "invalid-json", 400, "The body is not valid JSON"


class Unauthorized(PermanentError):
    """The API key is missing or unknown."""

    code, status, title = "unauthorized", 401, "A valid API key is required"


class NotFound(PermanentError):
    """There is no such route."""

    code, status, title = "not-found", 404, "No such resource"


class JobNotFound(PermanentError):
    """There is no job with that id."""

    code, status, title = "job-not-found", 404, "No such job"

    @classmethod
    def of(cls, job_id: str) -> JobNotFound:
        """Return the error of a request that names ``job_id``."""
        return cls(f"There is no job {job_id!r}.")


class MethodNotAllowed(PermanentError):
    """The route does not support the method."""

    code, status, title = "method-not-allowed", 405, "Method not allowed"


class JobConflict(PermanentError):
    """The request conflicts with the state or payload of the job."""

    code, status, title = "job-conflict", 409, "The request conflicts with the job"


class ReplayConflict(PermanentError):
    """The job is not a dead letter, or no longer one."""

    code, status, title = "replay-conflict", 409, "The job is not a dead letter"


class PayloadTooLarge(PermanentError):
    """The body exceeds the limit."""

    code, status, title = "payload-too-large", 413, "The body is too large"


class UnsupportedMediaType(PermanentError):
    """The ``Content-Type`` of the body is not JSON."""

    code, status, title = "unsupported-media-type", 415, "The body must be application/json"


class RangeNotSatisfiable(PermanentError):
    """The requested range is outside the file."""

    code, status, title = "range-not-satisfiable", 416, "The range is outside the file"


class ValidationFailed(PermanentError):
    """The payload is not valid; ``errors`` lists every violation."""

    code, status, title = "validation-failed", 422, "The payload is not valid"


class ArtifactExpired(PermanentError):
    """The file existed, but its retention period is over."""

    code, status, title = "artifact-expired", 410, "The file has expired"


class AssetBlocked(PermanentError):
    """A job may not read one of its assets."""

    code, status, title = "asset-blocked", 422, "An asset may not be read"


class AssetFailed(PermanentError):
    """An asset is missing, damaged or of the wrong type."""

    code, status, title = "asset-failed", 422, "An asset cannot be used"


class QualityFailed(PermanentError):
    """A finished preview breaks a quality rule, and would again; ``errors`` lists the rules."""

    code, title = "quality-failed", "The finished preview breaks a quality rule"


class MessageUndecodable(PermanentError):
    """A queued message cannot be decoded or names an unknown actor."""

    code, title = "message-undecodable", "The queued message cannot be decoded"


class ArtifactNotReady(RetryableError):
    """The job has not finished."""

    code, status, title = "artifact-not-ready", 409, "The file is not ready"


class QueueFull(RetryableError):
    """The queue already holds ``PREVIEW_QUEUE_MAX`` live jobs."""

    code, status, title = "queue-full", 429, "The queue is full"


class BrokerUnavailable(RetryableError):
    """Redis is unreachable or refuses commands."""

    code, status, title = "broker-unavailable", 503, "The queue is unavailable"


class NoWorker(RetryableError):
    """No worker is there that could answer at once."""

    code, status, title = "no-worker", 503, "No worker is there"


class StorageUnavailable(RetryableError):
    """The artifact store cannot be read or written to."""

    code, status, title = "storage-unavailable", 503, "The artifact store is unavailable"


class AssetUnavailable(RetryableError):
    """The server of a remote asset does not respond, or is temporarily unavailable."""

    code, status, title = "asset-unavailable", 503, "An asset cannot be fetched at the moment"


class RenderTimeout(RetryableError):
    """The render exceeded its deadline and was killed."""

    code, status, title = "render-timeout", 504, "The render took too long"


class RenderFailed(RetryableError):
    """The render failed for a reason that has nothing to do with the payload."""

    code, title = "render-failed", "The render failed"


class WorkerLost(RetryableError):
    """The job's workers died ``PREVIEW_MAX_STARTS`` times."""

    code, title = "worker-lost", "The worker was lost"


#: Errors that the author of a job has to fix; the system is not at fault.
REFUSALS: Final = (ValidationFailed, AssetBlocked, AssetFailed)


def error_classes() -> dict[str, type[PreviewError]]:
    """Return every class of error by its code."""
    found: dict[str, type[PreviewError]] = {}
    waiting: list[type[PreviewError]] = [PreviewError]
    while waiting:
        kind = waiting.pop()
        found.setdefault(kind.code, kind)
        waiting.extend(kind.__subclasses__())
    return found
