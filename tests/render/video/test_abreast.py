from __future__ import annotations

import threading
from collections.abc import Generator, Iterator

import pytest

from app.render.video.abreast import Abreast

_PATIENCE = 10.0


def numbers(
    *found: int, begun: list[int], closed: list[int], after: threading.Event | None = None
) -> Generator[int]:
    """Yield ``found``, the rest of them ``after`` an event."""
    begun.append(found[0])
    try:
        for number in found:
            yield number
            if after is not None:
                assert after.wait(_PATIENCE)
    finally:
        closed.append(found[0])


def test_generators_run_at_the_same_time_and_their_items_keep_the_order() -> None:
    meeting = threading.Barrier(3)

    def made(number: int) -> Generator[int]:
        meeting.wait(_PATIENCE)
        yield number
        yield number + 1

    with Abreast((made(10 * number) for number in range(6)), threads=3) as items:
        assert list(items) == [0, 1, 10, 11, 20, 21, 30, 31, 40, 41, 50, 51]
        assert list(items) == [], "the end stays the end"


def test_one_more_than_there_are_threads_is_begun_while_the_first_goes_on() -> None:
    begun: list[int] = []
    closed: list[int] = []
    go_on, full = threading.Event(), threading.Event()

    def work() -> Iterator[Generator[int]]:
        yield numbers(0, 1, begun=begun, closed=closed, after=go_on)
        yield numbers(10, begun=begun, closed=closed)
        full.set()
        yield from (numbers(n, begun=begun, closed=closed) for n in range(20, 300, 10))

    with Abreast(work(), threads=2) as items:
        assert next(items) == 0
        assert full.wait(_PATIENCE)
        assert set(begun) <= {0, 10, 20}
        go_on.set()
        assert list(items) == [1, 10, *range(20, 300, 10)]
    assert sorted(closed) == sorted(begun)


def test_the_first_error_in_order_is_raised_whichever_came_first() -> None:
    failed = threading.Event()

    def late() -> Generator[int]:
        yield 1
        assert failed.wait(_PATIENCE)
        raise MemoryError("the first")

    def soon() -> Generator[int]:
        failed.set()
        raise ValueError("the second")
        yield 2

    before = threading.active_count()
    with (
        pytest.raises(MemoryError, match="the first"),
        Abreast(iter([late(), soon()]), threads=2) as items,
    ):
        list(items)
    assert threading.active_count() == before


def test_an_error_between_two_generators_is_raised_after_the_items_of_the_first() -> None:
    def work() -> Iterator[Generator[int]]:
        yield (number for number in (1, 2))
        raise OSError("no more")

    with Abreast(work(), threads=2) as items:
        assert [next(items), next(items)] == [1, 2]
        with pytest.raises(OSError, match="no more"):
            next(items)


def test_a_reader_that_stops_early_leaves_no_thread_and_no_open_generator() -> None:
    begun: list[int] = []
    closed: list[int] = []
    before = threading.active_count()
    sources = (
        numbers(*range(first, first + 1_000), begun=begun, closed=closed)
        for first in range(0, 100_000, 1_000)
    )
    with Abreast(sources, threads=3) as items:
        assert next(items) == 0
    assert threading.active_count() == before
    assert sorted(closed) == sorted(begun)
    assert len(begun) <= 4
