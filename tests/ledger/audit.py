"""All keys of a queue, held against its records and against what ``keys.py`` documents."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any, cast

import redis

from app.ledger import TERMINAL_STATES, Keys, keys

#: What each key holds, by its name without the queue's prefix.
Contents = Mapping[str, Any]
#: A record as it is stored.
Fields = Mapping[str, str]

#: Replays after which the scheduler leaves a dead letter to a person.
MOST_AUTO_REPLAYS = 2
#: A test makes leases end and delays pass by scores below this; no time is so early.
TAMPERED = 1_000_000
#: Times that a repeated call may renew: that they are there is compared, not what they are.
RENEWED = ("lease_until", "heartbeat_at", "cancel_requested")
#: Keys of which the same is true.
RENEWED_SCORES = ("active", "workers")
#: Where recovery stands: it moves on by design whenever it is asked.
PLACE = ("round", "recovering")


def _documented() -> tuple[list[tuple[re.Pattern[str], str]], set[str]]:
    """Read the names and types of keys, and the fields of a record, as ``keys.py`` has them."""
    _, table, fields = re.split(r"={20,}.*\n(?:key .*\n=.*\n)?", keys.__doc__ or "")
    rows = []
    kind = ""
    for line in table.splitlines():
        kind = line[32:38].strip() or kind
        for name in re.findall(r"``(.+?)``", line[:32]):
            parts = map(re.escape, re.split(r"<\w+>", name))
            rows.append((re.compile("(.*)".join(parts)), kind))
    names = re.findall(r"``([a-z_ ]+)``", fields.replace("\n", " "))
    return rows, {field for group in names for field in group.split()}


DOCUMENTED_KEYS, DOCUMENTED_FIELDS = _documented()
#: Reads all keys of a queue at one moment: name, type and content of each.
READ = """
local found = {}
for _, key in ipairs(redis.call('KEYS', KEYS[1] .. '*')) do
  local kind = redis.call('TYPE', key).ok
  local content
  if kind == 'hash' then content = redis.call('HGETALL', key)
  elseif kind == 'zset' then content = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  elseif kind == 'list' then content = redis.call('LRANGE', key, 0, -1)
  else content = {redis.call('GET', key)} end
  found[#found + 1] = {key, kind, content}
end
return found
"""


def kind_of(name: str) -> str:
    """Return the type of a key; fail when ``keys.py`` does not document it."""
    for pattern, kind in DOCUMENTED_KEYS:
        if pattern.fullmatch(name):
            return kind
    raise AssertionError(f"keys.py does not document {name!r}")


def contents(client: redis.Redis, names: Keys) -> Contents:
    """Read all keys of a queue; sorted sets as ``{member: score}`` in their order."""
    found: dict[str, Any] = {}
    for key, kind, content in cast("list[Any]", client.eval(READ, 1, names.prefix)):
        name = key.decode().removeprefix(names.prefix)
        assert kind_of(name) == kind.decode(), name
        words = [word.decode() for word in content]
        pairs = zip(words[::2], words[1::2], strict=False)
        if kind == b"hash":
            found[name] = dict(pairs)
        elif kind == b"zset":
            found[name] = {member: int(score) for member, score in pairs}
        else:
            found[name] = words if kind == b"list" else words[0]
    return found


def records(found: Contents) -> dict[str, Fields]:
    """Return the records of all jobs."""
    return {
        name.removeprefix("job:"): fields
        for name, fields in found.items()
        if name.startswith("job:")
    }


def sets_of(job_id: str, job: Fields) -> Iterator[tuple[str, int]]:
    """Yield every sorted set that must hold a job, and at which score."""
    state, project, created = job["state"], job["project"], int(job["created_us"])
    for index in (
        "all",
        f"project:{project}",
        f"state:{state}",
        f"state:{state}:project:{project}",
    ):
        yield f"index:{index}", created
    if state == "queued":
        yield f"waiting:{job['priority']}", int(job["queued_us"])
    elif state == "active":
        yield "active", int(job["lease_until"])
    elif state == "delayed":
        yield "delayed", int(job["due_at"])
    else:
        yield state, int(job["finished_us"])
    if state == "failed":
        error = json.loads(job["error"])
        code = f":code:{error['code']}"
        for name in (code, f":project:{project}", f"{code}:project:{project}"):
            yield f"failed{name}", int(job["finished_us"])
        if error["retryable"] and int(job.get("replays", 0)) < MOST_AUTO_REPLAYS:
            yield "failed:transient", int(job["finished_us"])


def check(found: Contents) -> None:
    """Assert that every sorted set of jobs holds those that it must and no other."""
    expected: dict[str, dict[str, int]] = defaultdict(dict)
    jobs = records(found)
    for job_id, job in jobs.items():
        _check_fields(job)
        for name, score in sets_of(job_id, job):
            expected[name][job_id] = score
    actual = {
        name: members
        for name, members in found.items()
        if kind_of(name) == "zset" and name not in {"workers", "results"}
    }
    assert {name: set(members) for name, members in actual.items()} == {
        name: set(members) for name, members in expected.items()
    }
    for name, members in actual.items():
        for job_id, score in members.items():
            if score > TAMPERED:
                assert score == expected[name][job_id], (name, job_id)
        if name.startswith(("index:", *TERMINAL_STATES)):  # pages go by these scores
            assert len(set(members.values())) == len(members), name
    for job_id in found.get("results", {}):
        assert jobs[job_id]["state"] == "completed"
        assert "artifacts" in jobs[job_id]
    assert len(found.get("wake", [])) <= 1
    assert set(found.get("workers", {})) == set(found.get("workers:info", {}))
    assert set(found.get("claims", {})) <= set(found.get("workers", {}))


def _check_fields(job: Fields) -> None:
    """Assert that a record holds what its state calls for, and nothing of another state."""
    state = job["state"]
    assert set(job) <= DOCUMENTED_FIELDS, set(job) - DOCUMENTED_FIELDS
    assert ("message" in job) == (state not in {"completed", "cancelled"})
    assert ("finished_us" in job) == (state in TERMINAL_STATES)
    assert ("lease_until" in job) == (state == "active")
    assert ("due_at" in job) == (state == "delayed")
    assert "cancel_requested" not in job or state == "active"
    assert "expired_at" not in job or state == "completed"


def unchanged(found: Contents) -> Contents:
    """Return what the repetition of a call must leave as it is."""
    kept: dict[str, Any] = {}
    for name, value in found.items():
        if name in RENEWED_SCORES:
            kept[name] = list(value)
        elif name.startswith("job:"):
            kept[name] = {key: key if key in RENEWED else text for key, text in value.items()}
        elif name not in PLACE:
            kept[name] = value
    return kept


def timeless(found: Contents) -> Contents:
    """Return what must be alike in two queues to which the same has happened."""
    alike: dict[str, Any] = {}
    for name, value in found.items():
        if kind_of(name) == "zset":
            alike[name] = list(value)
        elif name.startswith("job:"):
            alike[name] = {key: _timeless(key, text, value) for key, text in value.items()}
        elif name.startswith("tick:"):
            alike[name] = value["token"]
        elif name not in {*PLACE, "clock"}:
            alike[name] = value
    return alike


def _timeless(name: str, value: str, job: Fields) -> object:
    if name in {"fence", "settled"}:
        return value == job["fence"], value == "0"
    return name if name.endswith(("_us", "_at")) or name in RENEWED else value
