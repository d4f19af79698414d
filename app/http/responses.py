"""How a resource answers: JSON, a problem, or "you have it already"."""

from __future__ import annotations

import hashlib
from typing import Any

import falcon
import orjson

from app.errors import PreviewError

#: Media type of RFC 9457.
PROBLEM_JSON = "application/problem+json"
#: Advice to a client when an error that passes by itself names no time.
DEFAULT_RETRY_AFTER_SECONDS = 2
#: Answers that a client should repeat, after a pause.
_PASSING = frozenset({429, 503})


def send_json(
    resp: falcon.Response, document: Any, *, status: int = 200, media_type: str = falcon.MEDIA_JSON
) -> None:
    """Answer with a JSON document."""
    resp.status = status
    resp.content_type = media_type
    resp.data = orjson.dumps(document)


def send_problem(req: falcon.Request, resp: falcon.Response, error: PreviewError) -> None:
    """Answer with the problem document of an error."""
    problem = error.to_problem(request_id=req.context.request_id, instance=req.path)
    resp.stream = None
    send_json(resp, problem, status=error.status, media_type=PROBLEM_JSON)
    pause = error.retry_after_seconds
    if pause is None and error.status in _PASSING:
        pause = DEFAULT_RETRY_AFTER_SECONDS
    if pause is not None:
        resp.set_header("Retry-After", str(pause))


def send_revalidated(req: falcon.Request, resp: falcon.Response, document: Any) -> None:
    """Answer with a document that changes: a weak ETag, and 304 while it has not."""
    send_json(resp, document)
    tag = falcon.ETag(hashlib.blake2b(resp.data or b"", digest_size=16).hexdigest())
    tag.is_weak = True
    resp.etag = tag.dumps()
    resp.set_header("Cache-Control", "private, no-cache")
    if matches_any(req, tag):
        resp.data = None
        resp.delete_header("Content-Type")  # there is no content
        resp.status = 304


def matches_any(req: falcon.Request, tag: falcon.ETag) -> bool:
    """Whether ``If-None-Match`` names ``tag``, by the weak comparison of RFC 9110, 13.1.2."""
    return any(known in ("*", tag) for known in req.if_none_match or ())
