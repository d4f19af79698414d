"""Converts payloads to messages, and messages to ledger records.

Messages are Dramatiq's own JSON, so ``render_preview.send(payload)`` and
:class:`app.client.PreviewClient` put the same bytes on the queue.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

import orjson
from dramatiq import Message
from dramatiq.errors import DecodeError

from app.contract import payload_digest
from app.contract.parse import nesting_error
from app.ledger import PRIORITIES, Admission, Priority

#: Name of the actor that renders.
RENDER_ACTOR = "render_preview"
#: Identifiers, as the schema accepts them.
_IDENTIFIER = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._:-]{0,126}[A-Za-z0-9])?\Z")


def render_message(
    payload: Mapping[str, Any], *, queue: str, traceparent: str = ""
) -> Message[None]:
    """Build the message that renders ``payload``."""
    options = {"traceparent": traceparent} if traceparent else {}
    return Message(queue, RENDER_ACTOR, (payload,), {}, options)


def encode(message: Message[Any]) -> bytes:
    """Return the message as Dramatiq's JSON."""
    return orjson.dumps(message.asdict())


def decode(data: bytes) -> Message[Any]:
    """Decode a message.

    Raises:
        DecodeError: ``data`` is not an encoded message.
    """
    try:
        return Message(**orjson.loads(data))
    except (ValueError, TypeError) as error:
        raise DecodeError("not a message", data, error) from error  # type: ignore[no-untyped-call]  # upstream


def payload_of(message: bytes) -> Any:
    """Return the payload of an encoded message, None if there is none that can be sent as JSON.

    Messages that were never validated may contain anything.
    """
    try:
        payload = orjson.loads(message)["args"][0]
    except (ValueError, TypeError, LookupError):
        return None
    return None if nesting_error(payload) else payload


def _identifier(value: object) -> str:
    return value if isinstance(value, str) and _IDENTIFIER.match(value) else ""


def admission_of(
    message: Message[Any], *, max_attempts: int, track: str, delay_ms: int = 0
) -> Admission:
    """Build the ledger record of a message.

    Never rejects one: a payload without a usable ``jobId`` is recorded under the id of the
    message, and the validation middleware reports what is wrong.
    """
    payload: Mapping[str, Any] = {}
    if message.actor_name == RENDER_ACTOR and message.args and isinstance(message.args[0], dict):
        payload = message.args[0]
    priority = payload.get("priority", "normal")
    return Admission(
        job_id=_identifier(payload.get("jobId")) or message.message_id,
        message_id=message.message_id,
        message=encode(message),
        digest=payload_digest(payload) if payload else message.message_id,
        priority=cast("Priority", priority if priority in PRIORITIES else "normal"),
        project=_identifier(payload.get("projectId")),
        request=_identifier(payload.get("requestId")),
        dry_run=payload.get("dryRun") is True,
        max_attempts=max_attempts,
        traceparent=str(message.options.get("traceparent", "")),
        track=track,
        delay_ms=delay_ms,
    )
