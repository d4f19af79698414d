"""Whole numbers of a payload: JSON does not tell 24.0 from 24, and Python does."""

from __future__ import annotations

from typing import Any


def whole_numbers(value: Any) -> Any:
    """Return a copy of a JSON value in which every number without a fraction is an int.

    The schema takes 24.0 for the integer that it is (JSON Schema 2020-12, 6.1.1), while
    nothing can be counted, or named to an encoder, by a float.
    """
    if isinstance(value, dict):
        return {name: whole_numbers(member) for name, member in value.items()}
    if isinstance(value, list):
        return [whole_numbers(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value
