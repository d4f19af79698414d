from __future__ import annotations

import threading
import time
from collections.abc import Generator

import pytest

from app.render.video.ahead import Ahead


def numbers(made: list[int], closed: list[str], *, last: int = 1_000) -> Generator[int]:
    try:
        for number in range(last):
            made.append(number)
            yield number
    finally:
        closed.append(threading.current_thread().name)


def until(made: list[int], count: int) -> None:
    deadline = time.monotonic() + 10
    while len(made) < count and time.monotonic() < deadline:
        time.sleep(0.001)


def test_items_come_in_order_from_a_thread_that_runs_a_bounded_way_ahead() -> None:
    made: list[int] = []
    closed: list[str] = []
    with Ahead(numbers(made, closed, last=50), depth=2) as items:
        until(made, 3)
        assert next(items) == 0
        until(made, 4)
        assert len(made) <= 1 + 2 + 1
        assert list(items) == list(range(1, 50))
        assert list(items) == [], "the end stays the end"
    assert closed == ["ahead"]


def test_a_reader_that_stops_early_leaves_no_thread_and_no_open_source() -> None:
    made: list[int] = []
    closed: list[str] = []
    before = threading.active_count()
    items = Ahead(numbers(made, closed), depth=1)
    with items:
        assert next(items) == 0
    assert threading.active_count() == before
    assert closed
    assert len(made) < 10


def test_an_error_of_the_source_is_raised_where_its_item_would_have_come() -> None:
    def broken() -> Generator[int]:
        yield 1
        raise MemoryError("too large")

    with Ahead(broken(), depth=4) as items:
        assert next(items) == 1
        with pytest.raises(MemoryError, match="too large"):
            next(items)
