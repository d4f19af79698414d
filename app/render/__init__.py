"""From a payload to the files of its preview. Knows nothing of queues, stores or HTTP.

The heavy parts (:mod:`app.render.engine`) load in the child process only.
"""

from __future__ import annotations

from app.render.child.supervisor import RenderStopped, render_in_child, warm_up
from app.render.model.limits import Limits, StepCachePlace
from app.render.progress import Progress
from app.render.result import RenderedFile, RenderResult

__all__ = [
    "Limits",
    "Progress",
    "RenderResult",
    "RenderStopped",
    "RenderedFile",
    "StepCachePlace",
    "render_in_child",
    "warm_up",
]
