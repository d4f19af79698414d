"""Stills of payloads and jobs: asked for here, drawn by the worker that takes the request."""

from __future__ import annotations

import time
from typing import Any, Final

import orjson

from app.broker.messages import payload_of
from app.contract import Contract
from app.errors import (
    ArtifactExpired,
    ErrorItem,
    JobNotFound,
    NoWorker,
    PreviewError,
    QueueFull,
    RenderFailed,
    RenderTimeout,
    error_classes,
)
from app.ledger import Ledger
from app.metrics import Metrics
from app.stillrequest import StillRequest

#: Separates the error of an answer, which is empty after a success, from the picture.
_END: Final = b"\n"


class Stills:
    """The stills of one queue.

    Args:
        ledger: The queue's ledger.
        contract: Checks payloads.
        metrics: Counts stills by their outcome.

    Every method raises :class:`app.errors.BrokerUnavailable` when Redis is unreachable.
    """

    def __init__(self, ledger: Ledger, *, contract: Contract, metrics: Metrics) -> None:
        self._ledger = ledger
        self._contract = contract
        self._metrics = metrics

    def of_job(self, job_id: str, wanted: StillRequest) -> bytes:
        """Return a still of a job, as :meth:`of_payload` does.

        Raises:
            JobNotFound: There is no job with that id.
            ArtifactExpired: The job has ended and its payload is not kept.
        """
        record = self._ledger.get(job_id)
        if record is None:
            raise JobNotFound.of(job_id)
        payload = payload_of(self._ledger.message(job_id) or b"")
        if payload is None:
            raise ArtifactExpired(
                f"The job has {record.state}, so its payload is not kept. "
                "Post the payload to get a still of it."
            )
        return self.of_payload(payload, wanted)

    def of_payload(self, payload: object, wanted: StillRequest) -> bytes:
        """Return a still of a payload. Nothing is queued or kept.

        Args:
            payload: The job (docs/payload.md). Its ``dryRun`` has no meaning here.
            wanted: Which still.

        Returns:
            The picture in the format that ``wanted`` names.

        Raises:
            ValidationFailed: The payload is not valid, or has no such moment or step.
            AssetBlocked: An asset may not be read.
            AssetFailed: An asset cannot be used.
            NoWorker: No worker draws stills.
            QueueFull: Too many stills wait.
            RenderTimeout: The still was not drawn in time.
            PreviewError: Drawing failed for another reason.
        """
        document = self._contract.check(payload)
        if document["dryRun"]:  # a dry run may ask for what cannot be drawn
            document = self._contract.check({**document, "dryRun": False})
        began = time.monotonic()
        try:
            content = decoded(self._ledger.stills.ask(orjson.dumps(wanted.order(document))))
        except PreviewError as error:
            self._metrics.still(_outcome(error))
            raise
        self._metrics.still("drawn")
        self._metrics.still_duration.observe(time.monotonic() - began)
        return content


def encoded(answer: bytes | PreviewError) -> bytes:
    """Return the answer to a request for a still as :func:`decoded` reads it."""
    if isinstance(answer, bytes):
        return _END + answer
    return orjson.dumps(answer.to_problem() | {"retryAfter": answer.retry_after_seconds}) + _END


def decoded(answer: bytes) -> bytes:
    """Return the picture of an answer.

    Raises:
        PreviewError: The answer is an error, which is raised.
    """
    told, _, content = answer.partition(_END)
    if not told:
        return content
    problem: dict[str, Any] = orjson.loads(told)
    kind = error_classes().get(problem["code"], RenderFailed)
    raise kind(
        problem["detail"],
        errors=[ErrorItem(**item) for item in problem["errors"]],
        retry_after_seconds=problem["retryAfter"],
    )


def _outcome(error: PreviewError) -> str:
    """Return the label under which a still that was not drawn is counted."""
    if isinstance(error, NoWorker | QueueFull | RenderTimeout):
        return error.code
    return "failed" if error.retryable else "refused"
