"""``RequestContext``: what goes with every request and what leaves with every response."""

from __future__ import annotations

import re
import secrets
import time
from typing import Final

import falcon

from app.http.paths import PROBES
from app.logs import bind, get_logger, unbind_all

_log = get_logger(__name__)

#: What a client may call its request; anything else gets a name of ours.
_REQUEST_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,127}\Z")
#: W3C Trace Context, version 00; all-zero ids and version ff are invalid there.
_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}\Z"
)
#: On every response: nothing here is a page, and nothing is kept unless a resource says so.
SECURITY_HEADERS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
)


class RequestContext:
    """Middleware, outermost: names the request, carries its trace, logs its end.

    Hooks: ``process_request`` sets ``req.context`` (``request_id``,
    ``traceparent``, ``started``, ``job_id``); ``process_response`` echoes
    ``X-Request-ID``, adds the security headers and writes one log event.
    """

    def process_request(
        self,
        req: falcon.Request,
        resp: falcon.Response,
    ) -> None:
        """Read the headers that name the request."""
        context = req.context
        context.started = time.perf_counter()
        given = req.get_header("X-Request-ID") or ""
        context.request_id = given if _REQUEST_ID.match(given) else secrets.token_hex(16)
        trace = req.get_header("traceparent") or ""
        context.traceparent = trace if _TRACEPARENT.match(trace) else ""
        context.job_id = None
        unbind_all()
        bind(requestId=context.request_id)

    def process_response(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        resource: object,
        req_succeeded: bool,  # noqa: FBT001 - Falcon's signature
    ) -> None:
        """Complete the headers and log the request."""
        context = req.context
        resp.set_header("X-Request-ID", context.request_id)
        resp.set_headers(SECURITY_HEADERS)
        if resp.get_header("Cache-Control") is None:
            resp.set_header("Cache-Control", "no-store")
        log = _log.debug if req.path in PROBES else _log.info
        fields = {"jobId": context.job_id} if context.job_id else {}
        log(
            "http.request",
            method=req.method,
            path=req.path,
            status=resp.status_code,
            durationMs=round((time.perf_counter() - context.started) * 1000, 2),
            **fields,
        )
        unbind_all()
