"""The doctor's checks of Redis and of the workers behind it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, cast

from app.cli.checks.findings import Finding
from app.redis_url import parse_redis_url
from app.settings import Settings

if TYPE_CHECKING:
    import redis

#: What the ledger's commands need.
OLDEST_REDIS = (6, 2)
#: Leases use the server's clock alone; more than this confuses people who read logs.
MAX_SKEW_SECONDS = 2.0


def queue(settings: Settings) -> Iterator[Finding]:
    """Reachability, version, memory policy, persistence and clock of Redis, and the workers."""
    from app.errors import BrokerUnavailable
    from app.ledger import connect, redis_errors

    client = connect(settings)
    address = parse_redis_url(settings.redis_url).address
    try:
        with redis_errors():
            info = client.info()
            yield version(info, address)
            yield memory_policy(info)
            yield persistence(info, _save_points(client))
            yield from writable(info)
            if info.get("cluster_enabled"):
                yield cluster(_nodes(client))
            seconds, micros = client.time()
            yield clock(seconds + micros / 1_000_000 - time.time())
            yield from _workers(settings)
    except BrokerUnavailable as error:
        remedy = 'set REDIS_URL to your server, or run "preview dev", which brings its own'
        yield Finding("redis", "fail", f"{address}: {error.detail}", remedy)
    finally:
        client.close()


def version(info: Mapping[str, Any], address: str) -> Finding:
    """Judge the server's version. Valkey reports its own and that of Redis."""
    name = "Valkey" if "valkey_version" in info else "Redis"
    told = str(info.get("valkey_version") or info.get("redis_version", "unknown"))
    compatible = str(info.get("redis_version", "0"))
    numbers = tuple(int(part) for part in compatible.split(".")[:2] if part.isdigit())
    if numbers >= OLDEST_REDIS:
        return Finding("redis", "ok", f"{name} {told} at {address}")
    remedy = "use Redis 6.2 or newer, or Valkey"
    return Finding("redis", "fail", f"{name} {told} at {address} is too old", remedy)


def memory_policy(info: Mapping[str, Any]) -> Finding:
    """Judge ``maxmemory-policy``: any but noeviction deletes jobs when memory is short."""
    policy = str(info.get("maxmemory_policy", "unknown"))
    if policy == "noeviction":
        return Finding("memory policy", "ok", policy)
    remedy = "set maxmemory-policy noeviction on the server"
    if not info.get("maxmemory"):
        return Finding("memory policy", "warn", f"{policy}, without effect yet", remedy)
    return Finding("memory policy", "fail", f"{policy}: Redis may delete jobs", remedy)


def persistence(info: Mapping[str, Any], save_points: str | None) -> Finding:
    """Judge whether jobs outlive a restart of the server."""
    if info.get("aof_enabled"):
        if info.get("aof_last_write_status", "ok") != "ok":
            return Finding(
                "persistence",
                "fail",
                "the append-only file cannot be written",
                "make room on the server's disk",
            )
        return Finding("persistence", "ok", "append-only file")
    remedy = "set appendonly yes on the server"
    if save_points is None:
        return Finding("persistence", "warn", "no append-only file; snapshots unknown", remedy)
    if save_points:
        return Finding("persistence", "warn", "snapshots only: a crash loses minutes", remedy)
    return Finding("persistence", "warn", "none: a restart of the server loses all jobs", remedy)


def writable(info: Mapping[str, Any]) -> Iterator[Finding]:
    """Judge whether the server takes writes: a replica, or a full disk, still answers reads."""
    if info.get("role") != "master":
        remedy = "point REDIS_URL at the primary, or use redis+sentinel://"
        yield Finding("role", "fail", "a replica, which takes no writes", remedy)
    if info.get("rdb_last_bgsave_status", "ok") != "ok":
        detail = "the last snapshot failed; Redis may refuse writes (MISCONF)"
        yield Finding("snapshots", "warn", detail, "make room on the server's disk")


def cluster(nodes: int | None) -> Finding:
    """Judge a server in cluster mode: one node can hold a queue, several do not work.

    Args:
        nodes: How many nodes hold slots, None if the server does not say.
    """
    remedy = "use a single server, or Sentinel (redis+sentinel://) for failover"
    if nodes is None:
        detail = "cluster mode with an unknown number of nodes; only one is supported"
        return Finding("cluster", "warn", detail, remedy)
    if nodes == 0:
        return Finding("cluster", "fail", "cluster mode without slots", remedy)
    if nodes > 1:
        return Finding("cluster", "fail", f"a cluster of {nodes} nodes is not supported", remedy)
    return Finding("cluster", "ok", "one node, which holds all slots")


def clock(skew_seconds: float) -> Finding:
    """Judge the distance of the server's clock from ours."""
    detail = f"{abs(skew_seconds):.1f} s {'ahead of' if skew_seconds > 0 else 'behind'} ours"
    if abs(skew_seconds) <= MAX_SKEW_SECONDS:
        return Finding("clock", "ok", f"the server's is {detail}")
    remedy = "run a time service (NTP) on both machines"
    return Finding("clock", "warn", f"the server's is {detail}", remedy)


def _save_points(client: redis.Redis) -> str | None:
    """Managed servers forbid CONFIG; then nobody knows."""
    from redis import ResponseError

    try:
        return str(cast("dict[str, str]", client.config_get("save")).get("save", ""))
    except ResponseError:
        return None


def _nodes(client: redis.Redis) -> int | None:
    """Return how many nodes of a cluster hold slots; None if the user may not ask."""
    from redis import ResponseError

    try:
        told = cast("dict[str, str]", client.execute_command("CLUSTER INFO"))  # type: ignore[no-untyped-call]  # upstream
        return int(told["cluster_size"])
    except (ResponseError, KeyError):
        return None


def _workers(settings: Settings) -> Iterator[Finding]:
    from app.client import PreviewClient

    stats = PreviewClient.from_settings(settings).queue()
    name = settings.preview_queue_name
    jobs = f"queue {name}: {stats.waiting} waiting, {stats.active} active, {stats.failed} failed"
    if stats.workers:
        slots = sum(worker.slots for worker in stats.workers)
        yield Finding("workers", "ok", f"{len(stats.workers)} alive with {slots} slots; {jobs}")
    else:
        remedy = 'start one: dramatiq app.actors, or all of it: "preview dev"'
        yield Finding("workers", "warn", f"none alive; {jobs}", remedy)
