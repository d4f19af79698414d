from __future__ import annotations

import orjson

from app.errors import ErrorItem, ValidationFailed
from app.ledger import bounded_warnings
from app.ledger.bounds import MAX_LIST_BYTES, MAX_TEXT, bounded


def test_few_short_warnings_are_kept_as_they_are() -> None:
    assert bounded_warnings(["a", "ü" * MAX_TEXT]) == ["a", "ü" * MAX_TEXT]


def test_warnings_beyond_the_limit_are_counted() -> None:
    kept = bounded_warnings([f"warning {number}" for number in range(10_000)])
    assert kept[0] == "warning 0"
    assert kept[-1] == f"{10_000 - (len(kept) - 1)} more warnings"
    assert MAX_LIST_BYTES * 0.9 < len(orjson.dumps(kept)) < MAX_LIST_BYTES + 50


def test_a_long_warning_is_cut() -> None:
    assert bounded_warnings(["x" * 5000]) == ["x" * (MAX_TEXT - 1) + "…"]


def test_a_long_error_keeps_its_detail_and_its_first_violations() -> None:
    errors = [ErrorItem(f"/{number}", "wrong-type", "z" * 5000) for number in range(100)]
    problem = ValidationFailed("d" * 5000, errors=errors).to_problem()
    error = bounded({"error": problem})["error"]
    assert len(error["detail"]) == MAX_TEXT
    assert [item["pointer"] for item in error["errors"][:2]] == ["/0", "/1"]
    assert len(orjson.dumps(error)) < MAX_LIST_BYTES + 2 * MAX_TEXT
    assert {**error, "detail": "", "errors": []} == {**problem, "detail": "", "errors": []}


def test_other_fields_stay_as_they_are() -> None:
    fields = {"artifacts": [{"kind": "video"}], "plan": {"steps": []}, "warnings": []}
    assert bounded(fields) == fields
