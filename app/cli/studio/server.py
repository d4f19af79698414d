"""The studio's HTTP server, on this machine alone."""

from __future__ import annotations

import contextlib
import socketserver
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from app.cli.remote.addresses import LOOPBACK
from app.cli.studio.session import Session
from app.cli.studio.site import create_site
from app.settings import Settings


class _Server(socketserver.ThreadingMixIn, WSGIServer):
    daemon_threads = True
    block_on_close = False  # events would hold it

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a browser that leaves in the middle of a film is no error."""


class _QuietHandler(WSGIRequestHandler):
    timeout = 30

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base's signature
        """Log nothing: the terminal is the author's."""


@contextlib.contextmanager
def studio(
    file: Path, *, asset_dir: Path, settings: Settings, work: Path, port: int = 0
) -> Iterator[int]:
    """Run a studio until the block ends; all its threads and children end with it.

    Args:
        file: The payload.
        asset_dir: Directory of its assets.
        settings: As of ``preview render``.
        work: Directory for all that it makes; its owner removes it.
        port: Port to listen on; 0 picks a free one.

    Yields:
        The port that it listens on.

    Raises:
        OSError: The port is in use, or the file cannot be read.
        UnicodeDecodeError: The file is not UTF-8.
    """
    session = Session(file, asset_dir=asset_dir, settings=settings, work=work)
    with _Server((LOOPBACK, port), _QuietHandler) as server:
        server.set_app(create_site(session, port=server.server_port))
        serving = threading.Thread(
            target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="studio"
        )
        session.start()
        serving.start()
        try:
            yield server.server_port
        finally:
            session.stop()
            server.shutdown()
            serving.join()
