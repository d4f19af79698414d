"""The identity of a payload's content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import orjson

#: Top-level fields that say nothing about what is rendered. A client that
#: repeats a job after a lost reply sends new ones; it is still the same job.
ADVISORY_FIELDS: Final = frozenset({"attempts", "createdAt", "updatedAt", "requestId"})


def payload_digest(payload: Mapping[str, Any]) -> str:
    """Return the SHA-256 (64 hex digits) of a payload without its advisory fields.

    Two payloads that differ only in ``ADVISORY_FIELDS``, in the order of their
    members or in white space have the same digest. Lists keep their order, and
    1 and 1.0 are two values.
    """
    content = {key: value for key, value in payload.items() if key not in ADVISORY_FIELDS}
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
