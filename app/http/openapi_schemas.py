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

_TEXT: Final = {"type": "string"}
_COUNT: Final = {"type": "integer", "minimum": 0}
_TIME: Final = {"type": "string", "format": "date-time"}
_TIME_OR_NULL: Final = {"type": ["string", "null"], "format": "date-time"}
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
        "projectId": _TEXT,
        "requestId": _TEXT,
        "status": {"enum": list(STATES)},
        "phase": {"type": "string", "description": "What an active job is doing, else its status."},
        "progress": thing(
            {
                "percent": {"type": "number", "minimum": 0, "maximum": 100},
                "framesDone": _COUNT,
                "framesTotal": _COUNT,
            },
            description="How far the running attempt is.",
        ),
        "attempt": {"type": "integer", "minimum": 0, "description": "0 before the first."},
        "maxAttempts": {"type": "integer", "minimum": 1},
        "priority": {"enum": list(PRIORITIES)},
        "dryRun": {"type": "boolean"},
        "createdAt": _TIME,
        "startedAt": _TIME_OR_NULL,
        "finishedAt": _TIME_OR_NULL,
        "heartbeatAt": _TIME_OR_NULL,
        "error": {"anyOf": [ref("Problem"), {"type": "null"}]},
        "warnings": {"type": "array", "items": _TEXT},
        "artifacts": {"type": "array", "items": ref("Artifact")},
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
            {"jobId": _TEXT, "status": {"enum": list(STATES)}, "links": ref("Links")},
            description="A job that was taken on or asked to stop.",
        ),
        "Links": links,
        "Artifact": thing(
            {
                "kind": {"type": "string", "examples": [*KINDS, "thumbnail-1"]},
                "contentType": _TEXT,
                "bytes": _COUNT,
                "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
                "url": _URL,
            },
            description="A file of a preview.",
        ),
        "ArtifactUrl": thing(
            {"url": {"type": "string", "format": "uri"}, "expiresAt": _TIME_OR_NULL},
            description="Where the file is; expiresAt is null: the URL lasts as long as the file.",
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
    counts = dict.fromkeys(("waiting", "active", "completed", "failed", "delayed", "total"), _COUNT)
    probe = {"status": _TEXT, "redis": {"enum": ["connected", "disconnected"]}}
    return {
        "Workers": thing(
            {"alive": _COUNT, "slots": _COUNT, "busy": _COUNT},
            description="Workers that showed themselves in the last 15 s.",
        ),
        "QueueMetrics": thing(
            {
                **counts,
                "cancelled": _COUNT,
                "max": {"type": "integer", "minimum": 1},
                "oldestWaitingSeconds": {"type": "number", "minimum": 0},
                "byPriority": thing(
                    dict.fromkeys(PRIORITIES, _COUNT), description="Waiting jobs by priority."
                ),
                "workers": ref("Workers"),
            },
            description="The queue; max bounds waiting + active + delayed.",
        ),
        "Health": thing(
            {
                "status": {"enum": ["healthy", "unhealthy"]},
                "timestamp": _TIME,
                "redis": thing(
                    {"status": {"enum": ["connected", "disconnected"]}, "url": _TEXT},
                    description="The server of the queue; the URL has no credentials.",
                ),
                "queue": thing(
                    {"name": _TEXT, **counts},
                    description="The counts are absent while Redis is away.",
                    optional=list(counts),
                ),
                "workers": {"anyOf": [ref("Workers"), {"type": "null"}]},
                "version": _TEXT,
            },
            description="Health of the service.",
        ),
        "Probe": thing(probe, description="Answer to a probe.", optional=["redis"]),
    }


def _problems() -> dict[str, Any]:
    return {
        "Problem": thing(
            {
                "type": {"type": "string", "format": "uri"},
                "title": _TEXT,
                "status": {"type": "integer", "minimum": 400, "maximum": 599},
                "detail": _TEXT,
                "instance": _URL,
                "code": {"type": "string", "description": "Stable.", "examples": _codes()},
                "retryable": {"type": "boolean", "description": "Whether repeating may help."},
                "requestId": _TEXT,
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
                "code": _TEXT,
                "detail": _TEXT,
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
