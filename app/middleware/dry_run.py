"""DryRun: a job that only asks for its plan is answered without rendering."""

from __future__ import annotations

from collections.abc import Callable

from dramatiq import Broker, Middleware
from dramatiq.broker import MessageProxy
from dramatiq.middleware import SkipMessage

from app.broker import ClaimedMessage, claimed
from app.errors import PreviewError, RenderFailed


class DryRun(Middleware):
    """Answers a dry run with the plan of what would be rendered.

    Hooks: before process. Order: innermost: the job is valid and begun.

    Args:
        planner: Makes the plan of a job and leaves the verdict on it.
    """

    def __init__(self, planner: Callable[[ClaimedMessage], None]) -> None:
        self._planner = planner

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        """Answer a dry run.

        Raises:
            SkipMessage: It was one: the actor is not called.
        """
        job = claimed(message)
        if not job.dry_run:
            return
        try:
            self._planner(job)
        except PreviewError as error:
            job.verdict = job.failed_for(error)
        except Exception as error:  # noqa: BLE001 - Dramatiq would swallow it and run the actor
            failure = RenderFailed("The plan could not be made; the worker's log has the reason.")
            failure.__cause__ = error
            job.verdict = job.failed_for(failure)
        raise SkipMessage("a dry run is answered, not rendered")
