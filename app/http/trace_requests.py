"""``TraceRequests``: a span for each request, from which the job that it queues goes on."""

from __future__ import annotations

from http import HTTPStatus

import falcon

from app.http.paths import PROBES
from app.tracing import Span, Tracing


class TraceRequests:
    """Middleware behind RequestContext; probes and unknown paths are left out.

    Hooks: ``process_resource`` begins a span that goes on from the client's
    ``traceparent`` and puts its own into ``req.context``; ``process_response`` ends it.

    Args:
        tracing: Where to record.
    """

    def __init__(self, tracing: Tracing) -> None:
        self._tracing = tracing

    def process_resource(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        resource: object,
        params: dict[str, object],
    ) -> None:
        """Begin the request's span."""
        if req.path in PROBES:
            return
        route = str(req.uri_template)
        span = self._tracing.begin(
            f"{req.method} {route}",
            kind="server",
            traceparent=req.context.traceparent,
            attributes={"http.request.method": req.method, "http.route": route},
        )
        req.context.span, req.context.traceparent = span, span.traceparent

    def process_response(
        self,
        req: falcon.Request,
        resp: falcon.Response,
        resource: object,
        req_succeeded: bool,  # noqa: FBT001 - Falcon's signature
    ) -> None:
        """End it with the response's status."""
        span: Span | None = getattr(req.context, "span", None)
        if span is None:
            return
        status = resp.status_code
        error = str(status) if status >= HTTPStatus.INTERNAL_SERVER_ERROR else ""
        job = {"preview.jobId": str(req.context.job_id)} if req.context.job_id else {}
        span.end(error=error, attributes={"http.response.status_code": status, **job})
