"""Jobs: submit, follow, list, cancel."""

from __future__ import annotations

from functools import partial
from typing import Any, cast

import falcon
from gunicorn.http.errors import ParseException  # type: ignore[import-untyped]  # it has no types

from app.client import PreviewClient
from app.contract import MAX_PAYLOAD_BYTES, parse_json
from app.documents import status_document, summary_document
from app.errors import InvalidJson, PayloadTooLarge, UnsupportedMediaType
from app.http.parameters import (
    Query,
    between,
    cursor,
    cursor_of,
    identifier,
    known_job_id,
    one_of,
)
from app.http.paths import artifact_of, links_of, status_of
from app.http.responses import send_json, send_revalidated
from app.ledger import STATES, Record, State

#: Jobs on a page of the listing, unless asked for otherwise.
DEFAULT_PAGE = 50
#: Most jobs on a page.
MAX_PAGE = 200


class SubmitJob:
    """``POST /api/preview/job``."""

    def __init__(self, client: PreviewClient) -> None:
        self._client = client

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Queue a job once, whatever number of times it is posted."""
        payload = parse_json(read_body(req))
        submission = self._client.submit(payload, traceparent=req.context.traceparent)
        job_id = req.context.job_id = submission.job_id
        resp.set_header("Location", status_of(job_id))
        if submission.replayed:
            resp.set_header("Idempotent-Replayed", "true")
            record = self._client.status(job_id)
            send_json(resp, {**job_document(record), "links": links_of(job_id)})
            return
        document = {"jobId": job_id, "status": "queued", "links": links_of(job_id)}
        send_json(resp, document, status=202)


class JobStatus:
    """``GET /api/preview/job/{jobId}/status``."""

    def __init__(self, client: PreviewClient) -> None:
        self._client = client

    def on_get(self, req: falcon.Request, resp: falcon.Response, job_id: str) -> None:
        """Tell how far a job is."""
        req.context.job_id = known_job_id(job_id)
        send_revalidated(req, resp, job_document(self._client.status(job_id)))

    on_head = on_get


class CancelJob:
    """``POST /api/preview/job/{jobId}/cancel``."""

    def __init__(self, client: PreviewClient) -> None:
        self._client = client

    def on_post(self, req: falcon.Request, resp: falcon.Response, job_id: str) -> None:
        """Cancel a job; one that runs is still ``active`` in the answer."""
        req.context.job_id = known_job_id(job_id)
        record = self._client.cancel(job_id)
        resp.set_header("Location", status_of(job_id))
        document = {"jobId": job_id, "status": record.state, "links": links_of(job_id)}
        send_json(resp, document, status=202)


class ListJobs:
    """``GET /api/preview/jobs``."""

    def __init__(self, client: PreviewClient) -> None:
        self._client = client

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """List jobs, newest first, a page at a time."""
        query = Query(req.get_param)
        state = query.read("status", one_of(STATES), "")
        project = query.read("projectId", identifier, "")
        before_us = query.read("cursor", cursor, 0)
        limit = query.read("limit", between(1, MAX_PAGE), DEFAULT_PAGE)
        query.check()
        records, next_us = self._client.jobs(
            state=cast("State", state) if state else None,
            project=project or None,
            before_us=before_us or None,
            limit=limit,
        )
        page = {
            "jobs": [
                summary_document(record, url_for=partial(artifact_of, record.job_id))
                for record in records
            ],
            "nextCursor": cursor_of(next_us) if next_us is not None else None,
        }
        send_json(resp, page)

    on_head = on_get


def job_document(record: Record) -> dict[str, Any]:
    """Return a job's status with the URLs of its files."""
    return status_document(record, url_for=partial(artifact_of, record.job_id))


def read_body(req: falcon.Request) -> bytes:
    """Read a JSON body, never more than ``MAX_PAYLOAD_BYTES``.

    Raises:
        UnsupportedMediaType: It is not declared as JSON in UTF-8.
        PayloadTooLarge: It is larger; a declared length is refused unread.
    """
    _check_media_type(req.content_type or "")
    length = req.content_length
    if length is None:
        # Chunked: the server ends the stream. The limit holds while reading.
        body = _read(req, MAX_PAYLOAD_BYTES + 1) if _is_chunked(req) else b""
        length = len(body)
    if length > MAX_PAYLOAD_BYTES:
        raise PayloadTooLarge(
            f"At most {MAX_PAYLOAD_BYTES} bytes are read. "
            "Send pictures and sound as assets, not inside the payload."
        )
    return body if req.content_length is None else _read(req, length)


def _read(req: falcon.Request, most: int) -> bytes:
    try:
        return req.stream.read(most)
    except (OSError, ParseException) as error:  # a lost client, broken chunks
        raise InvalidJson("The body could not be read to its end.") from error


def _is_chunked(req: falcon.Request) -> bool:
    return (req.get_header("Transfer-Encoding") or "").lower() == "chunked"


def _check_media_type(content_type: str) -> None:
    if content_type == falcon.MEDIA_JSON:
        return
    media_type, parameters = falcon.parse_header(content_type)
    charset = parameters.get("charset", "utf-8").lower()
    if media_type.strip().lower() != falcon.MEDIA_JSON or charset not in ("utf-8", "utf8"):
        raise UnsupportedMediaType(
            f"Content-Type is {content_type!r}; send application/json in UTF-8."
        )
