"""Dramatiq middleware, one noun a module, and the one list of their order."""

from app.middleware.cooldown import Cooldown
from app.middleware.dry_run import DryRun
from app.middleware.idempotency import Idempotency
from app.middleware.log_context import LogContext
from app.middleware.metrics import JobMetrics
from app.middleware.orphanage import Orphanage, master_lives
from app.middleware.probes import Probes
from app.middleware.settlement import Settlement
from app.middleware.shutdown import Shutdown
from app.middleware.still_slot import StillSlot
from app.middleware.traces import Traces
from app.middleware.validation import Validation
from app.middleware.warm_up import WarmUp

__all__ = [
    "Cooldown",
    "DryRun",
    "Idempotency",
    "JobMetrics",
    "LogContext",
    "Orphanage",
    "Probes",
    "Settlement",
    "Shutdown",
    "StillSlot",
    "Traces",
    "Validation",
    "WarmUp",
    "master_lives",
]
