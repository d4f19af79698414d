from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest

from app.render.model.storyboard import Step
from app.render.story import layout
from tests.render.requests import storyboard_of


def step_of(**given: Any) -> Step:
    request = {"steps": [{"durationSec": 8, **given}], "assets": [], "audio": {}}
    return storyboard_of({"previewRequest": request, "dryRun": False}).steps[0]


@pytest.mark.parametrize(
    ("given", "items"),
    [
        ({"body": "- one\n- two"}, [("•", "one"), ("•", "two")]),
        ({"body": "• one\n\n* two\n– three"}, [("•", "one"), ("•", "two"), ("•", "three")]),
        ({"body": "1. one\n2) two"}, [("1.", "one"), ("2.", "two")]),
        ({"type": "bulleted", "body": "one\ntwo"}, [("•", "one"), ("•", "two")]),
        ({"overlays": [{"text": "- one\n- two"}]}, [("•", "one"), ("•", "two")]),
        ({"body": "Take:\n- one\n- two"}, [("", "Take:"), ("•", "one"), ("•", "two")]),
    ],
)
def test_lines_that_begin_with_a_mark_or_number_are_items(
    given: dict[str, Any], items: list[tuple[str, str]]
) -> None:
    assert [(text.marker, text.text) for text in step_of(**given).texts] == items


@pytest.mark.parametrize(
    "given",
    [
        {"body": "one\ntwo"},
        {"body": "- only one"},
        {"body": "- one\nand something else\n- two"},
        {"body": "2.5 points\n3.5 points"},
        {"overlays": [{"text": "- one\n- two", "role": "caption"}]},
        {"overlays": [{"text": "- one\n- two",
                       "placement": {"x": 0.1, "y": 0.1, "width": 0.5, "height": 0.5}}]},
    ],
)  # fmt: skip
def test_other_texts_are_no_lists(given: dict[str, Any]) -> None:
    (text,) = step_of(**given).texts
    assert not text.marker


def test_items_appear_one_by_one_and_the_whole_list_is_seen_longest() -> None:
    step = step_of(title="Turn", body="- one\n- two\n- three\n- four")
    starts = [text.span.start for text in step.texts]
    assert starts == [0, 24, 54, 84, 114]
    assert {text.span.end for text in step.texts} == {step.frames}
    assert step.frames - starts[-1] > max(b - a for a, b in pairwise(starts))


def test_times_of_an_overlay_are_kept_for_its_items() -> None:
    step = step_of(overlays=[{"text": "- one\n- two", "startSec": 2, "endSec": 5}])
    assert {(text.span.start, text.span.end) for text in step.texts} == {(60, 150)}


def test_items_hang_beside_their_markers() -> None:
    step = step_of(title="Turn", body="1. one\n2. " + "two " * 40)
    heading, one, two = layout.place(step.texts, (), width=1280, height=720).texts
    assert one.text_rect.x == pytest.approx(two.text_rect.x)
    assert one.text_rect.x - one.marker_rect.x == pytest.approx(1.15 * one.block.size)
    assert heading.ink.bottom < one.ink.y < one.ink.bottom < two.ink.y
    assert len(two.block.lines) > 1


def test_captions_read_items_as_sentences_without_their_marks() -> None:
    assert step_of(body="1. Walk\n2. Draw a card.").spoken == "Walk. Draw a card."
