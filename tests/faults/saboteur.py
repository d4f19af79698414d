"""``dramatiq tests.faults.saboteur``: the worker as it is, which dies where a test says.

A file ``<point>.before``, ``<point>.after``, ``<point>.lost`` or ``<point>.paused`` in
``SABOTAGE_DIR`` strikes once: the process kills itself before or after the step, the step is done
and its answer lost, or the process stops before the step until somebody lets it go on.
Points are the names of the scripts, with ``.cron`` and ``.sweep`` before those of the
housekeeping queues, and ``put`` and ``delete`` of the store.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.errors import BrokerUnavailable
from app.ledger.scripts import Scripts
from app.storage import ArtifactStore

_ARMED = Path(os.environ["SABOTAGE_DIR"])


def _strikes(point: str) -> bool:
    try:
        (_ARMED / point).unlink()
    except FileNotFoundError:
        return False
    return True


def _die(point: str) -> None:
    if _strikes(point):
        os.kill(os.getpid(), signal.SIGKILL)


def _sabotaged(step: Callable[..., Any], point: Callable[..., str]) -> Callable[..., Any]:
    def run(owner: Any, *args: Any, **options: Any) -> Any:
        name = point(owner, *args)
        _die(f"{name}.before")
        if _strikes(f"{name}.paused"):
            # At this thread: it stops before the step. Told to the process, another thread would
            # stop all of them, a moment later.
            signal.pthread_kill(threading.get_ident(), signal.SIGSTOP)
        answer = step(owner, *args, **options)
        # A claim or a recovery that had nothing to do is not what the test waits for.
        idle = (name == "claim" and answer[0] is None) or (name == "recover" and not answer)
        if not idle:
            _die(f"{name}.after")
            if _strikes(f"{name}.lost"):
                raise BrokerUnavailable("The reply was lost.")
        return answer

    return run


def _script(scripts: Scripts, name: str, *_: Any) -> str:
    queue = scripts._keys.queue
    kind = next((suffix for suffix in (".cron", ".sweep") if queue.endswith(suffix)), "")
    return kind + name


Scripts.run = _sabotaged(Scripts.run, _script)  # type: ignore[method-assign]  # sabotage
ArtifactStore.put = _sabotaged(ArtifactStore.put, lambda *_: "put")  # type: ignore[method-assign]  # as above
ArtifactStore.delete_prefix = _sabotaged(  # type: ignore[method-assign]  # as above
    ArtifactStore.delete_prefix, lambda *_: "delete"
)

from app.actors import broker  # noqa: E402 - built of the sabotaged parts

__all__ = ["broker"]
