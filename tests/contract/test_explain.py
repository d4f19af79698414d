from __future__ import annotations

from typing import Any

import pytest

from app.contract import MAX_ERRORS, load_contract, parse_json
from app.contract.explain import explain
from app.contract.failure import MAX_COUNTED
from app.contract.pointer import MAX_QUOTE, pointer, quote
from app.errors import ErrorItem, ValidationFailed

from .payloads import ABSENT, edited, full, minimal

#: More steps than are allowed.
TOO_MANY: list[dict[str, Any]] = [{}] * 201


def refused(payload: object) -> ValidationFailed:
    with pytest.raises(ValidationFailed) as caught:
        load_contract().check(payload)
    return caught.value


def detail(at: str, value: object) -> str:
    (item,) = refused(edited(full(), at, value)).errors
    return item.detail


def test_all_violations_are_told_at_once_in_the_order_of_the_schema() -> None:
    payload = edited(full(), "/jobId", ABSENT)
    payload = edited(payload, "/extra", 1)
    payload = edited(payload, "/priority", "urgent")
    payload = edited(payload, "/previewRequest/steps/0/durationSec", "5")
    payload = edited(payload, "/previewRequest/steps/1/text", 5)
    error = refused(payload)
    assert [(item.pointer, item.code) for item in error.errors] == [
        ("/extra", "unknown-field"),
        ("", "required"),
        ("/previewRequest/steps/0/durationSec", "wrong-type"),
        ("/previewRequest/steps/1/text", "wrong-type"),
        ("/priority", "not-allowed"),
    ]
    assert error.detail == "The payload has 5 errors."


def test_a_single_violation_is_the_detail_of_the_whole() -> None:
    error = refused(edited(full(), "/previewRequest/options/fps", 31))
    assert error.detail == (
        "31 is not allowed; use 24, 25, 30, 50 or 60. (at /previewRequest/options/fps)"
    )


def test_a_violation_of_the_whole_has_no_place_to_tell() -> None:
    error = refused(edited(full(), "/dryRun", ABSENT))
    assert error.detail == 'The field "dryRun" is missing; add it.'


@pytest.mark.parametrize(
    ("at", "value", "sentence"),
    [
        ("/dryRun", "yes", '"yes" has the wrong type; use true or false.'),
        ("/previewRequest/steps", {}, "An object of 0 fields has the wrong type; use an array."),
        (
            "/previewRequest/steps",
            [{}] * 201,
            "An array of 201 items is too long; the maximum is 200 items.",
        ),
        (
            "/previewRequest/steps/0/visuals/0/motions/0/from",
            "left",
            '"left" has the wrong type; use a number or an object.',
        ),
        ("/attempts", -1, "-1 is too small; the minimum is 0."),
        ("/attempts", 1e300, "1e+300 is too large; the maximum is 1000."),
        ("/previewRequest/steps/0/durationSec", 0, "0 is too small; it must be greater than 0."),
        ("/priority", "hihg", '"hihg" is not allowed; did you mean high? use low, normal or high.'),
        ("/prioritty", "high", 'The field "prioritty" is unknown; did you mean "priority"?'),
        (
            "/previewRequest/audio/voice/x",
            1,
            (
                'The field "x" is unknown; '
                'known fields are "provider", "voiceId", "language" or "wordsPerMinute".'
            ),
        ),
        (
            "/previewRequest/assets/0/path",
            ABSENT,
            'Give one of "path" or "uri".',
        ),
        ("/previewRequest/assets/0/uri", "s3://a/b", 'Give only one of "path" or "uri".'),
        ("/previewRequest/steps/0/text", "a", 'Give one of "body" or "text", not both.'),
        (
            "/createdAt",
            "2025-02-30T00:00:00Z",
            (
                '"2025-02-30T00:00:00Z" does not exist or has the wrong format; '
                "expected: RFC 3339 date and time with an offset."
            ),
        ),
        (
            "/previewRequest/options/resolution",
            "720p",
            (
                '"720p" has the wrong format; expected: Width x height in pixels: '
                "both even, each side 90 to 3840, at most 3840x2160 pixels in all."
            ),
        ),
    ],
)
def test_a_sentence_names_the_value_and_the_remedy(at: str, value: object, sentence: str) -> None:
    assert detail(at, value) == sentence


def test_each_unknown_field_is_an_item_with_its_own_pointer() -> None:
    payload = edited(edited(minimal(), "/a~1b", 1), "/c~0d", 2)
    assert [item.pointer for item in refused(payload).errors] == ["/a~1b", "/c~0d"]


def test_a_long_name_inside_metadata_is_told_at_its_own_place() -> None:
    name = "k/" * 40
    payload = edited(minimal(), "/previewRequest/metadata", {name: 1})
    (item,) = refused(payload).errors
    assert item.pointer == "/previewRequest/metadata/" + "k~1" * 40
    assert item.code == "too-long"


