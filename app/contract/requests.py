"""Validates small request bodies, with the same error format as payloads."""

from __future__ import annotations

from typing import Any

from app.contract.failure import failure
from app.contract.parse import nesting_error


class RequestSchema:
    """Validates the bodies of one kind of request. Immutable and thread-safe.

    Args:
        schema: A JSON Schema, Draft 2020-12, with keywords that :mod:`app.contract.explain` knows.

    Attributes:
        schema: The same schema, for the OpenAPI document. Do not change it.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        self.schema = schema

    def check(self, document: object) -> None:
        """Check a parsed body.

        Raises:
            ValidationFailed: ``errors`` lists the violations, at most ``MAX_ERRORS``.
        """
        from app.contract.explain import explain  # noqa: PLC0415 - loads jsonschema

        # jsonschema's messages recurse.
        deep = nesting_error(document)
        error = failure([deep] if deep else explain(self.schema, document))
        if error:
            raise error
