"""``GET /openapi.json``: OpenAPI 3.1 of every route; a test holds it against the routes."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import falcon
import orjson

from app import __version__
from app.http import paths
from app.http.artifacts import KIND_PATTERNS, KINDS
from app.http.openapi_dead_letters import dead_letter_paths, dead_letter_schemas
from app.http.openapi_parts import (
    UNCHANGED,
    header,
    headers_of,
    json_answer,
    operation,
    paging,
    parameter,
    with_head,
)
from app.http.openapi_schemas import PAYLOAD, component_schemas, ref
from app.ledger import STATES


class OpenApi:
    """Serves the document, built once a process."""

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Send the document."""
        resp.content_type = falcon.MEDIA_JSON
        resp.data = _encoded()

    on_head = on_get


@functools.cache
def _encoded() -> bytes:
    return orjson.dumps(openapi_document())


def openapi_document() -> dict[str, Any]:
    """Build the OpenAPI 3.1 document of the API."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Mobius Preview Worker",
            "version": __version__,
            "description": "Queues, renders and serves short preview videos of board-game "
            "tutorials. Errors are application/problem+json with stable codes. "
            "X-Request-ID is echoed; traceparent is carried on. Every GET answers HEAD too.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {"apiKey": []}],
        "paths": {
            path: with_head(item)
            for path, item in {**_jobs(), **dead_letter_paths(), **_service()}.items()
        },
        "components": {
            "schemas": {**component_schemas(), **dead_letter_schemas()},
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer"},
                "apiKey": {"type": "apiKey", "in": "header", "name": "x-mobius-api-key"},
            },
        },
    }


def _jobs() -> dict[str, Any]:
    job_id = parameter("job_id", "path", ref(f"{PAYLOAD}.id"), "The job.", required=True)
    return {
        paths.JOB: {"post": _submit()},
        paths.JOBS: {
            "get": operation(
                "listJobs",
                "List jobs, newest first",
                {200: json_answer("JobPage", "A page.")},
                problems=[422, 503],
                parameters=[
                    parameter("status", "query", {"enum": list(STATES)}, "Only of this status."),
                    parameter("projectId", "query", ref(f"{PAYLOAD}.id"), "Only of this project."),
                    *paging(),
                ],
            )
        },
        paths.STATUS: {
            "get": operation(
                "getJobStatus",
                "Follow a job",
                {200: json_answer("JobStatus", "The job.", headers=["ETag"]), 304: UNCHANGED},
                problems=[404, 503],
                parameters=[job_id, header("If-None-Match")],
            )
        },
        paths.ARTIFACT: {"get": _artifact(job_id)},
        paths.CANCEL: {
            "post": operation(
                "cancelJob",
                "Cancel a job",
                {
                    202: json_answer(
                        "JobAccepted", "Cancelled, or asked to stop.", headers=["Location"]
                    )
                },
                problems=[404, 409, 503],
                parameters=[job_id],
            )
        },
    }


def _submit() -> dict[str, Any]:
    submit = operation(
        "submitJob",
        "Submit a job",
        {
            202: json_answer("JobAccepted", "Queued.", headers=["Location"]),
            200: json_answer(
                "JobReplay",
                "The same job was submitted before.",
                headers=["Location", "Idempotent-Replayed"],
            ),
        },
        problems=[400, 409, 413, 415, 422, 429, 503],
    )
    body = {falcon.MEDIA_JSON: {"schema": ref(PAYLOAD)}}
    return {**submit, "requestBody": {"required": True, "content": body}}


def _artifact(job_id: Mapping[str, Any]) -> dict[str, Any]:
    names = ["ETag", "Accept-Ranges", "Content-Disposition"]
    content = {
        "*/*": {"schema": {"type": "string", "format": "binary"}},
        falcon.MEDIA_JSON: {
            "schema": {
                "description": "The URL; of chapters and manifest, which are JSON, the file.",
                "anyOf": [ref("ArtifactUrl"), {"type": ["object", "array"]}],
            }
        },
    }
    kind = {
        "anyOf": [
            {"enum": list(KINDS)},
            *({"type": "string", "pattern": one} for one in KIND_PATTERNS),
        ],
        "default": "video",
    }
    disposition = {"enum": ["inline", "attachment"], "default": "inline"}
    return operation(
        "getArtifact",
        "Get a file of a finished job; with Accept: application/json, its URL",
        {
            200: {"description": "The file.", "headers": headers_of(names), "content": content},
            206: {
                "description": "One range of the file.",
                "headers": headers_of([*names, "Content-Range"]),
                "content": {"*/*": {"schema": {"type": "string", "format": "binary"}}},
            },
            304: UNCHANGED,
            307: {
                "description": "The bucket serves the file: go to Location, for a short time.",
                "headers": headers_of(["Location"]),
            },
        },
        problems=[404, 409, 410, 416, 422, 503],
        parameters=[
            job_id,
            parameter("kind", "query", kind, "Which file."),
            parameter("disposition", "query", disposition, "How a browser treats it."),
            header("Range"),
            header("If-Range"),
            header("If-None-Match"),
        ],
    )


def _service() -> dict[str, Any]:
    probe = json_answer("Probe", "Yes.")
    refused = json_answer("Probe", "No.")
    text = {"schema": {"type": "string"}}
    return {
        paths.QUEUE_METRICS: {
            "get": operation(
                "getQueueMetrics",
                "Count the queue",
                {200: json_answer("QueueMetrics", "The counts.")},
                problems=[503],
            )
        },
        paths.WORKER_HEALTH: {
            "get": operation(
                "getHealth",
                "Health of the service",
                {
                    200: json_answer("Health", "Healthy."),
                    503: json_answer("Health", "Redis is away."),
                },
                open_to_all=True,
            )
        },
        paths.LIVEZ: {
            "get": operation("isAlive", "Liveness", {200: probe, 503: refused}, open_to_all=True)
        },
        paths.READYZ: {
            "get": operation("isReady", "Readiness", {200: probe, 503: refused}, open_to_all=True)
        },
        paths.METRICS: {
            "get": operation(
                "getMetrics",
                "Metrics for Prometheus",
                {
                    200: {
                        "description": "The metrics.",
                        "content": {"text/plain": text, "application/openmetrics-text": text},
                    }
                },
                open_to_all=True,
            )
        },
        paths.OPENAPI: {
            "get": operation(
                "getOpenApi",
                "This document",
                {
                    200: {
                        "description": "OpenAPI 3.1.",
                        "content": {falcon.MEDIA_JSON: {"schema": {"type": "object"}}},
                    }
                },
                open_to_all=True,
            )
        },
    }
