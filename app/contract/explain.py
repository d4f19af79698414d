"""Explains what the schema refuses, for people and for programs.

jsonschema-rs decides whether a payload is valid. When it is not, :mod:`jsonschema` finds every
violation, and this module gives each a pointer, a stable code and a sentence. Import this module
only when something is refused: jsonschema takes long to load.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final

import jsonschema

from app.contract.formats import FORMATS
from app.contract.pointer import pointer, quote
from app.errors import ErrorItem

#: A ``jsonschema.ValidationError``. Its type stubs declare every attribute as possibly unset.
Violation = Any

#: Schema keyword -> stable code. The functions below handle ``required``,
#: ``additionalProperties``, ``not`` and ``oneOf``.
CODES: Final = {
    "type": "wrong-type",
    "enum": "not-allowed",
    "pattern": "pattern",
    "format": "bad-format",
    "maximum": "too-large",
    "minimum": "too-small",
    "exclusiveMinimum": "too-small",
    "maxLength": "too-long",
    "minLength": "too-short",
    "maxItems": "too-many",
    "maxProperties": "too-many",
    "minProperties": "too-few",
}

_REMEDIES: Final[dict[str, Callable[[Any], str]]] = {
    "type": lambda limit: f"use {_types(limit)}",
    "maximum": lambda limit: f"the maximum is {limit}",
    "minimum": lambda limit: f"the minimum is {limit}",
    "exclusiveMinimum": lambda limit: f"it must be greater than {limit}",
    "maxLength": lambda limit: f"the maximum is {limit} characters",
    "minLength": lambda limit: f"the minimum is {limit} characters",
    "maxItems": lambda limit: f"the maximum is {limit} items",
    "maxProperties": lambda limit: f"the maximum is {limit} fields",
    "minProperties": lambda limit: f"the minimum is {limit} fields",
}

_PROBLEMS: Final = {
    "wrong-type": "has the wrong type",
    "bad-format": "does not exist or has the wrong format",
    "pattern": "has the wrong format",
    "too-large": "is too large",
    "too-small": "is too small",
    "too-long": "is too long",
    "too-short": "is too short",
    "too-many": "is too long",
    "too-few": "is too short",
}


def _bounded_items(
    validator: Any,
    items: Any,
    instance: Any,
    schema: Any,
) -> Iterator[Violation]:
    """Descend only into arrays of an allowed length; ``maxItems`` reports the others.

    A body of 1 MiB can hold 350,000 empty objects, which would take jsonschema seconds.
    """
    if isinstance(instance, list) and len(instance) > schema.get("maxItems", len(instance)):
        return
    yield from jsonschema.Draft202012Validator.VALIDATORS["items"](
        validator, items, instance, schema
    )


#: jsonschema's validator of Draft 2020-12, which skips the items of arrays that are too long.
_Validator: Final[Any] = jsonschema.validators.extend(  # type: ignore[no-untyped-call] # stubs
    jsonschema.Draft202012Validator, {"items": _bounded_items}
)


def explain(schema: Mapping[str, Any], document: object) -> Iterator[ErrorItem]:
    """Yield each violation of ``schema`` in ``document``, each pointer and code once.

    Args:
        schema: A JSON Schema, Draft 2020-12.
        document: Any JSON value.
    """
    seen: set[tuple[str, str, str]] = set()
    for error in _Validator(schema, format_checker=FORMATS).iter_errors(document):
        for item in _items(error):
            # Two keywords can report the same problem (format and pattern), but every missing
            # field is a problem of its own.
            key = (item.pointer, item.code, item.detail if item.code == "required" else "")
            if key not in seen:
                seen.add(key)
                yield item


def _items(error: Violation) -> Iterator[ErrorItem]:
    path = tuple(error.absolute_path)
    if "propertyNames" in error.absolute_schema_path:
        path = (*path, error.instance)
    match error.validator:
        case "required":
            yield _missing(error, path)
        case "additionalProperties":
            yield from _unknown(error, path)
        case "not" | "oneOf" if not isinstance(error.instance, dict):
            return  # both choose between fields; "type" reports values that are not objects
        case "not":
            names = _names(error.validator_value["required"])
            yield ErrorItem(pointer(*path), "conflict", f"Give one of {names}, not both.")
        case "oneOf":
            yield _alternatives(error, path)
        case keyword:
            yield _plain(error, path, str(keyword))


def _missing(error: Violation, path: Sequence[str | int]) -> ErrorItem:
    # jsonschema yields one error per missing field and puts the name only into its message.
    name = next(
        name
        for name in error.validator_value
        if error.message.startswith(f"{name!r} is a required")
    )
    return ErrorItem(pointer(*path), "required", f'The field "{name}" is missing; add it.')


def _unknown(error: Violation, path: Sequence[str | int]) -> Iterator[ErrorItem]:
    known = list(error.schema["properties"])
    for name in error.instance:
        if name in known:
            continue
        near = difflib.get_close_matches(name[:100], known, n=1)
        remedy = f'did you mean "{near[0]}"?' if near else f"known fields are {_names(known)}."
        detail = f"The field {quote(name)} is unknown; {remedy}"
        yield ErrorItem(pointer(*path, name), "unknown-field", detail)


def _alternatives(error: Violation, path: Sequence[str | int]) -> ErrorItem:
    """Explain a ``oneOf``. Every one in the schema chooses between required fields."""
    names = _names([name for branch in error.validator_value for name in branch["required"]])
    if error.context:
        return ErrorItem(pointer(*path), "required", f"Give one of {names}.")
    return ErrorItem(pointer(*path), "conflict", f"Give only one of {names}.")


def _plain(error: Violation, path: Sequence[str | int], keyword: str) -> ErrorItem:
    where, value = pointer(*path), quote(error.instance)
    if keyword == "enum":
        options = error.validator_value
        near = difflib.get_close_matches(str(error.instance)[:100], map(str, options), n=1)
        hint = f"did you mean {near[0]}? " if near and not isinstance(error.instance, int) else ""
        return ErrorItem(
            where, "not-allowed", f"{value} is not allowed; {hint}use {_any(options)}."
        )
    code = CODES[keyword]
    if keyword == "pattern" and "format" in error.schema:
        code = "bad-format"
    if keyword in ("pattern", "format"):
        remedy = f"expected: {error.schema['description']}"
    else:
        remedy = _REMEDIES[keyword](error.validator_value) + "."
    return ErrorItem(where, code, f"{value} {_PROBLEMS[code]}; {remedy}")


def _names(names: Sequence[str]) -> str:
    return _any([f'"{name}"' for name in names])


def _any(options: Sequence[object]) -> str:
    words = [str(option) for option in options]
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " or " + words[-1]


#: JSON type -> the type in a sentence.
_TYPES: Final = {
    "array": "an array",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "an object",
    "string": "a string",
}


def _types(names: str | list[str]) -> str:
    return _any([_TYPES[name] for name in ([names] if isinstance(names, str) else names)])
