"""Hypothesis strategies: payloads made from the schema itself, then bent.

Written out because hypothesis-jsonschema 0.23 uses internals that Hypothesis
6.170 no longer has. Only the keywords of the schema are known here; a new one
makes :func:`values` fail, not pass.
"""

from __future__ import annotations

import copy
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

#: Keywords that say nothing about a value, or that the strategies obey below.
KNOWN: Final = frozenset(
    {
        "$schema",
        "$id",
        "$defs",
        "$comment",
        "$ref",
        "title",
        "description",
        "examples",
        "default",
        "type",
        "enum",
        "pattern",
        "format",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "minLength",
        "maxLength",
        "maxItems",
        "items",
        "properties",
        "required",
        "additionalProperties",
        "minProperties",
        "maxProperties",
        "propertyNames",
        "not",
        "oneOf",
    }
)

#: Values on which two JSON Schema validators are likely to differ.
NASTY: Final[list[Any]] = [
    None, True, False, 0, 1, -1, 1.0, -0.0, 0.5, 24.0, 30.000000000000004, 120, 120.0,
    120.00000000000001, 5e-324, 1e300, -1e300, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1,
    1.2345678901234568e29, "", "a", "a\n", "\na", "a\r", "a\x00", "a\x1f", "a\x7f", "a\x85",
    "a\u2028", "a\u2029b", "\ufeffa", "a\u200f", "e\u0301" * 80, "\U0001f3b2" * 128,
    "\u0661", "a" * 129,
    "white\n", "#12345", "#123456\n", "#12345678", "en\n", "en-US", "mp4\n", "1280x720\n", "1e3x90",
    "../a", "a/../b", "a/..", "..a", "a\\b", "/a", "C:a", "a/..\n", "a/\n/../b", "https://a\n",
    "https://a b", "s3://a", "0" * 64, "0" * 64 + "\n",
    "2025-10-08T12:05:00Z", "2025-02-30T00:00:00Z", "2024-02-29T00:00:00Z", "2023-02-29T00:00:00Z",
    "2025-10-08t12:05:00.5z", "2025-10-08T12:05:00Z\n", "2016-12-31T23:59:60Z",
    "0000-01-01T00:00:00Z", "2025-10-08T24:00:00Z", "2025-10-08T12:05:00+24:00",
    "2025-10-08T12:05:00-00:00", "2025-10-08 12:05:00Z", "2025-10-08T12:05:00",
    "9999-12-31T23:59:59Z",
    [], [[]], {}, {"x": 0, "y": 1}, {"x": 0.5}, {"path": "a", "uri": "https://a"}, {"": {}},
]  # fmt: skip

_words = st.text(st.characters(exclude_categories=["Cs"]), max_size=6)
_finite = st.floats(allow_nan=False, allow_infinity=False)
#: Any JSON value, small. Copied, since a bend may change what an earlier one put in.
json_values = st.recursive(
    st.sampled_from(NASTY).map(copy.deepcopy)
    | st.floats(allow_nan=False, allow_infinity=False)
    | _words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=3),
    max_leaves=4,
)


def values(schema: dict[str, Any], defs: dict[str, Any]) -> SearchStrategy[Any]:
    """Return a strategy of values that mostly match ``schema``."""
    if "$ref" in schema:
        target = defs[schema["$ref"].removeprefix("#/$defs/")]
        return values({**target, **{k: v for k, v in schema.items() if k != "$ref"}}, defs)
    unknown = set(schema) - KNOWN
    assert not unknown, unknown
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    return st.one_of([_of_kind(kind, schema, defs) for kind in kinds])


def _of_kind(kind: str, schema: dict[str, Any], defs: dict[str, Any]) -> SearchStrategy[Any]:
    low: float = schema.get("minimum", schema.get("exclusiveMinimum", 0))
    high: float = schema.get("maximum", 0)  # every number of the schema has one
    match kind:
        case "boolean":
            return st.booleans()
        case "integer":
            edges = st.sampled_from([low, high, float(high), high + 1])
            return st.integers(int(low), int(high)) | edges
        case "number":
            return st.floats(low, high) | st.sampled_from([low, high, low - 0.01, high + 1e-9])
        case "string":
            return _strings(schema)
        case "array":
            return st.lists(values(schema["items"], defs), max_size=2)
        case _:
            return _objects(schema, defs)


def _strings(schema: dict[str, Any]) -> SearchStrategy[str]:
    if schema.get("format") == "date-time":
        return _moments | _odd_moments
    return st.from_regex(schema["pattern"], fullmatch=True)


#: Real moments. Made once: a strategy of time zones reads all their names from the disk.
_moments = st.datetimes(timezones=st.timezones()).map(lambda moment: moment.isoformat())
#: Moments with every field a little beyond its range.
_odd_moments = st.builds(
    "{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}{}{}".format,
    st.sampled_from([0, 1, 1900, 2000, 2023, 2024, 9999, 10000]),
    st.integers(0, 13),
    st.integers(0, 32),
    st.sampled_from("Tt "),
    st.integers(0, 25),
    st.integers(0, 61),
    st.integers(0, 61),
    st.sampled_from(["", ".", ".0", ".123456789", ".1234567890"]),
    st.sampled_from(["Z", "z", "", "+00:00", "-00:00", "+23:59", "+24:00", "+01", "+0100", "Z\n"]),
)


@st.composite
def _objects(draw: st.DrawFn, schema: dict[str, Any], defs: dict[str, Any]) -> dict[str, Any]:
    properties = schema.get("properties")
    if properties is None:
        return draw(st.dictionaries(_words, json_values, max_size=3))
    required = schema.get("required", [])
    optional = [name for name in properties if name not in required]
    names = [*required]
    if optional:
        names += draw(st.lists(st.sampled_from(optional), max_size=4, unique=True))
    return {name: draw(values(properties[name], defs)) for name in names}


@st.composite
def bent(draw: st.DrawFn, payloads: SearchStrategy[Any]) -> Any:
    """Change up to three places of a payload: another value, a new member, or none."""
    payload = {"": copy.deepcopy(draw(payloads))}
    for _ in range(draw(st.integers(0, 3))):
        holder, key = draw(st.sampled_from(_places(payload)))
        match draw(st.sampled_from(["replace", "replace", "replace", "remove", "add"])):
            case "remove" if holder is not payload:
                del holder[key]
            case "add" if isinstance(holder, dict) and holder is not payload:
                holder[draw(_words)] = draw(json_values)
            case _:
                holder[key] = draw(json_values)
    return payload[""]


def _places(payload: dict[str, Any]) -> list[tuple[Any, Any]]:
    found: list[tuple[Any, Any]] = []
    stack: list[Any] = [payload]
    while stack:
        node = stack.pop()
        for key in list(node) if isinstance(node, dict) else range(len(node)):
            found.append((node, key))
            if isinstance(node[key], dict | list):
                stack.append(node[key])
    return found
