"""The contract: the JSON Schema, rules beyond it, and the features that are supported."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from typing import Any

import jsonschema_rs
import orjson

from app.contract.capabilities import unsupported_features
from app.contract.failure import MAX_COUNTED, failure
from app.contract.parse import nesting_error
from app.contract.remote import RemoteAssets
from app.contract.schemas import read_schema
from app.contract.semantics import violations
from app.errors import ErrorItem

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

    def check(self, payload: object) -> None:
        """Check a payload: a parsed body, or an object that Python code has built.

        Unsupported features are errors of a job, but only warnings of a dry run
        (:meth:`unsupported`).

        Raises:
            ValidationFailed: ``errors`` lists the violations, at most ``MAX_ERRORS``. Rules
                beyond the schema are checked only if the schema accepts the payload.
        """
        error = failure(self._violations(payload))
        if error:
            raise error

    def unsupported(self, payload: dict[str, Any]) -> tuple[ErrorItem, ...]:
        """Return the features of a valid payload that this version does not support."""
        return tuple(unsupported_features(payload, remote=self._remote))

    def _violations(self, payload: object) -> Iterable[ErrorItem]:
        try:
            encoded = orjson.dumps(payload, option=_STRICT)
        except TypeError as error:
            unencodable = ErrorItem(
                "", "not-json", f"The payload cannot be encoded as JSON: {error}."
            )
            return [nesting_error(payload) or unencodable]
        if b"null" in encoded:
            # orjson writes NaN and infinities as null. As floats they would pass every limit.
            payload = orjson.loads(encoded)
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
