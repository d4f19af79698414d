"""Every error becomes ``application/problem+json`` (RFC 9457), Falcon's own included."""

from __future__ import annotations

import functools
from http import HTTPStatus
from typing import Any

import falcon

from app.errors import (
    MethodNotAllowed,
    NotFound,
    PayloadTooLarge,
    PermanentError,
    PreviewError,
    UnsupportedMediaType,
)
from app.http.responses import send_problem
from app.logs import get_logger

_log = get_logger(__name__)

#: Errors that Falcon raises by itself and that have a name of ours.
_BY_STATUS: dict[int, type[PreviewError]] = {
    404: NotFound,
    405: MethodNotAllowed,
    413: PayloadTooLarge,
    415: UnsupportedMediaType,
}


def install_problems(app: falcon.App[falcon.Request, falcon.Response]) -> None:
    """Let ``app`` answer every error with a problem document."""
    app.add_error_handler(Exception, _uncaught)
    app.add_error_handler(falcon.HTTPError, _falcon_error)
    app.add_error_handler(PreviewError, _preview_error)


def _preview_error(
    req: falcon.Request, resp: falcon.Response, error: PreviewError, _params: dict[str, Any]
) -> None:
    send_problem(req, resp, error)


def _falcon_error(
    req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, _params: dict[str, Any]
) -> None:
    resp.set_headers(error.headers or {})
    send_problem(req, resp, _translated(req, error))


def _translated(req: falcon.Request, error: falcon.HTTPError) -> PreviewError:
    known = _BY_STATUS.get(error.status_code)
    if known is MethodNotAllowed:
        allowed = dict(error.headers or {}).get("Allow", "")
        return MethodNotAllowed(f"{req.method} is not possible here; use one of: {allowed}.")
    if known is NotFound:
        return NotFound(f"There is nothing at {req.path!r}.")
    if known is not None:
        return known(error.description or "")
    return _other(error.status_code)(error.description or "")


@functools.cache
def _other(status_code: int) -> type[PreviewError]:
    """Return a class for a status that only Falcon knows, named after its phrase."""
    phrase = HTTPStatus(status_code).phrase
    names = {"code": phrase.lower().replace(" ", "-"), "status": status_code, "title": phrase}
    return type("OtherHttpError", (PermanentError,), names)


def _uncaught(
    req: falcon.Request, resp: falcon.Response, error: Exception, _params: dict[str, Any]
) -> None:
    _log.error("http.failed", method=req.method, path=req.path, exc_info=error)
    send_problem(req, resp, PreviewError("The server failed; its log has the cause."))
