"""Runs a generator in its own thread, a bounded number of items ahead of its reader."""

from __future__ import annotations

import contextvars
import queue
import threading
from collections.abc import Generator
from contextlib import suppress
from types import TracebackType
from typing import Any, Final, Generic, Self, TypeVar

_Item = TypeVar("_Item")
_END: Final = object()
#: Interval in seconds at which a stopping reader makes room for the thread.
_PATIENCE_SECONDS: Final = 0.05


class Ahead(Generic[_Item]):
    """Context manager and iterator over the items of a generator that another thread runs.

    An exception of the generator is raised in place of its next item. On exit the thread has ended
    and the generator is closed.

    Args:
        source: The generator. It runs and is closed only in the other thread.
        depth: Items that may wait for the reader. The thread makes one more.
    """

    def __init__(self, source: Generator[_Item], *, depth: int) -> None:
        self._source = source
        self._made: queue.Queue[Any] = queue.Queue(depth)
        self._error: BaseException | None = None
        self._unwanted = False
        context = contextvars.copy_context()  # it carries the film's fonts
        self._thread = threading.Thread(
            target=context.run, args=(self._make,), name="ahead", daemon=True
        )

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._unwanted = True
        while self._thread.is_alive():
            with suppress(queue.Empty):  # makes room, in case the thread waits for it
                self._made.get(timeout=_PATIENCE_SECONDS)
        self._thread.join()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> _Item:
        item = self._made.get()
        if item is not _END:
            return item  # type: ignore[no-any-return]  # the queue holds only items and _END
        self._made.put(_END)
        if self._error is not None:
            raise self._error
        raise StopIteration

    def _make(self) -> None:
        try:
            for item in self._source:
                self._made.put(item)
                if self._unwanted:
                    break
        except BaseException as error:  # noqa: BLE001 - the reader raises it
            self._error = error
        finally:
            self._source.close()
            self._made.put(_END)
