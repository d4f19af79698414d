"""Renders in a child process that can be watched, limited and killed.

Whatever the child does (hang, crash, be killed for its memory) costs one render
and leaves neither a process nor a file behind.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import wait
from pathlib import Path, PurePosixPath
from typing import Any, Final, NoReturn

from app.errors import (
    ErrorItem,
    PreviewError,
    RenderFailed,
    RenderTimeout,
    StorageUnavailable,
    error_classes,
)
from app.render.child import launcher, main
from app.render.child.launcher import ChildProcess
from app.render.model.limits import Limits, StepCachePlace
from app.render.progress import Progress
from app.render.renderers import PLANNING, STILL, STORYBOARD
from app.render.result import RenderedFile, RenderResult

#: Modules that libraries import on first use, which would be in every child.
_ON_DEMAND: Final = (
    "av.subtitles.stream",
    *(f"PIL.{kind}ImagePlugin" for kind in ("Bmp", "Gif", "Jpeg", "Png", "Ppm")),
)
#: What the fork server does once it has loaded all that.
_PRELOADED: Final = ("app.render.child.preloaded", "app.render.warmed")
#: How long a killed child may take to vanish; it is waited for, not relied on.
_REAP_SECONDS: Final = 5.0
#: Bytes of a child's messages that are read at once.
_CHUNK: Final = 64 * 1024
#: Longest message of a child in bytes: a result with hundreds of files has 50 kB.
_MAX_MESSAGE: Final = 4 * 1024 * 1024
_UNEXPECTED_DETAIL: Final = "the renderer stopped unexpectedly; the worker's log has the cause"


class RenderStopped(Exception):
    """The render was ended because ``on_tick`` said so; ``reason`` is what it said."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def warm_up() -> None:
    """Start the fork server with the renderer loaded, so that the first job starts at once.

    Call it in the process that renders: a process forked off later has no part in it.
    """
    targets = [target.partition(":")[0] for target in (STORYBOARD, PLANNING, STILL)]
    launcher.preload([*targets, main.__name__, *_ON_DEMAND, *_PRELOADED])


def render_in_child(
    payload: Mapping[str, Any],
    *,
    asset_dir: Path,
    out_dir: Path,
    limits: Limits,
    on_tick: Callable[[Progress | None], str | None],
    fetched: Mapping[str, Path] | None = None,
    step_cache: StepCachePlace | None = None,
    font_dirs: Sequence[Path] = (),
    tick_seconds: float = 0.25,
    target: str = STORYBOARD,
) -> RenderResult:
    """Render ``payload`` in a child process. Threads of one process may call it at once.

    Args:
        payload: A preview job that fulfils the contract.
        asset_dir: The project's own directory.
        out_dir: Where the files go; removed again unless the render succeeds.
        limits: What the child may use.
        on_tick: Called every ``tick_seconds`` with the newest progress, or None
            when there is none. A returned string ends the render.
        fetched: Files of remote assets by their ids.
        step_cache: Where encoded steps are kept and found again, None for nowhere.
        font_dirs: Directories of installed fonts, used after the vendored ones.
        tick_seconds: Seconds between two calls.
        target: "module:function" with the arguments of :func:`app.render.engine.render`.

    Raises:
        RenderStopped: ``on_tick`` returned a reason.
        RenderTimeout: The deadline passed.
        StorageUnavailable: The disk is full, or a file grew over its limit.
        RenderFailed: The child crashed or ran out of memory.
        PreviewError: What the renderer raised itself, of its own class.
    """
    order = main.Order(
        target,
        dict(payload),
        asset_dir,
        out_dir,
        limits,
        fetched=dict(fetched or {}),
        step_cache=step_cache,
        font_dirs=tuple(font_dirs),
    )
    try:
        warm_up()
        process, receiver = launcher.launch(main.child_main, order)
    except (OSError, EOFError) as error:
        raise RenderFailed("the render's process cannot be started; is memory left?") from error
    with receiver:
        try:
            result = _Supervision(process, receiver.fileno(), limits).run(on_tick, tick_seconds)
        except BaseException:
            _kill(process)
            _bury(process)
            shutil.rmtree(out_dir, ignore_errors=True)
            raise
        _bury(process)
    return result


