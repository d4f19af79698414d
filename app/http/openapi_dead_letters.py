"""Dead letters in the OpenAPI document."""

from __future__ import annotations

from typing import Any

import falcon

from app.dead_letters import SKIP_REASONS
from app.http import paths
from app.http.dead_letter_requests import filter_schemas, replay_schema
from app.http.dead_letters import OVER_LIMIT
from app.http.openapi_parts import json_answer, operation, paging, parameter
from app.http.openapi_schemas import COUNT, PAYLOAD, TEXT, TIME, TIME_OR_NULL, ref, thing
from app.ledger import PRIORITIES


def dead_letter_paths() -> dict[str, Any]:
    """Describe the operations by path."""
    job_id = parameter("job_id", "path", ref(f"{PAYLOAD}.id"), "The dead letter.", required=True)
    return {
        paths.DEAD_LETTERS: {
            "get": operation(
                "listDeadLetters",
                "List dead letters, the last failed first",
                {200: json_answer("DeadLetterPage", "A page.")},
                problems=[422, 503],
                parameters=[
                    *(
                        parameter(name, "query", schema, schema["description"])
                        for name, schema in filter_schemas().items()
                    ),
                    *paging(),
                ],
            )
        },
        paths.DEAD_LETTER: {
            "get": operation(
                "getDeadLetter",
                "Look at a dead letter",
                {200: json_answer("DeadLetterWithPayload", "The dead letter.")},
                problems=[404, 503],
                parameters=[job_id],
            ),
            "delete": operation(
                "purgeDeadLetter",
                "Forget a dead letter for good",
                {204: {"description": "It is forgotten; its jobId is free again."}},
                problems=[404, 409, 503],
                parameters=[job_id],
            ),
        },
        paths.REPLAY: {"post": _replay()},
    }


def _replay() -> dict[str, Any]:
    replay = operation(
        "replayDeadLetters",
        "Queue dead letters again",
        {
            200: json_answer("DeadLetterReplay", "What a replay would try; nothing was done."),
            202: json_answer("DeadLetterReplay", "What was queued and what was not."),
        },
        problems=[400, 413, 415, 422, 503],
    )
    body = {falcon.MEDIA_JSON: {"schema": ref("ReplayRequest")}}
    return {**replay, "requestBody": {"required": True, "content": body}}


def dead_letter_schemas() -> dict[str, Any]:
    """Return the component schemas by name."""
    letter = _properties()
    reasons = [*SKIP_REASONS, OVER_LIMIT]
    return {
        "ReplayRequest": replay_schema().schema,
        "DeadLetter": thing(letter, description="A job that has failed and is kept."),
        "DeadLetterWithPayload": thing(
            {**letter, "payload": {"description": "As it was submitted; null if unreadable."}},
            description="A dead letter with what a replay sends.",
        ),
        "DeadLetterPage": thing(
            {
                "deadLetters": {"type": "array", "items": ref("DeadLetter")},
                "matching": {**COUNT, "description": "Dead letters that match, on all pages."},
                "filter": ref("DeadLetterFilter"),
                "nextCursor": {"type": ["string", "null"]},
            },
            description="Dead letters, the last failed first; nextCursor is null on the last page.",
        ),
        "DeadLetterFilter": thing(
            {
                "code": {"type": ["string", "null"]},
                "projectId": {"type": ["string", "null"]},
                "failedFrom": TIME_OR_NULL,
                "failedUntil": TIME_OR_NULL,
            },
            description="The filter of the request; null where it does not matter.",
        ),
        "DeadLetterReplay": thing(
            {
                "replayed": {"type": "array", "items": TEXT},
                "skipped": {
                    "type": "array",
                    "items": thing(
                        {"jobId": TEXT, "reason": {"enum": reasons}}, description="A job and why."
                    ),
                },
                "dryRun": {"type": "boolean", "description": "Nothing was done."},
                "matching": {
                    **COUNT,
                    "description": "Dead letters that matched the filter before.",
                },
            },
            description="What a replay came to.",
            optional=["matching"],
        ),
    }


def _properties() -> dict[str, Any]:
    return {
        "jobId": ref(f"{PAYLOAD}.id"),
        "projectId": TEXT,
        "requestId": TEXT,
        "priority": {"enum": list(PRIORITIES)},
        "dryRun": {"type": "boolean"},
        "createdAt": TIME,
        "failedAt": TIME,
        "attempts": {**COUNT, "description": "Attempts spent since the last replay."},
        "maxAttempts": {"type": "integer", "minimum": 1},
        "replays": {**COUNT, "description": "How often it was replayed."},
        "track": {"type": "string", "description": "Track of the worker that had it last."},
        "error": {"anyOf": [ref("Problem"), {"type": "null"}]},
    }
