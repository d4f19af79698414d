"""What runs inside the child: the render, held to its limits, its outcome sent as plain data.

Messages are JSON, not pickles: a child that decodes hostile media must not be
able to make its supervisor execute anything.
"""

from __future__ import annotations

import contextlib
import errno
import importlib
import json
import multiprocessing
import os
import signal
import threading
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from multiprocessing.connection import Connection, wait
from operator import attrgetter
from pathlib import Path
from time import monotonic
from typing import Any, Final

from app.errors import PreviewError
from app.render.model.limits import Limits, StepCachePlace
from app.render.progress import Progress

#: Progress within a phase is sent at most every so many seconds.
REPORT_SECONDS: Final = 0.05
#: Codes of failures that are no :class:`PreviewError`.
OUT_OF_MEMORY: Final = "out-of-memory"
DISK_FULL: Final = "disk-full"
DISK_READ_ONLY: Final = "disk-read-only"
UNEXPECTED: Final = "unexpected"

_DISK_ERRORS: Final = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class Order:
    """What a child is to do: ``target`` is "module:function", as ``app.render.engine:render``."""

    target: str
    payload: Mapping[str, Any]
    asset_dir: Path
    out_dir: Path
    limits: Limits
    fetched: Mapping[str, Path]
    step_cache: StepCachePlace | None = None
    font_dirs: tuple[Path, ...] = ()


def child_main(sender: Connection[Any, Any], order: Order) -> None:
    """Do as ``order`` says, and send progress and the outcome, a line of JSON each."""
    os.setsid()  # a process group of its own, to be killed as one
    threading.Thread(target=_die_with_parent, name="parent-watch", daemon=True).start()
    try:
        order.limits.apply()
        result = _resolve(order.target)(
            order.payload,
            asset_dir=order.asset_dir,
            out_dir=order.out_dir,
            threads=order.limits.threads,
            on_progress=_Reporter(sender),
            fetched=order.fetched,
            step_cache=order.step_cache,
            font_dirs=order.font_dirs,
        )
        outcome = {"result": asdict(result)}
    except BaseException as error:  # noqa: BLE001 - whatever it is, the supervisor must hear of it
        outcome = {"error": _described(error)}
    with contextlib.suppress(OSError):  # the supervisor may have gone
        _send(sender, outcome)


def _resolve(target: str) -> Callable[..., Any]:
    module, _, name = target.partition(":")
    function: Callable[..., Any] = attrgetter(name)(importlib.import_module(module))
    return function


class _Reporter:
    """Sends progress, throttled; a change of phase is always sent."""

    def __init__(self, sender: Connection[Any, Any]) -> None:
        self._sender = sender
        self._phase = ""
        self._due = 0.0

    def __call__(self, progress: Progress) -> None:
        now = monotonic()
        if progress.phase == self._phase and now < self._due:
            return
        self._phase, self._due = progress.phase, now + REPORT_SECONDS
        _send(self._sender, {"progress": asdict(progress)})


def _send(sender: Connection[Any, Any], message: Mapping[str, Any]) -> None:
    rest = json.dumps(message).encode() + b"\n"
    while rest:
        rest = rest[os.write(sender.fileno(), rest) :]


def _described(error: BaseException) -> dict[str, Any]:
    described: dict[str, Any] = {
        "code": UNEXPECTED,
        "detail": "",
        "errors": [],
        "traceback": "".join(traceback.format_exception(error)),
    }
    if isinstance(error, MemoryError):
        described["code"] = OUT_OF_MEMORY
    elif getattr(error, "errno", None) in _DISK_ERRORS:
        described["code"] = DISK_FULL
    elif getattr(error, "errno", None) == errno.EROFS:
        described["code"] = DISK_READ_ONLY
    elif isinstance(error, PreviewError):
        described["code"] = error.code
        described["detail"] = error.detail
        described["errors"] = [asdict(item) for item in error.errors]
        described["retry_after_seconds"] = error.retry_after_seconds
    return described


def _die_with_parent() -> None:
    """End the whole process group when the supervisor's process ends, however it ends."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os.killpg(0, signal.SIGKILL)
