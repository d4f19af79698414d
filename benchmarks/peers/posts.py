"""POSTs a second: our API under gunicorn against Express + BullMQ, same body, same generator."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from app.settings import Settings
from benchmarks.peers.peers import environment
from benchmarks.peers.processes import (
    Clock,
    PeerFailed,
    free_port,
    listening,
    output,
    redis_server,
    running,
    wait_until,
)
from benchmarks.peers.tools import BENCH, HERE
from benchmarks.pipeline import ping
from benchmarks.stack import tutorial

#: Connections that post at once; each keeps its connection.
CONNECTIONS = 8
#: Posting before the figures are taken.
WARM_UP_SECONDS = 2
#: Longest start of a server.
START_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server to post to, and in how many processes."""

    name: str
    processes: int
    command: tuple[str, ...]


@dataclass(slots=True)
class Posts:
    """What was measured of one server; a list has one value a round (latencies in ms)."""

    per_second: list[float] = field(default_factory=list)
    p50: list[float] = field(default_factory=list)
    p99: list[float] = field(default_factory=list)
    pings: list[dict[str, float]] = field(default_factory=list)


_GUNICORN = (sys.executable, "-m", "gunicorn", "app.http.wsgi:app")
_EXPRESS = ("node", str(BENCH / "node" / "server.cjs"))
SERVERS = (
    Server("ours", 2, _GUNICORN),
    Server("Express + BullMQ", 2, _EXPRESS),
    Server("ours", 1, _GUNICORN),
    Server("Express + BullMQ", 1, _EXPRESS),
)


def posts(server: Server, figures: Posts, *, seconds: int, clock: Clock) -> None:
    """Post distinct jobs, first to warm up, then to count.

    Raises:
        PeerFailed: The server did not start, or refused a job.
    """
    with redis_server() as (url, directory):
        settings = Settings(redis_url=url)
        figures.pings.append(ping(settings))
        port = free_port()
        env = environment(url, directory) | {
            "PREVIEW_API_PORT": str(port),
            "WEB_CONCURRENCY": str(server.processes),
            "PORT": str(port),
            "BENCH_PROCESSES": str(server.processes),
            "BENCH_BODY": json.dumps(tutorial("@ID@", dry=True), separators=(",", ":")),
        }
        with running(server.command, env):
            wait_until(lambda: listening(port), server.name, seconds=clock.most(START_SECONDS))
            _load(port, env, prefix="warm-", seconds=WARM_UP_SECONDS, clock=clock)
            result = _load(port, env, prefix="post-", seconds=seconds, clock=clock)
        figures.per_second.append(result["per_second"])
        figures.p50.append(result["p50"])
        figures.p99.append(result["p99"])
        figures.pings.append(ping(settings))


def _load(
    port: int, env: Mapping[str, str], *, prefix: str, seconds: int, clock: Clock
) -> dict[str, float]:
    command = [
        "wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s",
        "--latency", "--script", str(HERE / "posts.lua"), f"http://127.0.0.1:{port}",
    ]  # fmt: skip
    told = output(command, {**env, "BENCH_PREFIX": prefix}, seconds=clock.most(seconds + 20))
    result: dict[str, float] = json.loads(told.partition("RESULT ")[2])
    if result["refused"]:
        raise PeerFailed(f"{result['refused']:.0f} POSTs were refused")
    return result
