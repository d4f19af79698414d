"""DryRun: a job that only asks for its plan is answered without rendering."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from dramatiq import Broker, Middleware
from dramatiq.broker import MessageProxy
from dramatiq.middleware import SkipMessage

from app.broker import Verdict, claimed
from app.errors import PreviewError, RenderFailed


class DryRun(Middleware):
    """Completes a dry run with the plan that would have been rendered.

    Hooks: before process. Order: innermost: the job is valid and begun.

    Args:
        plan: Makes the plan of a payload, without reading or decoding media.
    """

    def __init__(self, plan: Callable[[Mapping[str, Any]], Mapping[str, Any]]) -> None:
        self._plan = plan

    def before_process_message(self, broker: Broker, message: MessageProxy) -> None:
        """Answer a dry run.

        Raises:
            SkipMessage: It was one: the actor is not called.
        """
        job = claimed(message)
        if not job.dry_run:
            return
        try:
            plan = self._plan(job.payload)
        except PreviewError as error:
            job.verdict = Verdict("failed", error=error)
        except Exception as error:  # noqa: BLE001 - Dramatiq would swallow it and run the actor
            failure = RenderFailed("The plan could not be made; the worker's log has the reason.")
            failure.__cause__ = error
            job.verdict = Verdict("failed", error=failure)
        else:
            warnings = list(plan.get("warnings", ()))
            job.verdict = Verdict("completed", fields={"plan": plan, "warnings": warnings})
        raise SkipMessage("a dry run is answered, not rendered")
