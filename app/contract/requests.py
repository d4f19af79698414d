"""Small request bodies, each with a schema of its own, refused as payloads are."""

from __future__ import annotations

from typing import Any

from app.contract.failure import failure
from app.contract.parse import nesting_error


class RequestSchema:
    """Judges the bodies of one kind of request. Immutable and safe to share between threads.

    Args:
        schema: A JSON Schema, Draft 2020-12, of keywords that :mod:`app.contract.explain` knows.

    Attributes:
        schema: The same, for documents that show it (OpenAPI). Do not change it.
    """

    def __init__(self, schema: dict[str, Any]) -> None:
        self.schema = schema

    def check(self, document: object) -> None:
        """Check a parsed body.

        Raises:
            ValidationFailed: ``errors`` has every violation, at most ``MAX_ERRORS``.
        """
        from app.contract.explain import explain  # noqa: PLC0415 - loads jsonschema

        # jsonschema's messages recurse.
        deep = nesting_error(document)
        error = failure([deep] if deep else explain(self.schema, document))
        if error:
            raise error
