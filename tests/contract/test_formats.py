from __future__ import annotations

import jsonschema
import jsonschema_rs
import pytest

from app.contract.formats import FORMATS

SCHEMA = {"format": "date-time"}
OURS = jsonschema.Draft202012Validator(SCHEMA, format_checker=FORMATS)
RUST = jsonschema_rs.Draft202012Validator(SCHEMA, validate_formats=True)


@pytest.mark.parametrize(
    "value",
    [
        "1985-04-12T23:20:50.52Z",
        "1996-12-19T16:39:57-08:00",
        "1937-01-01T12:00:27.87+00:20",
        "2024-02-29t00:00:00z",
        "2025-10-08T12:05:00.1234567890123Z",
        "0001-01-01T00:00:00+23:59",
        20251008,
        None,
    ],
)
def test_a_moment_of_rfc_3339_and_whatever_is_not_a_string_is_accepted(value: object) -> None:
    assert OURS.is_valid(value)
    assert RUST.is_valid(value)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "2025-10-08",
        "12:05:00Z",
        "2025-10-08T12:05:00",
        "2025-10-08 12:05:00Z",
        "2025-10-08T12:05Z",
        "2025-10-08T12:05:00.Z",
        "2025-10-08T12:05:00,5Z",
        "2025-10-08T24:00:00Z",
        "2025-10-08T12:60:00Z",
        "2025-10-08T12:05:61Z",
        "2025-10-08T12:05:00+24:00",
        "2025-10-08T12:05:00+01:60",
        "2025-10-08T12:05:00+0100",
        "2025-10-08T12:05:00Z\n",
        " 2025-10-08T12:05:00Z",
        "2023-02-29T12:05:00Z",
        "2025-04-31T12:05:00Z",
        "2025-13-01T12:05:00Z",
        "2025-00-01T12:05:00Z",
        "2025-10-00T12:05:00Z",
        "25-10-08T12:05:00Z",
        "20251008T120500Z",
        "2025-W41-3T12:05:00Z",
        "2025-10-08T12:05:0\N{ARABIC-INDIC DIGIT ZERO}Z",
    ],
)
def test_a_string_that_is_no_moment_of_rfc_3339_is_refused(value: str) -> None:
    assert not OURS.is_valid(value)
    assert not RUST.is_valid(value)


@pytest.mark.parametrize("value", ["0000-01-01T00:00:00Z", "2016-12-31T23:59:60Z"])
def test_leap_seconds_and_the_year_zero_are_refused(value: str) -> None:
    assert not OURS.is_valid(value)
