"""The component schemas of the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from app.contract import load_contract
from app.errors import PreviewError
from app.http.artifacts import KINDS
from app.ledger import PRIORITIES, STATES

#: Name of the payload's schema; its definitions are ``PreviewJob.<name>``.
PAYLOAD: Final = "PreviewJob"

#: Schemas that many members share.
TEXT: Final = {"type": "string"}
COUNT: Final = {"type": "integer", "minimum": 0}
TIME: Final = {"type": "string", "format": "date-time"}
TIME_OR_NULL: Final = {"type": ["string", "null"], "format": "date-time"}
_URL: Final = {"type": "string", "format": "uri-reference"}


def ref(name: str) -> dict[str, str]:
    """Refer to a component schema."""
    return {"$ref": f"#/components/schemas/{name}"}


def thing(
    properties: Mapping[str, Any], *, description: str, optional: Sequence[str] = ()
) -> dict[str, Any]:
    """Describe an object whose members are all present but the optional ones."""
    return {
        "type": "object",
        "description": description,
        "required": [name for name in properties if name not in optional],
        "properties": dict(properties),
    }


def component_schemas() -> dict[str, Any]:
    """Return all component schemas by name."""
    return {**_payload(), **_jobs(), **_operation(), **_problems()}


def _payload() -> dict[str, Any]:
    """The contract's own schema, with its ``$defs`` as components, which every tool can follow."""
    schema = load_contract().schema
    top = {key: value for key, value in schema.items() if key not in ("$schema", "$id", "$defs")}
    definitions = {f"{PAYLOAD}.{name}": value for name, value in schema["$defs"].items()}
    return {PAYLOAD: _moved(top), **{name: _moved(value) for name, value in definitions.items()}}


def _moved(node: Any) -> Any:
    if isinstance(node, list):
        return [_moved(item) for item in node]
    if not isinstance(node, dict):
        return node
    return {
        key: value.replace("#/$defs/", f"#/components/schemas/{PAYLOAD}.")
        if key == "$ref" and isinstance(value, str)
        else _moved(value)
        for key, value in node.items()
    }


def _status_properties() -> dict[str, Any]:
    return {
        "jobId": ref("PreviewJob.id"),
        "projectId": TEXT,
        "requestId": TEXT,
        "status": {"enum": list(STATES)},
        "phase": {"type": "string", "description": "What an active job is doing, else its status."},
        "progress": thing(
            {
                "percent": {"type": "number", "minimum": 0, "maximum": 100},
                "framesDone": COUNT,
                "framesTotal": COUNT,
            },
            description="How far the running attempt is.",
        ),
        "attempt": {"type": "integer", "minimum": 0, "description": "0 before the first."},
        "maxAttempts": {"type": "integer", "minimum": 1},
        "priority": {"enum": list(PRIORITIES)},
        "dryRun": {"type": "boolean"},
        "createdAt": TIME,
        "startedAt": TIME_OR_NULL,
        "finishedAt": TIME_OR_NULL,
        "heartbeatAt": TIME_OR_NULL,
        "error": {"anyOf": [ref("Problem"), {"type": "null"}]},
        "warnings": {"type": "array", "items": TEXT},
        "artifacts": {"type": "array", "items": ref("Artifact")},
        "expiredAt": {**TIME_OR_NULL, "description": "When the files were deleted."},
        "replays": {"type": "integer", "minimum": 0, "description": "Replays of a dead letter."},
        "plan": {"type": "object", "description": "What a dry run would have rendered."},
    }


def _jobs() -> dict[str, Any]:
    status = _status_properties()
    links = thing(
        {"status": _URL, "artifact": _URL, "cancel": _URL}, description="What to ask next."
    )
    return {
        "JobStatus": thing(status, description="A job as it stands.", optional=["plan"]),
        "JobReplay": thing(
            {**status, "links": ref("Links")},
            description="The job that the repeated request had made.",
            optional=["plan"],
        ),
        "JobAccepted": thing(
            {"jobId": TEXT, "status": {"enum": list(STATES)}, "links": ref("Links")},
            description="A job that was taken on or asked to stop.",
        ),
        "Links": links,
        "Artifact": thing(
            {
                "kind": {"type": "string", "examples": [*KINDS, "thumbnail-1", "captions.de.vtt"]},
                "contentType": TEXT,
                "bytes": COUNT,
                "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                "url": _URL,
            },
            description="A file of a preview.",
        ),
        "ArtifactUrl": thing(
            {"url": {"type": "string", "format": "uri"}, "expiresAt": TIME},
            description="Where the file is, and until when it is there.",
        ),
        "JobPage": thing(
            {
                "jobs": {"type": "array", "items": ref("JobStatus")},
                "nextCursor": {"type": ["string", "null"]},
            },
            description="Jobs, newest first; nextCursor is null on the last page.",
        ),
    }


def _operation() -> dict[str, Any]:
    counts = dict.fromkeys(("waiting", "active", "completed", "failed", "delayed", "total"), COUNT)
    probe = {
        "status": TEXT,
        "redis": {"enum": ["connected", "disconnected"]},
        "detail": TEXT,
    }
    return {
        "Workers": thing(
            dict.fromkeys(("alive", "slots", "busy", "resting"), COUNT),
            description="Workers that showed themselves in the last 15 s.",
        ),
        "QueueMetrics": thing(
            {
                **counts,
                "cancelled": COUNT,
                "max": {"type": "integer", "minimum": 1},
                "oldestWaitingSeconds": {"type": "number", "minimum": 0},
                "byPriority": thing(
                    dict.fromkeys(PRIORITIES, COUNT), description="Waiting jobs by priority."
                ),
                "workers": ref("Workers"),
            },
            description="The queue; max bounds waiting + active + delayed.",
        ),
        "Health": thing(
            {
                "status": {"enum": ["healthy", "unhealthy"]},
                "timestamp": TIME,
                "redis": thing(
                    {"status": {"enum": ["connected", "disconnected"]}, "url": TEXT},
                    description="The server of the queue; the URL has no credentials.",
                ),
                "queue": thing(
                    {"name": TEXT, **counts},
                    description="The counts are absent while Redis is away.",
                    optional=list(counts),
                ),
                "workers": {"anyOf": [ref("Workers"), {"type": "null"}]},
                "version": TEXT,
                "revision": TEXT,
                "detail": TEXT,
            },
            description="Health of the service; the detail says what is wrong.",
            optional=["detail"],
        ),
        "Probe": thing(probe, description="Answer to a probe.", optional=["redis", "detail"]),
    }


def _problems() -> dict[str, Any]:
    return {
        "Problem": thing(
            {
                "type": {"type": "string", "format": "uri"},
                "title": TEXT,
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "detail": TEXT,
                "instance": _URL,
                "code": {"type": "string", "description": "Stable.", "examples": _codes()},
                "retryable": {"type": "boolean", "description": "Whether repeating may help."},
                "requestId": TEXT,
                "errors": {"type": "array", "items": ref("ErrorItem")},
            },
            description="An error (RFC 9457).",
        ),
        "ErrorItem": thing(
            {
                "pointer": {
                    "type": "string",
                    "description": "JSON pointer into the body, or /<name> of a query parameter.",
                },
                "code": TEXT,
                "detail": TEXT,
            },
            description="One violation.",
        ),
    }


def _codes() -> list[str]:
    found, todo = set(), [PreviewError]
    while todo:
        kind = todo.pop()
        found.add(kind.code)
        todo.extend(kind.__subclasses__())
    return sorted(found)
