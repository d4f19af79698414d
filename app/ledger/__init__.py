"""The job ledger on Redis: records, indexes and their atomic transitions."""

from app.ledger.archive import Archive
from app.ledger.bounds import bounded_warnings
from app.ledger.connection import connect, redis_errors
from app.ledger.keys import PRIORITIES, STATES, TERMINAL_STATES, Keys, Priority, State
from app.ledger.ledger import RECOVER_SECONDS, Ledger
from app.ledger.records import (
    Admission,
    Claimed,
    DeadLetterFilter,
    Fate,
    Progress,
    QueueStats,
    Record,
    Recovered,
    Recovery,
    Replay,
    Retention,
    Swept,
    Worker,
)
from app.ledger.stills import STILL_SECONDS, StillQueue, TakenStill

__all__ = [
    "PRIORITIES",
    "RECOVER_SECONDS",
    "STATES",
    "STILL_SECONDS",
    "TERMINAL_STATES",
    "Admission",
    "Archive",
    "Claimed",
    "DeadLetterFilter",
    "Fate",
    "Keys",
    "Ledger",
    "Priority",
    "Progress",
    "QueueStats",
    "Record",
    "Recovered",
    "Recovery",
    "Replay",
    "Retention",
    "State",
    "StillQueue",
    "Swept",
    "TakenStill",
    "Worker",
    "bounded_warnings",
    "connect",
    "redis_errors",
]
