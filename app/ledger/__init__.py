"""The job ledger on Redis: records, indexes and their atomic transitions."""

from app.ledger.connection import connect, redis_errors
from app.ledger.keys import PRIORITIES, STATES, TERMINAL_STATES, Keys, Priority, State
from app.ledger.ledger import Ledger
from app.ledger.records import (
    Admission,
    Begun,
    Claimed,
    Fate,
    Progress,
    QueueStats,
    Record,
    Worker,
)

__all__ = [
    "PRIORITIES",
    "STATES",
    "TERMINAL_STATES",
    "Admission",
    "Begun",
    "Claimed",
    "Fate",
    "Keys",
    "Ledger",
    "Priority",
    "Progress",
    "QueueStats",
    "Record",
    "State",
    "Worker",
    "connect",
    "redis_errors",
]
