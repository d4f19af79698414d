"""Runs generators side by side in a few threads, and gives their items in order."""

from __future__ import annotations

import contextvars
import threading
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Generic, Self, TypeVar

_Item = TypeVar("_Item")
#: Ends the items of a generator, and those of all.
_END, _LAST = object(), object()


@dataclass(frozen=True, slots=True)
class _Raised:
    """Stands for the items that a generator did not make."""

    error: BaseException


class Abreast(Generic[_Item]):
    """Context manager and iterator over the items of all generators, in the generators' order.

    Items of a later generator wait in memory for their turn. So one more than there are threads may
    be begun before the first has ended. An exception is raised where its item would have come: of
    two, the reader sees the same one every time. On exit the threads have ended and the generators
    are closed.

    Args:
        sources: The generators. It runs in the threads too, but never in two at once.
        threads: Number of threads. Each runs one generator after the other.
    """

    def __init__(self, sources: Iterator[Generator[_Item]], *, threads: int) -> None:
        self._sources = sources
        self._taking = threading.Lock()
        self._places = threading.Semaphore(threads + 1)
        #: What each generator that has begun makes, in their order.
        self._begun: SimpleQueue[SimpleQueue[Any]] = SimpleQueue()
        self._items = self._in_order()
        self._unwanted = False
        self._threads = [
            threading.Thread(
                target=contextvars.copy_context().run,  # it carries the film's fonts
                args=(self._run,),
                name="abreast",
                daemon=True,
            )
            for _ in range(threads)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._unwanted = True
        self._places.release(len(self._threads))
        for thread in self._threads:
            thread.join()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> _Item:
        return next(self._items)

    def _in_order(self) -> Iterator[_Item]:
        while True:
            made = self._begun.get()
            while (item := made.get()) is not _END:
                if item is _LAST:
                    return
                if isinstance(item, _Raised):
                    raise item.error
                yield item
            self._places.release()

    def _run(self) -> None:
        while True:
            self._places.acquire()
            made: SimpleQueue[Any] = SimpleQueue()
            try:
                with self._taking:
                    if self._unwanted:
                        return
                    self._begun.put(made)
                    source = next(self._sources, None)
                if source is None:
                    made.put(_LAST)
                    self._places.release()  # the next thread ends, too
                    return
                with closing(source):
                    for item in source:
                        made.put(item)
                        if self._unwanted:
                            return
            except BaseException as error:  # noqa: BLE001 - the reader raises it
                made.put(_Raised(error))
            made.put(_END)
