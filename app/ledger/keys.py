"""The keys of the ledger.

All keys start with ``{queue}:``, so a queue fits into one hash slot and one ACL pattern.
Times in Redis come from the server's clock: ``…_us`` are microseconds, ``…_at`` and
``…_until`` milliseconds since 1970.

==============================  ======  =============================================
key                             type    content
==============================  ======  =============================================
``job:<id>``                    hash    the record of a job, see below
``waiting:<priority>``          zset    claimable jobs, by the time they became so (µs)
``active``                      zset    claimed and running jobs, by the end of their lease
``delayed``                     zset    jobs that wait for a retry or a delay, by due time
``completed`` ``failed``        zset    ended jobs, by the time they ended (µs, strictly
``cancelled``                           increasing); ``failed`` holds the dead letters
``failed:code:<c>``             zset    dead letters with an error code
``failed:project:<p>``          zset    dead letters of a project
``failed:code:<c>:project:<p>`` zset    dead letters of a project with an error code
``failed:transient``            zset    dead letters that the scheduler may replay
``results``                     zset    completed jobs whose files are not yet deleted
``index:all``                   zset    all jobs, by creation (µs, strictly increasing)
``index:state:<state>``         zset    jobs in a state, by creation
``index:project:<project>``     zset    jobs of a project, by creation
``index:state:<s>:project:<p>`` zset    jobs of a project in a state, by creation
``wake``                        list    at most one token, on which idle consumers block
``workers``                     zset    consumers, by the time they were last seen
``workers:info``                hash    consumer → JSON ``{slots,busy,resting,track}``
``claims``                      hash    consumer → its last claim (token and job)
``turn``                        string  position in the ten turns of the priorities
``clock``                       string  the last time (µs) that a job was given: of its
                                        creation, claim or end; strictly increasing
``recovering``                  string  when a recovery ran last (ms), for its period
``round``                       hash    how far the rounds over all live jobs and over all
                                        jobs have come, when a recovery ran last, until when
                                        leases are spared
``stills``                      zset    requests for stills that wait, by the time (ms)
                                        after which nobody waits for them
``stills:wake``                 list    at most one token, on which idle workers block
``stills:slot``                 string  expires unless a worker that draws stills renews it
``still:<id>``                  string  a request, empty once it is taken; expires
``still:<id>:answer``           list    the answer, once; expires
``tick:<name>``                 hash    last run of a cron task: ``at`` (seconds since 1970)
                                        and ``token``
==============================  ======  =============================================

Fields of ``job:<id>``: ``message_id digest priority project created_us request
dry_run max_attempts track traceparent message`` (given at admission; ``message``
is the encoded Dramatiq message and lives until the job is completed or
cancelled), ``state fence worker lease_until settled outcome`` (``fence``
is the time of the last claim, in µs, which no other claim has; ``settled`` is
the fence of the last settle, ``outcome`` is the state
that it came to; ``track`` is that of the last claim, too),
``attempts`` (spent ones) ``starts`` (without an end)
``replays replay`` (their number, the token of the last) ``queued_us started_us
heartbeat_at finished_us due_at expired_at cancel_requested phase frames_done
frames_total``, and JSON in ``error warnings artifacts plan``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["queued", "active", "delayed", "completed", "failed", "cancelled"]
Priority = Literal["high", "normal", "low"]

STATES: tuple[State, ...] = ("queued", "active", "delayed", "completed", "failed", "cancelled")
#: States that a job leaves only when someone replays it.
TERMINAL_STATES: frozenset[State] = frozenset({"completed", "failed", "cancelled"})
PRIORITIES: tuple[Priority, ...] = ("high", "normal", "low")


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of one queue."""

    queue: str

    @property
    def prefix(self) -> str:
        """Prefix of all keys of the queue."""
        return f"{{{self.queue}}}:"

    def job(self, job_id: str) -> str:
        """Key of a job's record."""
        return f"{self.prefix}job:{job_id}"

    def index(self, *, state: str | None = None, project: str | None = None) -> str:
        """Key of the index of jobs, optionally by state and project."""
        parts = ([f"state:{state}"] if state else []) + ([f"project:{project}"] if project else [])
        return self.prefix + ":".join(["index", *parts] if parts else ["index", "all"])

    def dead(self, *, code: str | None = None, project: str | None = None) -> str:
        """Key of the dead letters, optionally by error code and project."""
        parts = ([f"code:{code}"] if code else []) + ([f"project:{project}"] if project else [])
        return self.prefix + ":".join(["failed", *parts])

    def __getitem__(self, name: str) -> str:
        """Key by its name in the table above."""
        return self.prefix + name
