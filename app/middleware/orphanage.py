"""Orphanage: what Dramatiq's master has started ends when that master dies."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time

from dramatiq import Broker, Middleware, Worker

from app.logs import get_logger

log = get_logger(__name__)

#: How often a process looks whether its master lives.
WATCH_SECONDS = 1.0
#: Dramatiq's main thread looks every second whether it is to stop.
MAIN_THREAD_SECONDS = 3.0


def master_lives() -> bool:
    """Return whether the process that has started this one lives; without one, true.

    One that had died before this process could ask counts as well: it compares with what
    multiprocessing has noted down, not with what this process finds.
    """
    master = multiprocessing.parent_process()
    if master is None:
        return True
    if multiprocessing.get_start_method() == "fork":
        # Its sentinel is a pipe that later siblings inherit: they would keep it open.
        return os.getppid() == master.pid
    return master.is_alive()


class Orphanage(Middleware):
    """Has a worker process whose master has died end as by SIGTERM.

    Nobody would start it again or tell it to stop, and it would hold the port of the
    probes of the service that a supervisor starts instead.

    The main thread of one whose master died while it waited for the end of the boot hangs
    for ever: it reports that end by a multiprocessing.Event, which waits for every waiter
    to wake up. Such a worker takes jobs, so it is stopped from here.

    Hooks: after process boot, before and after worker boot, before worker shutdown.
    Order: outside of what prepares a worker; it has no hook on messages.
    """

    def __init__(self) -> None:
        self._worker: Worker | None = None
        self._booted = threading.Event()
        self._stopping = threading.Event()

    def after_process_boot(self, broker: Broker) -> None:
        """Watch the master; called in Dramatiq's worker processes alone."""
        threading.Thread(
            target=self._watch, args=(broker,), name="master-watch", daemon=True
        ).start()

    def before_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Store what must be stopped."""
        self._worker = worker

    def after_worker_boot(self, broker: Broker, worker: Worker) -> None:
        """Note that it can be stopped."""
        self._booted.set()

    def before_worker_shutdown(self, broker: Broker, worker: Worker) -> None:
        """Note that the main thread does what it should."""
        self._stopping.set()

    def _watch(self, broker: Broker) -> None:
        while master_lives():
            time.sleep(WATCH_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)
        self._booted.wait()
        if self._stopping.wait(MAIN_THREAD_SECONDS) or self._worker is None:
            return
        log.warning("worker.orphaned")
        self._worker.stop()
        broker.close()
        os._exit(1)
