"""Runs an iterator in a thread of its own, a bounded number of items ahead of its reader."""

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
#: How long it may take the thread to see that it is no longer wanted.
_PATIENCE_SECONDS: Final = 0.05


class Ahead(Generic[_Item]):
    """Context manager and iterator: the items of ``source``, made by another thread.

    What ``source`` raises is raised where its item would have come. On exit the
    thread has ended, and ``source`` is closed.

    Args:
        source: Runs, and is closed, in the other thread only.
        depth: Items that may wait; one more is being made.
    """

    def __init__(self, source: Generator[_Item], *, depth: int) -> None:
        self._source = source
        self._made: queue.Queue[Any] = queue.Queue(depth)
        self._error: BaseException | None = None
        self._unwanted = False
        context = contextvars.copy_context()  # the film's fonts are known by it
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
            with suppress(queue.Empty):  # room, should it wait for some
                self._made.get(timeout=_PATIENCE_SECONDS)
        self._thread.join()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> _Item:
        item = self._made.get()
        if item is not _END:
            return item  # type: ignore[no-any-return]  # nothing but items and the end is put in
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
