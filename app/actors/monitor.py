"""The worker's probe server on ``HEALTH_HOST:HEALTH_PORT``.

Dramatiq's master runs :func:`serve` in a process of its own, so that a busy
worker cannot delay an answer. It adds up what all worker processes count, and reads their
signs of life.
"""

from __future__ import annotations

import socketserver
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from app.broker import WorkerSigns
from app.logs import get_logger
from app.probes import create_probe_app

log = get_logger(__name__)

#: A scraper that stalls is hung up on after this many seconds.
REQUEST_SECONDS = 10


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True


class _QuietHandler(WSGIRequestHandler):
    timeout = REQUEST_SECONDS

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's signature
        """Probes come every few seconds: no line for each."""


def serve() -> int:
    """Serve the probes until the process is stopped; returns 1 when the port is taken."""
    from app.actors import service, settings, worker  # noqa: PLC0415 - the entry point imports us

    host, port = settings.health_host, settings.health_port
    life = WorkerSigns(service) if service is not None else None
    app = create_probe_app(settings=settings, metrics=worker.metrics, life=life)
    try:
        server = make_server(host, port, app, server_class=_Server, handler_class=_QuietHandler)
    except OSError as error:
        log.critical("probes.cannot-listen", host=host, port=port, detail=error.strerror)
        return 1
    log.info("probes.listening", host=host, port=server.server_port)
    with server:
        server.serve_forever()
    return 0
