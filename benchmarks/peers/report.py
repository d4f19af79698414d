"""The tables, ready for ``docs/benchmarks.md``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from benchmarks.peers.measure import Figures
from benchmarks.peers.peers import Peer
from benchmarks.peers.posts import Posts, Server
from benchmarks.stack import percentile


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def _each(values: Sequence[float], digits: int = 0) -> str:
    """Return one value a round."""
    return " / ".join(f"{value:,.{digits}f}" for value in values) or "–"


def _pings(pings: Sequence[Mapping[str, float]]) -> str:
    """Return the smallest and largest median, and the largest p99: how noisy it was."""
    if not pings:
        return "–"
    medians = [ping["p50"] for ping in pings]
    worst = max(ping["p99"] for ping in pings)
    return f"{min(medians):.2f}–{max(medians):.2f}; {worst:.1f}"


def queues_table(measured: Sequence[tuple[Peer, Figures]]) -> str:
    """Return pick-up, drain and enqueue of all queues; one value a round between slashes."""
    lines = [
        _row(("queue", "concurrency", "pick-up p50, ms", "p99, ms", "p50 of each round",
              "drained, jobs/s", "enqueued, calls/s", "PING p50; p99, ms")),
        _row(["---"] * 8),
    ]  # fmt: skip
    for peer, figures in measured:
        waits = [wait for one in figures.waits for wait in one]
        lines.append(
            _row(
                (
                    peer.name,
                    peer.concurrency,
                    f"{percentile(waits, 0.50):.2f}" if waits else "–",
                    f"{percentile(waits, 0.99):.1f}" if waits else "–",
                    _each([percentile(one, 0.50) for one in figures.waits], 2),
                    _each(figures.drained),
                    _each(figures.enqueued),
                    _pings(figures.pings),
                )
            )
        )
    return "\n".join(lines)


def posts_table(measured: Sequence[tuple[Server, Posts]]) -> str:
    """Return POSTs a second and latencies; one value a round between slashes."""
    lines = [
        _row(("server", "processes", "POSTs/s", "p50, ms", "p99, ms", "PING p50; p99, ms")),
        _row(["---"] * 6),
    ]
    lines += [
        _row(
            (
                server.name,
                str(server.processes),
                _each(posts.per_second),
                _each(posts.p50, 1),
                _each(posts.p99, 1),
                _pings(posts.pings),
            )
        )
        for server, posts in measured
    ]
    return "\n".join(lines)
