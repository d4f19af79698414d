"""The contract: schema, meaning, and what this version can render."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

import jsonschema_rs
import orjson

from app.contract.capabilities import unsupported_features
from app.contract.failure import MAX_COUNTED, failure
from app.contract.parse import nesting_error
from app.contract.remote import RemoteAssets
from app.contract.semantics import violations
from app.errors import ErrorItem

#: Name of the schema's file.
SCHEMA_FILE = "preview-job.schema.json"
#: Where it lies in an installed wheel, and in the repository.
SCHEMA_DIRECTORIES = (
    Path(__file__).parents[1] / "schemas",
    Path(__file__).parents[2] / "schemas",
)
#: Only what JSON has: without these, orjson would write dates and dataclasses too.
_STRICT = orjson.OPT_PASSTHROUGH_DATACLASS | orjson.OPT_PASSTHROUGH_DATETIME


class Contract:
    """Judges payloads. Immutable and safe to share between threads.

    Args:
        schema: A JSON Schema, Draft 2020-12.
        remote: Where assets by ``uri`` may come from.

    Attributes:
        schema: The same, for documents that show it (OpenAPI). Do not change it.
    """

    def __init__(self, schema: dict[str, Any], *, remote: RemoteAssets | None = None) -> None:
        self.schema = schema
        self._remote = remote or RemoteAssets()
        self._gate = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)

    def check(self, payload: object) -> None:
        """Check a payload: a parsed body, or an object that Python code made.

        A dry run passes with features that are not rendered yet: they are its
        warnings (:meth:`unsupported`). A live job is refused for them.

        Raises:
            ValidationFailed: ``errors`` has every violation, at most ``MAX_ERRORS``.
                Meaning is checked only in what the schema accepts.
        """
        error = failure(self._violations(payload))
        if error:
            raise error

    def unsupported(self, payload: dict[str, Any]) -> tuple[ErrorItem, ...]:
        """Return what a valid payload asks for and this version does not render."""
        return tuple(unsupported_features(payload, remote=self._remote))

    def _violations(self, payload: object) -> Iterable[ErrorItem]:
        try:
            encoded = orjson.dumps(payload, option=_STRICT)
        except TypeError as error:
            unencodable = ErrorItem("", "not-json", f"The payload cannot be JSON: {error}.")
            return [nesting_error(payload) or unencodable]
        if b"null" in encoded:
            # So are NaN and infinities written, which pass every minimum and maximum.
            payload = orjson.loads(encoded)
        return (
            self._beyond_schema(payload)
            if self._gate.is_valid(payload)
            else self._refusals(payload)
        )

    def _refusals(self, payload: object) -> Iterable[ErrorItem]:
        # The schema bounds all nesting but that of metadata, so only a refused
        # payload has to be measured as a whole; jsonschema's messages recurse.
        deep = nesting_error(payload)
        if deep:
            return [deep]
        from app.contract.explain import explain  # noqa: PLC0415 - loads jsonschema

        found = explain(self.schema, payload)
        # A test shows that the two validators agree. Should they ever not, the gate wins.
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
    """Return the contract of ``schemas/preview-job.schema.json``; each is compiled once.

    Args:
        remote: Where assets by ``uri`` may come from; by default from nowhere.
    """
    path = next(path for path in map(_schema_in, SCHEMA_DIRECTORIES) if path.is_file())
    return Contract(orjson.loads(path.read_bytes()), remote=remote)


def _schema_in(directory: Path) -> Path:
    return directory / SCHEMA_FILE
