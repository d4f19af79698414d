"""Plans dry runs in a child process, with the same limits and deadline as renders."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from app.actors.supervision import Supervision
from app.broker import ClaimedMessage, Verdict
from app.contract import Contract
from app.errors import RenderFailed
from app.ledger import bounded_warnings
from app.render import render_in_child
from app.render.renderers import PLAN_FILE, PLANNING

#: Largest plan that is read from the child: hundreds of steps have less than a megabyte.
MAX_PLAN_BYTES: Final = 8 * 1024 * 1024
#: Largest plan that is stored.
MAX_STORED_BYTES: Final = 1024 * 1024
#: Members that a larger plan lacks, the largest first.
_DETAILS: Final = ("steps", "missingAssets", "assets")


def bounded_plan(plan: Mapping[str, Any]) -> dict[str, Any]:
    """Return a plan of at most :data:`MAX_STORED_BYTES` as JSON.

    Its ``omitted`` names the members that were left out, if any.
    """
    bounded = dict(plan)
    omitted: list[str] = []
    for name in sorted(_DETAILS, key=lambda name: -len(orjson.dumps(plan[name]))):
        if len(orjson.dumps(bounded)) <= MAX_STORED_BYTES:
            break
        del bounded[name]
        omitted.append(name)
        bounded["omitted"] = omitted
    return bounded


@dataclass(frozen=True, slots=True)
class PreviewPlanner:
    """Plans the dry run of a claimed job and sets its verdict.

    A hostile payload may take long to lay out or to hash. So planning has a deadline, renews the
    lease and can be cancelled.

    Attributes:
        supervision: Limits, directories and the shutdown.
        contract: Finds the features for which a job with this payload would be refused.
        target: The function that the child process calls, as "module:function".
    """

    supervision: Supervision
    contract: Contract
    target: str = PLANNING

    def __call__(self, job: ClaimedMessage) -> None:
        """Plan ``job``.

        Raises:
            PreviewError: Planning failed. The class says whether to retry.
        """
        with self.supervision.attempt(job) as attempt:
            settings = self.supervision.settings
            out_dir = attempt.directory / "plan"
            render_in_child(
                job.payload,
                asset_dir=settings.asset_root / job.text("projectId"),
                out_dir=out_dir,
                font_dirs=settings.font_dirs,
                limits=self.supervision.limits(attempt),
                on_tick=attempt.on_tick,
                target=self.target,
            )
            plan = self._read(out_dir / PLAN_FILE)
            refusals = self.contract.unsupported(dict(job.payload))
            warnings = bounded_warnings(
                [
                    *plan["warnings"],
                    *(f"{item.pointer}: {item.detail}" for item in refusals),
                ]
            )
            plan = bounded_plan({**plan, "warnings": warnings})
            job.verdict = Verdict("completed", fields={"plan": plan, "warnings": warnings})

    @staticmethod
    def _read(path: Path) -> dict[str, Any]:
        with path.open("rb") as file:
            content = file.read(MAX_PLAN_BYTES + 1)
        if len(content) > MAX_PLAN_BYTES:
            raise RenderFailed(f"the plan has more than {MAX_PLAN_BYTES} bytes")
        plan: dict[str, Any] = json.loads(content)
        return plan