class _Supervision:
    """Watches one child from its start to its outcome."""

    def __init__(self, process: ChildProcess, inbox: int, limits: Limits) -> None:
        self._process = process
        self._inbox = inbox
        self._limits = limits
        self._partial = b""
        self._news: Progress | None = None

    def run(
        self, on_tick: Callable[[Progress | None], str | None], tick_seconds: float
    ) -> RenderResult:
        deadline = time.monotonic() + self._limits.deadline_seconds
        tick = time.monotonic() + tick_seconds
        while True:
            left = min(tick, deadline) - time.monotonic()
            ready = wait([self._inbox, self._process.sentinel], max(left, 0))
            if ready and (result := self._receive()) is not None:
                return result
            now = time.monotonic()
            if now >= deadline:
                raise RenderTimeout(
                    f"the render took longer than {round(self._limits.deadline_seconds, 1):g} s"
                )
            if now >= tick:
                news, self._news = self._news, None
                reason = on_tick(news)
                if reason:
                    raise RenderStopped(reason)
                tick = time.monotonic() + tick_seconds

    def _receive(self) -> RenderResult | None:
        """Take what has come; return the result if it is there, raise if it is an error.

        Reads once and never waits for the rest of a line: a child that stalls in
        the middle of one cannot hold its supervisor.
        """
        # Of a dead child the last lines may still be in the pipe; then comes the end.
        chunk = os.read(self._inbox, _CHUNK) if wait([self._inbox], 0) else b""
        if not chunk:
            self._raise_death()
        *lines, self._partial = (self._partial + chunk).split(b"\n")
        if len(self._partial) > _MAX_MESSAGE:
            raise RenderFailed(_UNEXPECTED_DETAIL)
        for line in lines:
            if (result := self._take(line)) is not None:
                return result
        return None

    def _take(self, line: bytes) -> RenderResult | None:
        try:
            message = json.loads(line)
            if "progress" in message:
                self._news = Progress(**message["progress"])
                return None
            if "result" in message:
                return _result(message["result"])
            error = _error(message["error"], self._limits)
        except (ValueError, TypeError, KeyError) as broken:
            raise RenderFailed(_UNEXPECTED_DETAIL) from broken
        raise error

    def _raise_death(self) -> NoReturn:
        code = launcher.exit_code(self._process, timeout_seconds=_REAP_SECONDS)
        if code == -signal.SIGXCPU:
            raise RenderTimeout("the render used more processor time than it may")
        if code == -signal.SIGXFSZ:
            raise StorageUnavailable(_disk_detail(self._limits))
        if code is not None and code < 0:
            name = signal.Signals(-code).name
            raise RenderFailed(
                f"the render's process was ended by {name};"
                f" its memory limit is {self._limits.memory_mb} MiB"
            )
        raise RenderFailed(f"the render's process ended without a result (exit code {code})")


def _kill(process: ChildProcess) -> None:
    """Kill the child's whole process group, and the child itself in case it had none yet."""
    if process.pid is None:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    if launcher.exit_code(process, timeout_seconds=0) is None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(process.pid, signal.SIGKILL)


def _bury(process: ChildProcess) -> None:
    """See the child end, by force if it does not by itself, and forget it."""
    if launcher.exit_code(process, timeout_seconds=_REAP_SECONDS) is None:
        _kill(process)
        launcher.exit_code(process, timeout_seconds=_REAP_SECONDS)
    launcher.release(process)


def _result(data: Mapping[str, Any]) -> RenderResult:
    files = tuple(RenderedFile(**file) for file in data["files"])
    for file in files:
        path = PurePosixPath(file.name)
        if path.is_absolute() or ".." in path.parts:
            raise RenderFailed("the render named a file outside its directory")
    return RenderResult(**{**data, "files": files, "warnings": tuple(data["warnings"])})


def _error(data: Mapping[str, Any], limits: Limits) -> PreviewError:
    """Return the child's error as this process's own, with the child's traceback attached."""
    error: PreviewError
    if data["code"] == main.OUT_OF_MEMORY:
        error = RenderFailed(f"out of memory: limit {limits.memory_mb} MiB")
    elif data["code"] == main.DISK_FULL:
        error = StorageUnavailable(_disk_detail(limits))
    elif data["code"] == main.DISK_READ_ONLY:
        error = StorageUnavailable("the disk is read-only")
    elif data["code"] in (known := error_classes()):
        error = known[data["code"]](
            data["detail"],
            errors=[ErrorItem(**item) for item in data["errors"]],
            retry_after_seconds=data["retry_after_seconds"],
        )
    else:
        error = RenderFailed(_UNEXPECTED_DETAIL)
    error.child_traceback = data["traceback"]  # type: ignore[attr-defined] # for the log alone
    return error


def _disk_detail(limits: Limits) -> str:
    return f"the disk is full, or a file grew over {limits.file_mb} MiB"
