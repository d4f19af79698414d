"""Validation: an invalid payload is never run."""

from __future__ import annotations

from dramatiq import Broker, Middleware
from dramatiq.broker import MessageProxy
from dramatiq.middleware import SkipMessage

from app.broker import Verdict, claimed
from app.contract import Contract
from app.errors import PreviewError, ValidationFailed
from app.logs import get_logger

log = get_logger(__name__)


class Validation(Middleware):
    """Makes dead letters of invalid payloads, without spending an attempt.

    The API checks what it accepts. This catches messages from a plain ``send()`` or from a
    producer of another version.

    Hooks: before process. Order: outside Idempotency, so that an invalid payload does not count
    as begun.

    Args:
        contract: Validates payloads.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        """Check the payload.

        Raises:
            SkipMessage: The payload is invalid. The message is marked as failed.
        """
        job = claimed(message)
        if not job.renders:
            return
        try:
            self._contract.check(job.args[0] if job.args else None)
        except ValidationFailed as error:
            job.verdict = Verdict("failed", error=error)
            job.fail()
            raise SkipMessage(error.detail) from None
        except Exception as error:
            # Dramatiq would swallow the error and run the actor with an unchecked payload.
            log.exception("validation.broken")
            job.verdict = Verdict("failed", error=PreviewError("The payload cannot be validated."))
            job.fail()
            raise SkipMessage("validation failed unexpectedly") from error
