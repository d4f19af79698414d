"""One part of one queue, on a Redis of its own: pick-up, or enqueue and drain.

Both raise :class:`~benchmarks.peers.processes.PeerFailed` when they do not come to their end.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from app.settings import Settings
from benchmarks.peers.peers import Peer, environment
from benchmarks.peers.processes import Clock, PeerFailed, output, redis_server, running, wait_until
from benchmarks.pipeline import ping

#: Longest that a part of one queue may take.
PART_SECONDS = 90.0
#: Share of the jobs that are over before the rate is taken: processes start one after the
#: other, and code becomes warm.
SKIPPED = 0.2


@dataclass(slots=True)
class Figures:
    """What was measured of one queue; a list has one value a round.

    Attributes:
        waits: Milliseconds from the enqueueing call to the job's start.
        drained: Jobs a second.
        enqueued: Calls a second of one client.
        pings: Round trips of PING (``p50``, ``p99``, in ms) before and after each part.
    """

    waits: list[list[float]] = field(default_factory=list)
    drained: list[float] = field(default_factory=list)
    enqueued: list[float] = field(default_factory=list)
    pings: list[dict[str, float]] = field(default_factory=list)


@contextlib.contextmanager
def _part(peer: Peer, figures: Figures) -> Iterator[tuple[str, dict[str, str]]]:
    with redis_server() as (url, directory):
        settings = Settings(redis_url=url)
        figures.pings.append(ping(settings))
        yield url, {**environment(url, directory), **peer.env}
        figures.pings.append(ping(settings))


def _worker(peer: Peer, url: str) -> list[str]:
    return [word.replace("{url}", url) for word in peer.worker]


def pickup(peer: Peer, figures: Figures, *, share: int, clock: Clock) -> None:
    """Send jobs one at a time to an idle worker; the ``share``-th part of them."""
    with _part(peer, figures) as (url, env):
        seconds = clock.most(PART_SECONDS)
        Path(env["BENCH_STAMPS"]).touch()
        with running(_worker(peer, url), env):
            idle = [f"{seconds:g}" for seconds in peer.idle]
            told = output(
                [*peer.client, "pickup", str(peer.sent // share), *idle], env, seconds=seconds
            )
        figures.waits.append(json.loads(told))


def drain(peer: Peer, figures: Figures, *, share: int, clock: Clock) -> None:
    """Queue jobs while no worker runs, then let one drain them; of each the ``share``-th part."""
    queued, drained = peer.queued // share, peer.drained // share
    with _part(peer, figures) as (url, env):
        told = output([*peer.client, "enqueue", str(queued)], env, seconds=clock.most(PART_SECONDS))
        figures.enqueued.append(json.loads(told))
        stamps = Path(env["BENCH_STAMPS"])
        stamps.touch()
        with running(_worker(peer, url), env):
            wait_until(
                lambda: stamps.read_bytes().count(b"\n") >= drained,
                f"the drain of {drained} jobs",
                seconds=clock.most(PART_SECONDS),
            )
        figures.drained.append(_rate(stamps.read_text().splitlines()[:drained]))


def _rate(lines: list[str]) -> float:
    """Return jobs a second between the first that counts and the last."""
    names, times = zip(*(line.split() for line in lines), strict=True)
    if len(set(names)) != len(names):
        raise PeerFailed(f"of {len(names)} runs {len(names) - len(set(names))} were repetitions")
    started = sorted(int(time) for time in times)
    first = int(SKIPPED * len(started))
    return (len(started) - 1 - first) / ((started[-1] - started[first]) / 1e9)
