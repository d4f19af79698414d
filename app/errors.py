"""Every error of the product; the class decides a job's fate.

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
    └── RetryableError            may succeed when repeated
        ├── ArtifactNotReady      409 artifact-not-ready
        ├── QueueFull             429 queue-full
        ├── BrokerUnavailable     503 broker-unavailable
        ├── StorageUnavailable    503 storage-unavailable
        ├── AssetUnavailable      503 asset-unavailable
        ├── RenderTimeout         504 render-timeout
        ├── RenderFailed          500 render-failed
        └── WorkerLost            500 worker-lost

A worker retries whatever is not a :class:`PermanentError`. ``code`` is stable:
clients, metrics and runbooks depend on it. ``detail`` names the bad value and
the remedy, and never holds a secret, a stack trace or a path of the server.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar, Final

#: Base of the ``type`` member of problem documents; the code follows it.
PROBLEM_TYPE_BASE = "urn:mobius:preview:problem:"


@dataclass(frozen=True, slots=True)
class ErrorItem:
    """One violation inside a document.

    Attributes:
        pointer: JSON pointer (RFC 6901) of the offending value, "" for the whole.
        code: Stable kebab-case name of the rule that was broken.
        detail: What is wrong and what would be right.
    """

    pointer: str
    code: str
    detail: str


class PreviewError(Exception):
    """Base of all errors that a client, an operator or a job record may see.

    Args:
        detail: One sentence for a person.
        errors: The single violations, where there are several.
        retry_after_seconds: When repeating makes sense; becomes ``Retry-After``.
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
    """Repeating the same thing gives the same error."""

    code = "permanent-error"
    title = "The job cannot succeed"
    retryable = False


class RetryableError(PreviewError):
    """Repeating may succeed."""


class InvalidJson(PermanentError):
    """The body is no JSON."""

    code, status, title = "invalid-json", 400, "The body is not valid JSON"


class Unauthorized(PermanentError):
    """No API key, or an unknown one."""

    code, status, title = "unauthorized", 401, "A valid API key is required"


class NotFound(PermanentError):
    """No such route."""

    code, status, title = "not-found", 404, "No such resource"


class JobNotFound(PermanentError):
    """No job of that id."""

    code, status, title = "job-not-found", 404, "No such job"


class MethodNotAllowed(PermanentError):
    """The route does not have that method."""

    code, status, title = "method-not-allowed", 405, "Method not allowed"


class JobConflict(PermanentError):
    """The request contradicts the job as it stands."""

    code, status, title = "job-conflict", 409, "The request contradicts the job as it stands"


class ReplayConflict(PermanentError):
    """The job is no dead letter, or no longer."""

    code, status, title = "replay-conflict", 409, "The job is not a dead letter"


class PayloadTooLarge(PermanentError):
    """The body exceeds the limit."""

    code, status, title = "payload-too-large", 413, "The body is too large"


class UnsupportedMediaType(PermanentError):
    """The body is not declared as JSON."""

    code, status, title = "unsupported-media-type", 415, "The body must be application/json"


class RangeNotSatisfiable(PermanentError):
    """The requested range lies outside the file."""

    code, status, title = "range-not-satisfiable", 416, "The range lies outside the file"


class ValidationFailed(PermanentError):
    """The payload breaks the contract; ``errors`` has every violation."""

    code, status, title = "validation-failed", 422, "The payload breaks the contract"


class ArtifactExpired(PermanentError):
    """The file existed and has been swept."""

    code, status, title = "artifact-expired", 410, "The file has expired"


class AssetBlocked(PermanentError):
    """An asset lies outside what a job may read."""

    code, status, title = "asset-blocked", 422, "An asset may not be read"


class AssetFailed(PermanentError):
    """An asset is absent, broken, or not what its type says."""

    code, status, title = "asset-failed", 422, "An asset cannot be used"


class QualityFailed(PermanentError):
    """A finished preview breaks a hard rule; ``errors`` names each. A repeat breaks it again."""

    code, title = "quality-failed", "The finished preview breaks a rule of quality"


class MessageUndecodable(PermanentError):
    """A queued message cannot be decoded or names an unknown actor."""

    code, title = "message-undecodable", "The queued message cannot be decoded"


class ArtifactNotReady(RetryableError):
    """The job has not finished."""

    code, status, title = "artifact-not-ready", 409, "The file is not ready"


class QueueFull(RetryableError):
    """``PREVIEW_QUEUE_MAX`` jobs are live."""

    code, status, title = "queue-full", 429, "The queue is full"


class BrokerUnavailable(RetryableError):
    """Redis is away or refuses commands."""

    code, status, title = "broker-unavailable", 503, "The queue is unavailable"


class StorageUnavailable(RetryableError):
    """The artifact store cannot be read or written."""

    code, status, title = "storage-unavailable", 503, "The artifact store is unavailable"


class AssetUnavailable(RetryableError):
    """The server of a remote asset does not answer, or says that it cannot now."""

    code, status, title = "asset-unavailable", 503, "An asset cannot be fetched now"


class RenderTimeout(RetryableError):
    """The render passed its deadline and was killed."""

    code, status, title = "render-timeout", 504, "The render took too long"


class RenderFailed(RetryableError):
    """The render stopped for a reason that is no fault of the payload."""

    code, title = "render-failed", "The render failed"


class WorkerLost(RetryableError):
    """The job's workers died as often as is allowed."""

    code, title = "worker-lost", "The worker was lost"


#: What a job fails with for what its author had sent: no fault of the system.
REFUSALS: Final = (ValidationFailed, AssetBlocked, AssetFailed)
