from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.errors import RangeNotSatisfiable
from app.http.ranges import Span, span_of

sizes = st.integers(min_value=0, max_value=50)
numbers = st.integers(min_value=0, max_value=60)


def read(header: str, size: int) -> Span | str | None:
    try:
        return span_of(header, size)
    except RangeNotSatisfiable:
        return "416"


@given(numbers, numbers, sizes)
def test_a_range_from_to_is_what_slicing_gives(first: int, last: int, size: int) -> None:
    span = read(f"bytes={first}-{last}", size)
    expected = list(range(size))[first : last + 1]
    if last < first:
        assert span is None
    elif not expected:
        assert span == "416"
    else:
        assert span == Span(expected[0], expected[-1] + 1, size)


@given(numbers, sizes)
def test_a_suffix_is_the_end_of_the_file(length: int, size: int) -> None:
    span = read(f"bytes=-{length}", size)
    expected = list(range(size))[-length:] if length else []
    assert span == (Span(expected[0], size, size) if expected else "416")


@given(numbers, sizes)
def test_an_open_range_goes_to_the_end(first: int, size: int) -> None:
    span = read(f"bytes={first}-", size)
    assert span == (Span(first, size, size) if first < size else "416")


@given(st.text(max_size=30), sizes)
def test_no_header_makes_it_fail_in_another_way(header: str, size: int) -> None:
    span = read(header, size)
    assert span in (None, "416") or isinstance(span, Span)
