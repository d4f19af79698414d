"""Dramatiq's broker and consumer on the job ledger."""

from app.broker.broker import LedgerBroker
from app.broker.claimed import ClaimedMessage, Verdict, claimed
from app.broker.messages import RENDER_ACTOR
from app.broker.signs import WorkerLife, WorkerSigns
from app.broker.slots import Slots

__all__ = [
    "RENDER_ACTOR",
    "ClaimedMessage",
    "LedgerBroker",
    "Slots",
    "Verdict",
    "WorkerLife",
    "WorkerSigns",
    "claimed",
]
