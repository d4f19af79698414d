"""The studio's routes: the page, its state as events, the document, stills and films."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import falcon
import orjson

from app.cli.remote.addresses import LOOPBACK
from app.cli.studio.films import Superseded
from app.cli.studio.session import Session
from app.contract import MAX_PAYLOAD_BYTES
from app.errors import PreviewError
from app.http.ranges import span_of
from app.stillrequest import StillRequest

_STATIC: Final = Path(__file__).with_name("static")
#: Files of the page: their names and media types.
_PAGE: Final = {
    "index.html": "text/html; charset=utf-8",
    "studio.css": "text/css; charset=utf-8",
    "studio.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_HEADERS: Final = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self';"
    " img-src 'self' blob:; media-src 'self'; connect-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
#: Interval in seconds at which a page without news gets a line, which shows whether it is there.
BEAT_SECONDS: Final = 5.0
_CHUNK: Final = 256 * 1024


def create_site(session: Session, *, port: int) -> falcon.App[falcon.Request, falcon.Response]:
    """Return the WSGI application of a studio that listens on ``port``."""
    app = falcon.App(middleware=[_Guard(port)])
    app.add_error_handler(PreviewError, _problem)
    app.add_error_handler(Superseded, _superseded)
    app.add_route("/", _Page())
    app.add_route("/{name}", _Page())
    app.add_route("/events", _Events(session))
    app.add_route("/document", _Document(session))
    app.add_route("/check", _Check(session))
    app.add_route("/still", _Still(session))
    app.add_route("/film/{film}/{name:path}", _FilmFile(session))
    return app


class _Guard:
    """Refuses requests that another site has made, under whatever name it knows this machine."""

    def __init__(self, port: int) -> None:
        self._hosts = {f"{name}:{port}" for name in (LOOPBACK, "localhost")}

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        resp.set_headers(_HEADERS)
        host, origin = req.get_header("Host"), req.get_header("Origin")
        site = req.get_header("Sec-Fetch-Site")
        if host not in self._hosts:
            raise falcon.HTTPForbidden(description="This host name is not the studio's.")
        if origin not in {None, f"http://{host}"} or site not in {None, "same-origin", "none"}:
            raise falcon.HTTPForbidden(description="Another site made this request.")


def _problem(
    _: falcon.Request, resp: falcon.Response, error: PreviewError, __: dict[str, Any]
) -> None:
    resp.status = error.status
    resp.content_type = "application/problem+json"
    resp.data = orjson.dumps(error.to_problem())


def _superseded(_: falcon.Request, resp: falcon.Response, __: Superseded, ___: Any) -> None:
    resp.status = 204  # the page has asked for another still, or is about to be told the end


def _text(req: falcon.Request) -> str:
    """Return the body as text.

    Raises:
        HTTPContentTooLarge: It is longer than a payload may be.
        HTTPBadRequest: It is not UTF-8.
    """
    length = req.content_length or 0
    if length > MAX_PAYLOAD_BYTES:
        raise falcon.HTTPContentTooLarge(
            description=f"The text has {length} bytes; the limit is {MAX_PAYLOAD_BYTES}."
        )
    try:
        return bytes(req.bounded_stream.read()).decode()
    except UnicodeDecodeError:
        raise falcon.HTTPBadRequest(description="The text is not UTF-8.") from None


def _send(resp: falcon.Response, document: object) -> None:
    resp.content_type = falcon.MEDIA_JSON
    resp.data = orjson.dumps(document)


class _Page:
    def on_get(self, _: falcon.Request, resp: falcon.Response, name: str = "index.html") -> None:
        if name not in _PAGE:
            raise falcon.HTTPNotFound
        resp.content_type = _PAGE[name]
        resp.data = (_STATIC / name).read_bytes()


class _Events:
    """The state, and again whenever it changes, as Server-Sent Events."""

    def __init__(self, session: Session) -> None:
        self._board = session.board

    def on_get(self, _: falcon.Request, resp: falcon.Response) -> None:
        resp.content_type = "text/event-stream"
        resp.stream = self._lines()

    def _lines(self) -> Iterator[bytes]:
        yield b"retry: 1000\n\n"
        seen = 0
        while not self._board.closed:
            news = self._board.wait(seen, seconds=BEAT_SECONDS)
            if news is None:
                yield b": beat\n\n"
            else:
                seen, state = news
                yield b"data: " + orjson.dumps(state) + b"\n\n"


class _Document:
    def __init__(self, session: Session) -> None:
        self._session = session

    def on_get(self, _: falcon.Request, resp: falcon.Response) -> None:
        document = self._session.document()
        _send(resp, {"text": document.text, "version": document.version})

    def on_put(self, req: falcon.Request, resp: falcon.Response) -> None:
        base = (req.get_header("If-Match") or "").strip('"')
        document = self._session.save(_text(req), base=base)
        _send(resp, {"version": document.version})


class _Check:
    def __init__(self, session: Session) -> None:
        self._session = session

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        checked = self._session.check(_text(req))
        _send(resp, {"errors": checked.errors, "steps": checked.steps})


class _Still:
    def __init__(self, session: Session) -> None:
        self._session = session

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        step = req.get_param("step", required=True)
        width = req.get_param_as_int("width", min_value=16, max_value=3840)
        request = StillRequest(step=step, width=width)
        resp.data = self._session.still(_text(req), request)
        resp.content_type = request.media_type


class _FilmFile:
    def __init__(self, session: Session) -> None:
        self._films = session.films

    def on_get(self, req: falcon.Request, resp: falcon.Response, film: str, name: str) -> None:
        found = self._films.file(film, name)
        if found is None:
            raise falcon.HTTPNotFound
        path, file = found
        span = span_of(req.get_header("Range"), file.bytes)
        start, end = (span.start, span.end) if span else (0, file.bytes)
        try:
            source = path.open("rb")  # stays readable when a newer film takes its place
        except FileNotFoundError:
            raise falcon.HTTPNotFound from None
        source.seek(start)
        resp.content_type = file.content_type
        resp.set_header("Accept-Ranges", "bytes")
        if span:
            resp.status = 206
            resp.set_header("Content-Range", span.content_range)
        resp.set_stream(_Part(source, end - start), end - start)


class _Part:
    """The next bytes of an open file, closed by the server."""

    def __init__(self, source: Any, size: int) -> None:
        self._source = source
        self._left = size

    def read(self, size: int | None = None) -> bytes:
        chunk = self._source.read(min(size or _CHUNK, self._left))
        self._left -= len(chunk)
        return bytes(chunk)

    def close(self) -> None:
        self._source.close()
