"""Draws the stills that wait, one at a time, in a child process with the limits of a render."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson

from app.actors.work import work_directory
from app.assets import AssetFetcher
from app.errors import (
    BrokerUnavailable,
    ErrorItem,
    NoWorker,
    PreviewError,
    RenderFailed,
    RenderTimeout,
    ValidationFailed,
)
from app.ledger import StillQueue, TakenStill
from app.logs import bind, get_logger, unbind_all
from app.middleware import Shutdown
from app.render import Limits, Progress, RenderStopped, render_in_child
from app.render.renderers import STILL
from app.settings import Settings
from app.stills import encoded

log = get_logger(__name__)

#: Largest still that is sent: a photograph of 3840 × 2160 pixels as JPEG has 4 MB.
MAX_STILL_BYTES: Final = 8 * 1024 * 1024
#: Pause while Redis is unreachable, in seconds.
PAUSE_SECONDS: Final = 1.0
#: Interval between two looks whether somebody still waits, in seconds.
TICK_SECONDS: Final = 0.25


@dataclass(frozen=True, slots=True)
class StillPainter:
    """Draws stills. Call it in a thread of its own.

    Attributes:
        queue: The requests.
        settings: Limits and directories.
        fetcher: Fetches remote assets, because the child process does not use the network.
        shutdown: Says when a still must be given up.
        target: The function that the child process calls, as "module:function".
    """

    queue: StillQueue
    settings: Settings
    fetcher: AssetFetcher
    shutdown: Shutdown
    target: str = STILL

    def __call__(self, ended: threading.Event) -> None:
        """Draw what is asked for until ``ended`` is set."""
        while not ended.is_set():
            try:
                if (taken := self.queue.take()) is None:
                    self.queue.wait()
                else:
                    self._draw(taken)
            except BrokerUnavailable as error:
                log.debug("still.redis-away", detail=error.detail)  # the consumers warn of it
                ended.wait(PAUSE_SECONDS)
            except Exception:
                log.exception("still.unexpected")

    def _draw(self, taken: TakenStill) -> None:
        began = time.monotonic()
        order = orjson.loads(taken.request)
        payload = order["payload"]
        bind(
            jobId=payload["jobId"],
            projectId=payload["projectId"],
            track=self.settings.preview_track,
        )
        answer: bytes | PreviewError
        try:
            answer = self._still(order, taken, until=began + taken.left_seconds)
        except RenderStopped as stopped:
            answer = NoWorker("The worker shuts down.")
            log.info("still.stopped", reason=stopped.reason)
        except PreviewError as error:
            answer = error
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            answer = RenderFailed("The still could not be drawn; the worker's log has the reason.")
            answer.__cause__ = error
        try:
            self.queue.answer(taken.id, encoded(answer))
        finally:
            _log(answer, seconds=time.monotonic() - began)
            unbind_all()

    def _still(self, order: dict[str, Any], taken: TakenStill, *, until: float) -> bytes:
        payload, settings = order["payload"], self.settings

        def stop_reason(_progress: Progress | None = None) -> str | None:
            if self.shutdown.expired():
                return "shutdown"
            return None if self._wanted(taken) else "abandoned"

        def on_tick() -> None:
            if reason := stop_reason():
                raise RenderStopped(reason)
            if time.monotonic() >= until:
                raise RenderTimeout("fetching the assets took longer than a still may take")

        with work_directory(settings.work_root, name="still") as directory:
            fetched = self.fetcher.fetch(payload, into=directory / "assets", on_tick=on_tick)
            result = render_in_child(
                order,
                asset_dir=settings.asset_root / payload["projectId"],
                out_dir=directory / "files",
                fetched=fetched,
                font_dirs=settings.font_dirs,
                limits=Limits(
                    deadline_seconds=max(0.0, until - time.monotonic()),
                    memory_mb=settings.preview_render_memory_mb,
                    niceness=0,  # somebody waits for it; renders can wait
                ),
                on_tick=stop_reason,
                tick_seconds=TICK_SECONDS,
                target=self.target,
            )
            return _read(directory / "files" / result.files[0].name)

    def _wanted(self, taken: TakenStill) -> bool:
        try:
            return self.queue.beat(taken.id)
        except BrokerUnavailable:
            return True


def _read(path: Path) -> bytes:
    """Read the picture.

    Raises:
        ValidationFailed: It is too large to be sent.
    """
    if path.stat().st_size > MAX_STILL_BYTES:
        detail = (
            f"the still has more than {MAX_STILL_BYTES} bytes; ask for a smaller width,"
            " or for jpeg or webp"
        )
        raise ValidationFailed(detail, errors=[ErrorItem("/width", "too-large", detail)])
    return path.read_bytes()


def _log(answer: bytes | PreviewError, *, seconds: float) -> None:
    fields: dict[str, Any] = {"durationMs": round(1000 * seconds, 1)}
    if isinstance(answer, bytes):
        log.info("still.drawn", bytes=len(answer), **fields)
        return
    fields |= {"code": answer.code, "detail": answer.detail}
    if traceback := getattr(answer, "child_traceback", None):
        fields["childTraceback"] = traceback
    if answer.__cause__ is not None:
        fields["exc_info"] = answer
    (log.warning if answer.retryable else log.info)("still.not-drawn", **fields)
