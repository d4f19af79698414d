"""One soak from beginning to end."""

from __future__ import annotations

import contextlib
import json
import random
import threading
import time
import traceback
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from app.actors.assembly import build_worker
from app.errors import BrokerUnavailable
from app.ledger import connect
from app.metrics import Metrics
from app.settings import Settings
from app.storage import ArtifactStore
from tests.faults.history import History, read_history
from tests.faults.oracle import violations
from tests.soak import audit, cleanup, logs
from tests.soak.book import Book
from tests.soak.chaos import SERVER_PAUSE, WORKER_PAUSE, Chaos, ServerStrikes, WorkerStrikes
from tests.soak.journal import Journal
from tests.soak.load import Author
from tests.soak.samples import SAMPLED, Sample, growth, sample
from tests.soak.system import QUEUE_MAX, Scheduler, System, soak_server, started
from tests.support.probes import Probes
from tests.support.redis_servers import RedisServer

#: Clients of the API.
AUTHORS: Final = 2
#: Pause between two samples.
SAMPLE_SECONDS: Final = 1.0
#: Longest wait for the answer of a probe.
PROBE_SECONDS: Final = 5.0
#: Pauses between two cron tasks that are sent beside the scheduler's, as a second one would.
TASK_PAUSE: Final = (5.0, 20.0)
#: Longest wait for all jobs to end, and for dead workers to be forgotten.
QUIET_SECONDS: Final = 120.0
#: Longest wait for the last process to be gone.
EXIT_SECONDS: Final = 20.0


