"""Stills: a picture of one moment of a payload or a job, drawn while the client waits."""

from __future__ import annotations

import hashlib
import re

import falcon

from app.contract import parse_json
from app.http.jobs import read_body
from app.http.parameters import Query, between, identifier, known_job_id, one_of
from app.http.responses import matches_any
from app.stillrequest import FORMATS, MAX_WIDTH, MIN_WIDTH, StillRequest
from app.stills import Stills

_SECONDS = re.compile(r"[0-9]{1,6}(\.[0-9]{1,9})?")


class StillOfPayload:
    """``POST /api/preview/still``.

    Args:
        stills: Has them drawn.
    """

    def __init__(self, stills: Stills) -> None:
        self._stills = stills

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Draw a still of the payload in the body."""
        wanted = _wanted(req)
        content = self._stills.of_payload(parse_json(read_body(req)), wanted)
        _send(resp, content, wanted)


class StillOfJob:
    """``GET``/``HEAD /api/preview/job/{jobId}/still``.

    Args:
        stills: Has them drawn.
    """

    def __init__(self, stills: Stills) -> None:
        self._stills = stills

    def on_get(self, req: falcon.Request, resp: falcon.Response, job_id: str) -> None:
        """Draw a still of a job's payload."""
        req.context.job_id = known_job_id(job_id)
        wanted = _wanted(req)
        tag = _send(resp, self._stills.of_job(job_id, wanted), wanted)
        if matches_any(req, tag):
            resp.status = 304
            resp.data = None
            resp.delete_header("Content-Type")  # there is no content

    on_head = on_get


def _wanted(req: falcon.Request) -> StillRequest:
    query = Query(req.get_param)
    at = query.read("at", _seconds, None)
    step = query.read("step", identifier, None)
    width = query.read("width", between(MIN_WIDTH, MAX_WIDTH), None)
    form = query.read("format", one_of(FORMATS), "jpeg")
    query.check()
    if (at is None) == (step is None):
        query.refuse("at", "give either at or step")
    query.check()
    return StillRequest(at=at, step=step, width=width, format=form)


def _seconds(value: str) -> float:
    """Parse a moment; raises ValueError with the remedy."""
    if not _SECONDS.fullmatch(value):
        raise ValueError("use seconds from the start of the film, such as 12.5")
    return float(value)


def _send(resp: falcon.Response, content: bytes, wanted: StillRequest) -> falcon.ETag:
    tag = falcon.ETag(hashlib.sha256(content).hexdigest())
    resp.content_type = wanted.media_type
    resp.data = content
    resp.etag = tag.dumps()
    resp.set_header("Cache-Control", "private, no-cache")
    return tag