def test_what_has_no_fields_is_not_told_which_fields_to_choose() -> None:
    payload = edited(full(), "/previewRequest/assets", ["a"])
    payload = edited(payload, "/previewRequest/steps", [1])
    codes = [item.code for item in refused(payload).errors]
    assert codes == ["wrong-type", "wrong-type"]


def test_a_hundred_errors_are_listed_and_the_rest_is_counted() -> None:
    steps = [{"type": f"t{number}"} for number in range(150)]
    error = refused(edited(full(), "/previewRequest/steps", steps))
    assert len(error.errors) == MAX_ERRORS == 100
    assert error.detail == ("The payload has 150 errors. The first 100 are listed.")


def test_exactly_a_hundred_errors_are_all_listed() -> None:
    steps = [{"type": f"t{number}"} for number in range(100)]
    error = refused(edited(full(), "/previewRequest/steps", steps))
    assert len(error.errors) == 100
    assert error.detail == "The payload has 100 errors."


def test_counting_stops_at_a_thousand() -> None:
    error = refused({f"f{number}": 1 for number in range(50_000)})
    assert len(error.errors) == MAX_ERRORS
    assert error.detail == (
        f"The payload has at least {MAX_COUNTED} errors. The first 100 are listed."
    )


def test_an_endless_array_is_told_without_a_look_at_its_items() -> None:
    payload = edited(full(), "/previewRequest/steps", [{"type": "unknown"}] * 300_000)
    items = list(explain(load_contract().schema, payload))
    assert [(item.pointer, item.code) for item in items] == [("/previewRequest/steps", "too-many")]


@pytest.mark.parametrize("levels", [32, 254, 1000])
def test_a_deep_body_is_told_by_its_depth_alone(levels: int) -> None:
    body = parse_json(b'{"jobId":' + b"[" * levels + b"]" * levels + b"}")
    assert [item.code for item in refused(body).errors] == ["too-deep"]


def test_deep_metadata_is_refused_though_the_schema_leaves_it_free() -> None:
    deep: Any = 1
    for _ in range(31):
        deep = {"a": deep}
    payload = edited(minimal(), "/previewRequest/metadata", {"a": deep["a"]})
    with pytest.raises(ValidationFailed) as caught:
        load_contract().check(payload)
    (item,) = caught.value.errors
    assert item.code == "too-deep"
    assert item.pointer == "/previewRequest/metadata" + "/a" * 30
    load_contract().check(edited(payload, "/previewRequest/metadata", deep["a"]["a"]))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(
    "at",
    [
        "/attempts",
        "/previewRequest/steps/0/durationSec",
        "/previewRequest/steps/0/overlays/0/startSec",
        "/previewRequest/options/maxDurationSec",
    ],
)
def test_a_number_that_json_has_not_is_refused(at: str, value: float) -> None:
    (item,) = refused(edited(full(), at, value)).errors
    assert (item.pointer, item.code) == (at, "wrong-type")


@pytest.mark.parametrize("value", ["\ud800", {1: 2}, {1, 2}, b"bytes", 2**64, object()])
def test_an_object_that_json_cannot_hold_is_refused(value: object) -> None:
    (item,) = refused(edited(minimal(), "/previewRequest/metadata", {"a": value})).errors
    assert (item.pointer, item.code) == ("", "not-json")


def test_an_object_that_holds_itself_is_refused() -> None:
    loop: dict[str, Any] = {}
    loop["loop"] = loop
    (item,) = refused(edited(minimal(), "/previewRequest/metadata", loop)).errors
    assert item.code == "too-deep"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("short", '"short"'),
        ('quo"te', '"quo\\"te"'),
        ("line\nbreak\0", '"line\\nbreak\\u0000"'),
        ("separator\u2028\x7f", '"separator\\u2028\\u007f"'),
        ("é🎲", '"é🎲"'),
        (True, "true"),
        (None, "null"),
        (1.5, "1.5"),
        ([1, 2], "An array of 2 items"),
        ({"a": 1}, "An object of 1 fields"),
    ],
)
def test_a_value_is_quoted_as_json_on_one_line(value: object, text: str) -> None:
    assert quote(value) == text


@pytest.mark.parametrize("value", ["a" * 1_000_000, "\n" * 79, "a" * 79, "\x7f" * 100, 10**500])
def test_a_long_value_is_quoted_in_part(value: object) -> None:
    assert len(quote(value)) <= MAX_QUOTE == 80
    assert "…" in quote(value)


def test_the_pointer_of_the_whole_is_empty_and_parts_are_escaped() -> None:
    assert pointer() == ""
    assert pointer("a/b", 0, "c~d", "") == "/a~1b/0/c~0d/"


def test_an_item_is_told_once_though_two_keywords_tell_it() -> None:
    error = refused(edited(full(), "/createdAt", "yesterday"))
    assert [item.code for item in error.errors] == ["bad-format"]
    assert all(isinstance(item, ErrorItem) for item in error.errors)
