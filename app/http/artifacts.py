"""The files of a job: whole, in parts, or as a URL."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any, Final

import falcon

from app.client import PreviewClient
from app.documents import expired_detail, rfc3339
from app.errors import (
    ArtifactExpired,
    ArtifactNotReady,
    JobConflict,
    NotFound,
    RangeNotSatisfiable,
)
from app.http.parameters import Query, known_job_id, one_of
from app.http.paths import artifact_of
from app.http.ranges import span_of, still_the_same
from app.http.responses import matches_any, send_json
from app.ledger import Record
from app.storage import ArtifactStore, download_name

#: What every preview may have; ``thumbnail-1`` and so on come on top, and ``captions.de.vtt``.
KINDS: Final = (
    "video", "poster", "contact-sheet", "captions.vtt", "captions.srt", "chapters", "manifest",
)  # fmt: skip
#: Advice to a client whose file is still being made.
NOT_READY_RETRY_SECONDS: Final = 2

#: The kinds that are counted or have a language.
KIND_PATTERNS: Final = (
    "^thumbnail-[0-9]{1,4}$",
    "^captions\\.[a-z]{2,3}(-[a-z0-9]{2,8}){0,11}\\.(srt|vtt)$",
)
_NUMEROUS: Final = tuple(re.compile(f"{pattern[:-1]}\\Z") for pattern in KIND_PATTERNS)


class Artifact:
    """``GET``/``HEAD /api/preview/job/{jobId}/artifact``.

    Args:
        client: Reads the job.
        store: Has its files.
        kept_hours: How long files are kept after their job has completed.
        url_seconds: How long the URLs are valid by which a bucket serves a file itself; 0 for none.
    """

    def __init__(
        self,
        client: PreviewClient,
        store: ArtifactStore,
        *,
        kept_hours: float,
        url_seconds: int = 0,
    ) -> None:
        self._client = client
        self._store = store
        self._kept_hours = kept_hours
        self._url_seconds = url_seconds

    def on_get(self, req: falcon.Request, resp: falcon.Response, job_id: str) -> None:
        """Send a file, a part of it, or its URL."""
        req.context.job_id = known_job_id(job_id)
        query = Query(req.get_param)
        kind = query.read("kind", _kind, "video")
        disposition = query.read("disposition", one_of(("inline", "attachment")), "inline")
        query.check()
        record = self._client.status(job_id)
        artifact = _find(record, kind)
        self._require_whole(artifact)
        resp.set_header("Vary", "Accept")
        # A bucket serves a file as it was stored: to be shown, under its name.
        signed = self._signed_url(artifact) if disposition == "inline" else None
        if _wants_url(req, artifact):
            until = (record.finished_at or record.created_at) + self._kept_hours * 3600
            if signed:
                until = min(until, time.time() + self._url_seconds)
            url = signed or f"{req.prefix}{artifact_of(job_id, kind)}"
            send_json(resp, {"url": url, "expiresAt": rfc3339(until)})
            return
        headers = {
            "Accept-Ranges": "bytes",
            "Cache-Control": "private, no-cache",
            "Content-Disposition": f'{disposition}; filename="{download_name(artifact["key"])}"',
        }
        tag = falcon.ETag(artifact["sha256"])
        if matches_any(req, tag):
            resp.status = 304
        elif signed and req.method == "GET":  # the URL is signed for no other method
            resp.status, resp.location = 307, signed
            resp.set_header("Cache-Control", "no-store")
            return
        else:
            self._send_file(req, resp, artifact, tag)
        resp.set_headers(headers)
        resp.etag = tag.dumps()

    on_head = on_get

    def _signed_url(self, artifact: Mapping[str, Any]) -> str | None:
        if not self._url_seconds:
            return None
        return self._store.signed_url(artifact["key"], seconds=self._url_seconds)

    def _require_whole(self, artifact: Mapping[str, Any]) -> None:
        if self._store.size(artifact["key"]) != artifact["bytes"]:
            raise ArtifactExpired("The file in the store is not the one that was made.")

    def _send_file(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        artifact: Mapping[str, Any],
        tag: falcon.ETag,
    ) -> None:
        size = artifact["bytes"]
        start, end = 0, size
        # A range has a meaning for GET alone (RFC 9110, 14.2).
        if req.method == "GET" and still_the_same(req.get_header("If-Range"), tag):
            try:
                span = span_of(req.get_header("Range"), size)
            except RangeNotSatisfiable:
                resp.set_header("Content-Range", f"bytes */{size}")
                raise
            if span:
                start, end = span.start, span.end
                resp.status = 206
                resp.set_header("Content-Range", span.content_range)
        resp.content_type = artifact["contentType"]
        resp.content_length = end - start
        if req.method == "GET":
            resp.stream = self._store.read(artifact["key"], start=start, end=end)


def _kind(value: str) -> str:
    known = any(pattern.match(value) for pattern in _NUMEROUS)
    return value if known else one_of(KINDS)(value)


def _find(record: Record, kind: str) -> Mapping[str, Any]:
    """Return a file of a job, or raise the reason why there is none."""
    if record.dry_run:
        raise NotFound("A dry run makes no files; its status has the plan.")
    if record.state in ("failed", "cancelled"):
        raise JobConflict(f"The job has {record.state}: it made no files.")
    if record.state != "completed":
        raise ArtifactNotReady(
            f"The job is {record.state}; follow its status.",
            retry_after_seconds=NOT_READY_RETRY_SECONDS,
        )
    artifact = next((item for item in record.artifacts if item["kind"] == kind), None)
    if artifact is None:
        raise NotFound(f"This preview has no {kind}.")
    if record.expired_at is not None:
        raise ArtifactExpired(expired_detail(record))
    return artifact


def _wants_url(req: falcon.Request, artifact: Mapping[str, Any]) -> bool:
    """Whether the client names JSON, likes it as much as the file, and the file is not JSON.

    ``*/*`` alone means the file; ``application/json, */*`` is what fetch libraries send.
    """
    accept = req.accept
    if artifact["contentType"] == falcon.MEDIA_JSON or falcon.MEDIA_JSON not in accept.lower():
        return False
    try:
        json, file = (
            falcon.mediatypes.quality(kind, accept)
            for kind in (falcon.MEDIA_JSON, artifact["contentType"])
        )
    except ValueError:  # a malformed header asks for nothing
        return False
    return 0 < json >= file
