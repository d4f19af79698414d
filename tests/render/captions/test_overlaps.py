from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.render.captions.entries import CaptionsMalformed, Entry
from app.render.captions.overlaps import stacked


def entry(start: float, end: float, *lines: str) -> Entry:
    return Entry(start, end, lines)


def test_captions_of_one_time_are_stacked_in_the_order_of_the_file() -> None:
    found = stacked([entry(0, 2, "Top"), entry(0, 2, "Bottom")])
    assert found == (entry(0, 2, "Top", "Bottom"),)


def test_a_caption_within_another_is_shown_beneath_it_and_the_other_goes_on() -> None:
    found = stacked([entry(0, 9, "Long"), entry(2, 3, "Short")])
    assert found == (entry(0, 2, "Long"), entry(2, 3, "Long", "Short"), entry(3, 9, "Long"))


def test_an_overlap_too_brief_to_read_ends_the_earlier_caption() -> None:
    found = stacked([entry(0, 2.04, "A"), entry(2, 4, "B")])
    assert found == (entry(0, 2, "A"), entry(2, 4, "B"))
    assert stacked([entry(0, 0.1, "A"), entry(0, 2, "B")]) == (
        entry(0, 0.1, "A", "B"),
        entry(0.1, 2, "B"),
    )


def test_what_is_said_twice_at_once_is_shown_once() -> None:
    found = stacked([entry(0, 2, "A"), entry(0, 2, "A"), entry(1, 3, "A"), entry(4, 5, "A")])
    assert found == (entry(0, 3, "A"), entry(4, 5, "A"))


def test_captions_out_of_order_are_put_in_order() -> None:
    assert stacked([entry(5, 6, "B"), entry(1, 2, "A")]) == (entry(1, 2, "A"), entry(5, 6, "B"))


def test_more_at_once_than_can_be_read_is_refused_with_the_line_of_the_last() -> None:
    crowd = [Entry(0, 2, (str(place) * 100,), place) for place in range(1, 7)]
    assert len(stacked(crowd[:5])) == 1
    with pytest.raises(CaptionsMalformed, match="line 6: more than 500 characters"):
        stacked(crowd)


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.integers(0, 40), st.integers(1, 20), st.sampled_from("ABCD")),
        min_size=1,
        max_size=12,
    )
)
def test_every_text_is_shown_in_its_time_and_only_then(
    captions: list[tuple[int, int, str]],
) -> None:
    # In quarters of a second, so that no overlap is brief.
    entries = [entry(at / 4, (at + lasts) / 4, text) for at, lasts, text in captions]
    found = stacked(entries)
    assert all(before.end <= after.start for before, after in pairwise(found))
    for quarter in range(61):
        time = quarter / 4 + 0.1
        wanted = {one.lines[0] for one in entries if one.start <= time < one.end}
        shown = [line for one in found if one.start <= time < one.end for line in one.lines]
        assert sorted(shown) == sorted(wanted)