class Soak:
    """A soak and what it has found.

    Args:
        directory: For everything that it makes; short, as sockets are made below it.
        seconds: How long load and faults go on.
        seed: Of all that is random.
    """

    def __init__(self, directory: Path, *, seconds: float, seed: int) -> None:
        self.journal = Journal()
        self.book = Book()
        #: What is worth a table, by name.
        self.figures: dict[str, float | str] = {}
        self._directory = directory
        self._seconds = seconds
        self._seed = seed
        self._samples: dict[str, list[Sample]] = {"the calm worker": [], "the API": []}
        self._livez: Counter[int] = Counter()

    def run(self) -> list[str]:
        """Run it; returns a sentence for each broken promise."""
        if not SAMPLED:
            self.journal.say("no /proc: memory, threads, descriptors and processes are not checked")
        self._guarded(self._run)
        self._count_logs()
        return self.journal.broken

    def _run(self) -> None:
        with soak_server(self._directory) as server:
            with started(self._directory, server) as system:
                self.journal.say("everything has started")
                probes = Probes(self._directory / "calm.log")
                self._disturb(system, probes)
                self._quieten(system, probes)
            self._audit(system, server)

    def _guarded(self, task: Callable[[], None]) -> None:
        """Run a part of the soak; one that fails breaks the soak, and is told at its end."""
        try:
            task()
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001 - pytest's failures are no Exception
            self.journal.complain(f"a part of the soak failed: {traceback.format_exc()}")

    # Load and faults

    def _disturb(self, system: System, probes: Probes) -> None:
        ended = threading.Event()
        server_strikes = ServerStrikes(
            system.server, rng=self._rng("server"), ended=ended, journal=self.journal
        )
        worker_strikes = WorkerStrikes(
            system.unlucky, rng=self._rng("worker"), ended=ended, journal=self.journal
        )
        tasks: list[Callable[[], None]] = [
            Author(
                f"job-{number}",
                port=system.settings.preview_api_port,
                ended=ended,
                rng=self._rng(f"author {number}"),
                book=self.book,
                journal=self.journal,
            )
            for number in range(AUTHORS)
        ]
        for name, strikes, pause in (
            ("server chaos", server_strikes.weighted(), SERVER_PAUSE),
            ("worker chaos", worker_strikes.weighted(), WORKER_PAUSE),
        ):
            tasks.append(Chaos(rng=self._rng(name), ended=ended, strikes=strikes, pause=pause))
        tasks.append(lambda: self._send_tasks(system.settings, ended))
        with (
            Scheduler(system.settings, self._directory / "scheduler.log") as scheduler,
            self._going_on(tasks, ended),
        ):
            until = time.monotonic() + self._seconds
            while time.monotonic() < until:
                time.sleep(SAMPLE_SECONDS)
                self._look(system, probes)
        self.journal.say("load and faults are over")
        self.figures["unlucky worker, restarts"] = system.unlucky.deaths
        self.figures["scheduler, restarts"] = scheduler.deaths
        self.figures["server away or hung, s"] = round(server_strikes.seconds, 1)

    def _rng(self, name: str) -> random.Random:
        return random.Random(f"{self._seed} {name}")

    def _send_tasks(self, settings: Settings, ended: threading.Event) -> None:
        rng = self._rng("tasks")
        broker = build_worker(settings, Metrics(track="stable")).broker
        while not ended.wait(rng.uniform(*TASK_PAUSE)):
            names = ["sweep_results", "sweep_orphans", "replay_dead_letters", "scheduler_tick"]
            with contextlib.suppress(BrokerUnavailable):
                broker.actors[rng.choice(names)].send()
                self.journal.counts["cron tasks sent"] += 1

    @contextlib.contextmanager
    def _going_on(
        self, tasks: Sequence[Callable[[], None]], ended: threading.Event
    ) -> Iterator[None]:
        """Run each task in a thread until the end."""
        threads = [threading.Thread(target=self._guarded, args=(task,)) for task in tasks]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            ended.set()
            for thread in threads:
                thread.join()

    def _look(self, system: System, probes: Probes) -> None:
        if SAMPLED:
            self._samples["the calm worker"].append(sample(system.calm.pid))
            self._samples["the API"].append(sample(system.api.pid))
        self._livez[_status(f"{probes.base}/livez")] += 1

    # The end

    def _quieten(self, system: System, probes: Probes) -> None:
        """Wait until nothing moves any more, and look at who has lived through it."""
        depths = [ledger.stats for ledger in system.ledgers]
        if not self._becomes(lambda: not any(stats().depth for stats in depths), QUIET_SECONDS):
            for state in ("queued", "active", "delayed"):
                for record in system.preview.jobs(state=state)[0]:
                    self.journal.complain(f"{record.job_id} is {state} for ever: {record}")
        self.journal.say("no job is live")
        self._require(lambda: _workers(system) == {2}, "dead workers are forgotten", QUIET_SECONDS)
        self._require(probes.ready, "the calm worker is ready", QUIET_SECONDS)
        self._look(system, probes)
        if system.calm.deaths:
            self.journal.complain(f"the calm worker died {system.calm.deaths} times")
        if set(self._livez) - {0} != {200}:  # no answer in time: this machine is slow
            self.journal.complain(f"the calm worker's /livez answered {dict(self._livez)}")
        for name, samples in self._samples.items():
            for sentence in growth(name, samples):
                self.journal.complain(sentence)
            if samples:
                self.figures[f"{name}, first and last"] = (
                    f"{_shown(samples[0])}, {_shown(samples[-1])}"
                )

    def _audit(self, system: System, server: RedisServer) -> None:
        """Hold the history, the files, the keys and the processes against the promises."""
        ledger, settings = system.preview.ledger, system.settings
        history = read_history(server.directory, ledger.queue)
        store = ArtifactStore(settings.artifact_url)
        records = audit.completed(ledger)
        written = sorted(self._directory.glob("*.log"))
        for sentence in (
            *violations(history, accepted=self.book.accepted, ledger=ledger, queue_max=QUEUE_MAX),
            *self.book.broken(history),
            *audit.results(records, store),
            *audit.leftovers(history, records, store, settings.work_root, told=logs.ends(written)),
        ):
            self.journal.complain(sentence)
        self.figures |= _history_figures(history)
        self.journal.say(f"the history of {len(history.events)} events is read")
        cleanup.sweep_everything(settings)
        with contextlib.closing(connect(settings)) as client:
            queues = [each.queue for each in system.ledgers]
            for sentence in (*audit.strange_keys(client, queues), *cleanup.unswept(settings)):
                self.journal.complain(sentence)
        if SAMPLED:
            self._becomes(lambda: not [*audit.survivors(settings.data_dir)], EXIT_SECONDS)
            for sentence in audit.survivors(settings.data_dir):
                self.journal.complain(sentence)

    def _count_logs(self) -> None:
        written = sorted(self._directory.glob("*.log"))
        for log in written:
            for sentence in logs.tracebacks(log):
                self.journal.complain(sentence)
        troubles = logs.troubles(written)
        self.figures |= {f"log: {event}": troubles[event] for event in sorted(troubles)}

    # Waiting

    def _becomes(self, condition: Callable[[], bool], seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if condition():
                return True
            time.sleep(0.1)
        return condition()

    def _require(self, condition: Callable[[], bool], what: str, seconds: float) -> None:
        if not self._becomes(condition, seconds):
            self.journal.complain(f"{seconds:g} s in vain: {what}")


def _workers(system: System) -> set[int]:
    """Return how many consumers each queue knows of, in each of the places where it does."""
    with contextlib.closing(connect(system.settings)) as client:
        counts: set[int] = set()
        for ledger in system.ledgers:
            keys = ledger.keys
            counts.add(client.zcard(keys["workers"]))
            counts.add(client.hlen(keys["workers:info"]))
            counts.add(max(2, client.hlen(keys["claims"])))  # who has claimed nothing has none
    return counts


def _status(url: str) -> int:
    """Return the status of an answer, 0 when there was none."""
    try:
        with urllib.request.urlopen(url, timeout=PROBE_SECONDS) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0


def _shown(item: Sample) -> str:
    return f"{item.memory_mib:.0f} MiB {item.threads} threads {item.descriptors} fds"


def _history_figures(history: History) -> Mapping[str, float]:
    kinds = Counter(
        event.after if event.kind == "state" else event.kind for event in history.events
    )
    names = ("accepted", "started", "completed", "failed", "cancelled", "replayed", "forgotten")
    errors = Counter(
        json.loads(record.get("error", "{}")).get("code")
        for record in history.records.values()
        if record.get("state") == "failed"
    )
    return {
        **{f"jobs {name}": kinds[name] for name in names},
        **{f"dead letters: {code}": number for code, number in errors.items()},
    }
