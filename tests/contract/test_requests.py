from __future__ import annotations

from typing import Any

import pytest

from app.contract import RequestSchema
from app.errors import ValidationFailed

SCHEMA = RequestSchema(
    {
        "type": "object",
        "additionalProperties": False,
        "properties": {"names": {"type": "array", "maxItems": 2, "items": {"type": "string"}}},
    }
)


def refused(document: object) -> list[tuple[str, str]]:
    with pytest.raises(ValidationFailed) as caught:
        SCHEMA.check(document)
    return [(item.pointer, item.code) for item in caught.value.errors]


def test_a_body_that_meets_its_schema_passes() -> None:
    SCHEMA.check({"names": ["a", "b"]})


def test_every_violation_has_its_pointer() -> None:
    assert refused({"names": ["a", 7], "nmes": 1}) == [
        ("/nmes", "unknown-field"),
        ("/names/1", "wrong-type"),
    ]


def test_a_body_nested_too_deep_is_refused_before_anything_recurses() -> None:
    deep: Any = "x"
    for _ in range(5000):
        deep = [deep]
    ((pointer, code),) = refused({"names": deep})
    assert code == "too-deep"
    assert pointer.startswith("/names/0/0")
