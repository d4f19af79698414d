"""Validation: a payload that breaks the contract is never run."""

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
    """Rejects bad payloads to the dead letters, without an attempt.

    The API has checked what it accepts; this guards what comes from plain
    ``send()`` or from a producer of another version.

    Hooks: before process. Order: outside of Idempotency, so that a bad payload
    does not count as begun.

    Args:
        contract: What payloads must meet.
    """

    def __init__(self, contract: Contract) -> None:
        self._contract = contract

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        """Check the payload.

        Raises:
            SkipMessage: It breaks the contract; the message is failed.
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
            # Dramatiq would swallow it and run the actor on what nobody has checked.
            log.exception("validation.broken")
            job.verdict = Verdict("failed", error=PreviewError("The payload cannot be checked."))
            job.fail()
            raise SkipMessage("validation is broken") from error
