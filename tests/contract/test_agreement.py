"""The gate (jsonschema-rs) and the explainer (jsonschema) must judge alike.

They are two implementations: whatever one refuses and the other accepts would
be refused without a reason, or worse, explained although it was never refused.
"""

from __future__ import annotations

from typing import Any

import jsonschema
import jsonschema_rs
import orjson
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from app.contract import load_contract
from app.contract.explain import explain
from app.contract.formats import FORMATS

from .payloads import full
from .strategies import NASTY, bent, values

SCHEMA = load_contract().schema
DEFS = SCHEMA["$defs"]
# Not the contract's own: its explainer skips what an endless array holds.
RUST = jsonschema_rs.Draft202012Validator(SCHEMA, validate_formats=True)
PYTHON = jsonschema.Draft202012Validator(SCHEMA, format_checker=FORMATS)


def agree(payload: Any) -> bool:
    # Through JSON, as every payload comes: orjson turns what JSON cannot say into what it can.
    payload = orjson.loads(orjson.dumps(payload))
    rust = RUST.is_valid(payload)
    assert PYTHON.is_valid(payload) == rust
    assert (next(explain(SCHEMA, payload), None) is None) == rust
    return rust


def test_both_validators_judge_payloads_made_from_the_schema_alike() -> None:
    judged: set[bool] = set()

    @settings(max_examples=100, deadline=None, suppress_health_check=[*HealthCheck], database=None)
    @given(bent(values(SCHEMA, DEFS)))
    def judge(payload: Any) -> None:
        valid = agree(payload)
        event(f"valid: {valid}")
        judged.add(valid)

    judge()
    assert judged == {True, False}, "the strategy makes payloads of both kinds"


@settings(max_examples=300, deadline=None, suppress_health_check=[*HealthCheck])
@given(bent(st.just(full())))
def test_both_validators_judge_bent_real_payloads_alike(payload: Any) -> None:
    event(f"valid: {agree(payload)}")


@pytest.mark.parametrize("name", sorted(DEFS))
def test_both_validators_judge_nasty_values_alike_in_every_part(name: str) -> None:
    part = {"$defs": DEFS, "$ref": f"#/$defs/{name}"}
    rust = jsonschema_rs.Draft202012Validator(part, validate_formats=True)
    python = jsonschema.Draft202012Validator(part, format_checker=FORMATS)
    for value in NASTY:
        assert rust.is_valid(value) == python.is_valid(value), value
