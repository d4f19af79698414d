"""The worker's probe server on ``HEALTH_HOST:HEALTH_PORT``.

Dramatiq's master runs :func:`serve` in a process of its own, so that a busy worker cannot delay
a response. It adds up the metrics of all worker processes and reads their signs of life. It runs
until the last worker process has ended, so that the jobs that end during a shutdown are counted.
"""

from __future__ import annotations

import contextlib
import signal
import socket
import socketserver
from collections.abc import Callable
from types import FrameType
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server
from wsgiref.types import WSGIApplication

from app.broker import WorkerSigns
from app.logs import get_logger
from app.middleware import master_lives

log = get_logger(__name__)

#: Timeout of a connection, in seconds.
REQUEST_SECONDS = 10
#: Interval at which the server checks that a worker process is still alive.
END_WATCH_SECONDS = 0.1


class _Over(Exception):
    """The service has ended."""


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True

    #: Whether to stop; asked between requests.
    over: Callable[[], bool] | None = None

    def service_actions(self) -> None:
        """Stop serving once the service has ended."""
        if self.over is not None and self.over():
            raise _Over


class _Server6(_Server):
    address_family = socket.AF_INET6


class _QuietHandler(WSGIRequestHandler):
    timeout = REQUEST_SECONDS

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's signature
        """Log nothing: probes come every few seconds."""


def serve() -> int:
    """Serve the probes until the service has ended; return 1 if the port is in use."""
    # The entry point imports this module, and only this process needs Falcon.
    from app.actors import service, settings, worker  # noqa: PLC0415
    from app.probes import create_probe_app  # noqa: PLC0415

    host, port = settings.health_host, settings.health_port
    life = WorkerSigns(service) if service is not None else None
    app = create_probe_app(settings=settings, metrics=worker.metrics, life=life)
    try:
        server = listen(host, port, app)
    except OSError as error:
        log.critical("probes.cannot-listen", host=host, port=port, detail=error.strerror)
        return 1
    log.info("probes.listening", host=host, port=server.server_port)
    if life is not None:
        server.over = _over_with(life)
    with server, contextlib.suppress(_Over):
        server.serve_forever(poll_interval=END_WATCH_SECONDS)
    return 0


def listen(host: str, port: int, app: WSGIApplication) -> _Server:
    """Return a listening server of ``app``. A host with colons is an IPv6 address.

    Raises:
        OSError: The port is in use, or the address does not belong to this machine.
    """
    kind = _Server6 if ":" in host else _Server
    return make_server(host, port, app, server_class=kind, handler_class=_QuietHandler)


def _over_with(life: WorkerSigns) -> Callable[[], bool]:
    """Have SIGTERM end the server once no worker process is left, and its master's death at once.

    Dramatiq sends the signal to all its children, and waits for this one last.
    """
    told = False

    def handle(_number: int, _frame: FrameType | None) -> None:
        nonlocal told  # and no more: a second signal may interrupt this
        told = True

    signal.signal(signal.SIGTERM, handle)
    return lambda: (told and not life.any_living) or not master_lives()
