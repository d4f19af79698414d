"""The contract: the JSON Schema, rules beyond it, and the features that are supported."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any, cast

import jsonschema_rs
import orjson

from app.contract.capabilities import unsupported_features
from app.contract.failure import MAX_COUNTED, failure
from app.contract.parse import nesting_error
from app.contract.remote import RemoteAssets
from app.contract.schemas import read_schema
from app.contract.semantics import violations
from app.errors import ErrorItem, ValidationFailed

#: File name of the schema.
SCHEMA_FILE = "preview-job.schema.json"
#: Accept JSON types only: by default, orjson encodes dates and dataclasses as well.
_STRICT = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


class Contract:
    """Validates payloads. Immutable and thread-safe.

    Args:
        schema: A JSON Schema, Draft 2020-12.
        remote: Where assets by ``uri`` may come from.

    Attributes:
        schema: The same schema, for the OpenAPI document. Do not change it.
    """

    def __init__(self, schema: dict[str, Any], *, remote: RemoteAssets | None = None) -> None:
        self.schema = schema
        self._remote = remote or RemoteAssets()
        self._gate = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)

    def check(self, payload: object) -> dict[str, Any]:
        """Check a payload: a parsed body, or an object that Python code has built.

        Unsupported features are errors of a job, but only warnings of a dry run
        (:meth:`unsupported`).

        Returns:
            The payload as JSON has it: what was a UUID, an enum or a subclass of ``str`` is a
            plain value.

        Raises:
            ValidationFailed: ``errors`` lists the violations, at most ``MAX_ERRORS``. Rules
                beyond the schema are checked only if the schema accepts the payload.
        """
        document = _as_json(payload)
        error = failure(self._violations(document))
        if error:
            raise error
        return cast("dict[str, Any]", document)

    def unsupported(self, payload: dict[str, Any]) -> tuple[ErrorItem, ...]:
        """Return the features of a valid payload that this version does not support."""
        return tuple(unsupported_features(payload, remote=self._remote))

    def _violations(self, payload: object) -> Iterable[ErrorItem]:
        return (
            self._beyond_schema(payload)
            if self._gate.is_valid(payload)
            else self._refusals(payload)
        )

    def _refusals(self, payload: object) -> Iterable[ErrorItem]:
        # The schema limits all nesting except that of metadata, so only a refused payload has
        # to be measured as a whole. jsonschema recurses when it builds messages.
        deep = nesting_error(payload)
        if deep:
            return [deep]
        from app.contract.explain import explain  # noqa: PLC0415 - loads jsonschema

        found = explain(self.schema, payload)
        # Tests show that the two validators agree. If they ever disagree, jsonschema-rs decides.
        unexplained = ErrorItem("", "schema", "The payload does not match the schema.")
        return list(islice(found, MAX_COUNTED)) or [unexplained]

    def _beyond_schema(self, payload: Any) -> Iterator[ErrorItem]:
        metadata = payload["previewRequest"].get("metadata")
        deep = nesting_error(metadata, at=("previewRequest", "metadata"))
        return chain(
            (deep,) if deep else (),
            violations(payload),
            () if payload["dryRun"] else unsupported_features(payload, remote=self._remote),
        )


@functools.cache
def load_contract(*, remote: RemoteAssets | None = None) -> Contract:
    """Return the contract of ``schemas/preview-job.schema.json``, compiled once per ``remote``.

    Args:
        remote: Where assets by ``uri`` may come from, by default nowhere.
    """
    return Contract(read_schema(SCHEMA_FILE), remote=remote)


def _as_json(payload: object) -> object:
    """Return the JSON value that ``payload`` is sent as. NaN and infinities become null.

    Raises:
        ValidationFailed: JSON has no such value.
    """
    try:
        encoded = orjson.dumps(payload, option=_STRICT)
    except TypeError as error:
        detail = f"The payload cannot be encoded as JSON: {error}."
        item = nesting_error(payload) or ErrorItem("", "not-json", detail)
        raise ValidationFailed(item.detail, errors=[item]) from None
    return orjson.loads(encoded)
