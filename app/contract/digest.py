"""The identity of a payload's content."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

import orjson

#: Top-level fields that do not affect the film. A client that submits a job again after a lost
#: reply sends new values, but means the same job.
ADVISORY_FIELDS: Final = frozenset({"attempts", "createdAt", "updatedAt", "requestId"})


def payload_digest(payload: Mapping[str, Any]) -> str:
    """Return the SHA-256 (64 hex digits) of a payload without its advisory fields.

    Payloads that differ only in ``ADVISORY_FIELDS``, in the order of members or in white space
    have the same digest. The order of lists matters, and 1 differs from 1.0.
    """
    content = {key: value for key, value in payload.items() if key not in ADVISORY_FIELDS}
    return hashlib.sha256(orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
