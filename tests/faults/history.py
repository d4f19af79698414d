"""What happened to every job, read from the server's append-only file.

The file holds each write of each script in the order in which it took effect,
whatever died in between: a log that nothing of the product has written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from app.ledger import Keys

#: Options of a server that keeps a readable log of everything.
LOGGED = (
    "--appendonly", "yes", "--appendfsync", "everysec", "--aof-use-rdb-preamble", "no",
    "--auto-aof-rewrite-percentage", "0",
)  # fmt: skip

Kind = Literal["accepted", "state", "started", "settled", "replayed", "forgotten"]


@dataclass(frozen=True, slots=True)
class Event:
    """One change of one job; ``before`` and ``after`` are states or fences."""

    transaction: int
    kind: Kind
    job_id: str
    before: str = ""
    after: str = ""


@dataclass
class History:
    """The events of a queue and what they leave behind."""

    events: list[Event] = field(default_factory=list)
    #: The records at the end, by job.
    records: dict[str, dict[str, str]] = field(default_factory=dict)


def _commands(data: bytes) -> Iterator[list[bytes]]:
    """Yield the commands of an append-only file; the last may be cut off."""
    position = 0
    while position < len(data):
        end = data.find(b"\r\n", position)
        if end < 0:
            return
        line = data[position:end]
        position = end + 2
        if not line.startswith(b"*"):
            continue  # a time stamp
        words = []
        for _ in range(int(line[1:])):
            end = data.find(b"\r\n", position)
            if end < 0:
                return
            size = int(data[position + 1 : end])
            words.append(data[end + 2 : end + 2 + size])
            position = end + 2 + size + 2
        if position > len(data):
            return
        yield words


def _transactions(directory: Path) -> Iterator[list[list[str]]]:
    """Yield the commands that took effect together."""
    together: list[list[str]] | None = None
    files = sorted(
        directory.glob("appendonlydir/*.incr.aof"), key=lambda path: int(path.name.split(".")[-3])
    )
    for path in files:
        for command in _commands(path.read_bytes()):
            words = [word.decode(errors="replace") for word in command]
            name = words[0].upper()
            if name == "MULTI":
                together = []
            elif name == "EXEC":
                yield together or []
                together = None
            elif together is not None:
                together.append(words)
            else:
                yield [words]


def read_history(directory: Path, queue: str) -> History:
    """Read what happened to the jobs of ``queue`` on the server whose data is in ``directory``."""
    prefix = Keys(queue).job("")
    history = History()
    for number, commands in enumerate(_transactions(directory)):
        for words in commands:
            if len(words) > 1 and words[1].startswith(prefix):
                job_id = words[1].removeprefix(prefix)
                history.events += _apply(history.records, number, job_id, words)
    return history


def _apply(
    records: dict[str, dict[str, str]], number: int, job_id: str, words: list[str]
) -> Iterator[Event]:
    record = records.setdefault(job_id, {})
    match words[0].upper():
        case "HSET" | "HSETNX" | "HMSET":
            for name, value in zip(words[2::2], words[3::2], strict=True):
                yield from _told(record, number, job_id, name, value)
                record[name] = value
        case "HINCRBY":
            record[words[2]] = str(int(record.get(words[2], "0")) + int(words[3]))
            if words[2] == "replays":
                yield Event(number, "replayed", job_id, after=record["replays"])
        case "HDEL":
            for name in words[2:]:
                record.pop(name, None)
        case "DEL" | "UNLINK":
            yield Event(number, "forgotten", job_id, before=records.pop(job_id).get("state", ""))


def _told(
    record: dict[str, str], number: int, job_id: str, name: str, value: str
) -> Iterator[Event]:
    if name == "message_id":
        yield Event(number, "accepted", job_id, after=value)
    elif name == "state":
        yield Event(number, "state", job_id, record.get("state", ""), value)
    elif name == "fence" and value != "0":
        yield Event(number, "started", job_id, record.get("state", ""), value)
    elif name == "settled":
        yield Event(number, "settled", job_id, record.get("fence", ""), value)
