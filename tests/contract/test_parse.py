from __future__ import annotations

import pytest

from app.contract import MAX_DEPTH, MAX_PAYLOAD_BYTES, parse_json
from app.contract.parse import nesting_error
from app.errors import InvalidJson, PayloadTooLarge


def padded(size: int) -> bytes:
    return b'"' + b"a" * (size - 2) + b'"'


def nested(levels: int) -> object:
    value: object = 1
    for _ in range(levels):
        value = [value]
    return value


def test_a_body_of_exactly_one_mebibyte_is_read() -> None:
    assert parse_json(padded(1_048_576)) == "a" * 1_048_574
    assert MAX_PAYLOAD_BYTES == 1_048_576


def test_a_body_of_one_byte_more_is_refused_with_its_size() -> None:
    with pytest.raises(PayloadTooLarge, match="1048577 bytes"):
        parse_json(padded(1_048_577))


def test_an_oversized_body_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(PayloadTooLarge):
        parse_json(b"{" * (MAX_PAYLOAD_BYTES + 1))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"a":1,}',
        b"{'a':1}",
        b'{"a":1} x',
        b"[NaN]",
        b"[Infinity]",
        b"[-Infinity]",
        b"[1e400]",
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b"\xef\xbb\xbf{}",
        b"[" * 10_000 + b"]" * 10_000,
        b'{"a":' * 10_000,
    ],
)
def test_what_is_no_json_is_refused(body: bytes) -> None:
    with pytest.raises(InvalidJson, match=r"not valid JSON: .*line 1"):
        parse_json(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b'{"a": [1, 2.5, true, null, "\\u00e9"]}', {"a": [1, 2.5, True, None, "é"]}),
        (b' "\\u0000" ', "\0"),
        (b"123456789012345678901234567890", 1.2345678901234568e29),
        (b'"\\ud83c\\udfb2"', "🎲"),
    ],
)
def test_what_is_json_is_read(body: bytes, value: object) -> None:
    assert parse_json(body) == value


def test_nesting_is_allowed_down_to_the_cap() -> None:
    assert nesting_error(nested(MAX_DEPTH)) is None


def test_nesting_beyond_the_cap_names_the_place() -> None:
    error = nesting_error(nested(MAX_DEPTH + 1))
    assert error is not None
    assert (error.code, error.pointer) == ("too-deep", "/0" * MAX_DEPTH)


def test_nesting_far_beyond_pythons_own_stack_is_measured() -> None:
    assert nesting_error(nested(100_000)) is not None


def test_the_place_of_a_value_counts_as_nesting() -> None:
    assert nesting_error(nested(MAX_DEPTH - 2), at=("a", "b")) is None
    error = nesting_error({"x~/": nested(MAX_DEPTH - 2)}, at=("a", "b"))
    assert error is not None
    assert error.pointer.startswith("/a/b/x~0~1/0")
