"""Runs everything and prints the tables: ``python -m benchmarks.peers``."""

from __future__ import annotations

import argparse
import contextlib
import os
import platform
import signal
import sys
import time
from collections.abc import Iterator

from app import __version__
from benchmarks.peers.measure import Figures, drain, pickup
from benchmarks.peers.peers import PEERS
from benchmarks.peers.posts import SERVERS, Posts, posts
from benchmarks.peers.processes import Clock, PeerFailed
from benchmarks.peers.report import posts_table, queues_table
from benchmarks.peers.tools import Unavailable, make_environments, require_programs, versions

#: Longest run, once the environments are made.
RUN_SECONDS = 470.0
#: Rounds over all queues: a noisy minute hits all of them, or shows.
ROUNDS = 2
#: Seconds of posting a round.
POST_SECONDS = 5


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="benchmarks.peers", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--quick", action="store_true", help="a tenth of the jobs: does it run?")
    parser.add_argument("--only", default="", help="names of queues, with commas")
    parser.add_argument("--parts", default="pickup,drain,posts")
    return parser.parse_args()


def say(text: str) -> None:
    """Tell how far the run is, apart from the tables."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


class Run:
    """One run: what was measured, and what did not come to its end."""

    def __init__(self, options: argparse.Namespace) -> None:
        wanted = [name.strip() for name in options.only.split(",") if name.strip()]
        self._parts = options.parts.split(",")
        self._share = 10 if options.quick else 1
        self._clock = Clock(RUN_SECONDS)
        self.queues = [(peer, Figures()) for peer in PEERS if not wanted or peer.name in wanted]
        self.servers = [(one, Posts()) for one in SERVERS if not wanted or one.name in wanted]
        self.failures: list[str] = []

    def round(self, number: int) -> None:
        """Measure every part of everything once, one after the other."""
        clock, share = self._clock, self._share
        for server, seen in self.servers if "posts" in self._parts else ():
            with self._noted(f"round {number}: {server.name}, {server.processes}, POSTs"):
                posts(server, seen, seconds=max(1, POST_SECONDS // share), clock=clock)
        for peer, figures in self.queues:
            if peer.sent and "pickup" in self._parts:
                with self._noted(f"round {number}: {peer.name}, pick-up"):
                    pickup(peer, figures, share=share, clock=clock)
            if "drain" in self._parts:
                with self._noted(f"round {number}: {peer.name}, drain"):
                    drain(peer, figures, share=share, clock=clock)

    @contextlib.contextmanager
    def _noted(self, what: str) -> Iterator[None]:
        say(what)
        try:
            yield
        except PeerFailed as error:
            self.failures.append(f"{what}: {error}\n{error.log}".rstrip())

    def print(self) -> None:
        """Print the tables and the failures."""
        if any(figures.pings for _, figures in self.queues):
            print(queues_table(self.queues), end="\n\n")
        if any(figures.pings for _, figures in self.servers):
            print(posts_table(self.servers))
        for line in self.failures:
            print(f"\nFAILED {line}")


def main() -> int:
    """Make the environments, measure, print; 1 when a part failed."""
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the processes end, too
    try:
        require_programs()
        make_environments()
    except Unavailable as error:
        say(f"benchmark: {error}")
        return 1
    began, loads, run = time.monotonic(), [os.getloadavg()[0]], Run(options)
    for number in range(1, options.rounds + 1):
        run.round(number)
        loads.append(os.getloadavg()[0])
    told = ", ".join(f"{name} {version}" for name, version in versions().items())
    machine = f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}"
    print(
        f"Mobius Preview Worker {__version__}, {platform.system()} {platform.release()}, {machine}."
    )
    print(f"Against: {told}.")
    print(
        f"{time.monotonic() - began:.0f} s; load before and after each round: "
        f"{', '.join(f'{load:.1f}' for load in loads)}.\n"
    )
    run.print()
    return 1 if run.failures else 0


if __name__ == "__main__":
    sys.exit(main())
