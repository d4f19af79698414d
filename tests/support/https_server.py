"""A web server on loopback that behaves exactly as badly as a test tells it to."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.redis_servers import Tls

#: Bytes of the head of a request that are read at most.
_HEAD_BYTES = 64 * 1024


@dataclass(frozen=True)
class Request:
    """What a client has sent: method, target, and its headers in lower case."""

    method: str
    target: str
    headers: dict[str, str]


#: Answers a request as it likes; returning ends the connection.
Answer = Callable[[socket.socket, Request], None]


def answer(
    body: bytes = b"", *, status: int = 200, **headers: str | int | None
) -> Callable[[socket.socket, Request], None]:
    """Return an answer of one piece; ``content_length=None`` leaves the header out."""
    fields = {"content_length": len(body), **headers}
    lines = [f"HTTP/1.1 {status} Whatever"]
    for name, value in fields.items():
        if value is not None:
            lines.append(f"{name.replace('_', '-')}: {value}")
    whole = "\r\n".join([*lines, "", ""]).encode() + body
    return lambda connection, _: connection.sendall(whole)


@dataclass
class HttpsServer:
    """Answers over TLS, or without where ``tls`` is None.

    Attributes:
        routes: What to do for each target, a path with its query.
        seen: All requests in the order in which they came.
        names: Names that clients asked for when they said hello (SNI).
        leaving: Set at the end: an answer that waits for nothing waits for this.
    """

    tls: Tls | None
    routes: dict[str, Answer] = field(default_factory=dict)
    seen: list[Request] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    leaving: threading.Event = field(default_factory=threading.Event)

    @contextlib.contextmanager
    def running(self) -> Iterator[HttpsServer]:
        """Listen on a free port of 127.0.0.1."""
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port: int = listener.getsockname()[1]
            threads: list[threading.Thread] = []
            accepting = threading.Thread(target=self._accept, args=(listener, threads))
            accepting.start()
            try:
                yield self
            finally:
                self.leaving.set()
                with socket.create_connection(("127.0.0.1", self.port)):
                    pass  # wakes the one that accepts
                for thread in (accepting, *threads):
                    thread.join(10)
                    assert not thread.is_alive()

    def _accept(self, listener: socket.socket, threads: list[threading.Thread]) -> None:
        while True:
            connection, _ = listener.accept()
            if self.leaving.is_set():
                connection.close()
                return
            thread = threading.Thread(target=self._serve, args=(connection,))
            threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        # Whoever is turned away hangs up: that is what the tests are about.
        with contextlib.suppress(OSError), contextlib.closing(connection):
            connection.settimeout(10)
            if self.tls is not None:
                connection = self._context(self.tls).wrap_socket(connection, server_side=True)
            with contextlib.closing(connection):
                request = _request(connection)
                self.seen.append(request)
                self.routes[request.target](connection, request)

    def _context(self, tls: Tls) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls.cert, tls.key)
        context.sni_callback = lambda _, name, __: self.names.append(name)
        return context


def _request(connection: socket.socket) -> Request:
    head = b""
    while b"\r\n\r\n" not in head and len(head) < _HEAD_BYTES:
        piece = connection.recv(4096)
        if not piece:
            raise ConnectionError("nothing was asked")
        head += piece
    first, *lines = head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ")
    headers = dict(line.split(": ", 1) for line in lines)
    return Request(method, target, {name.lower(): value for name, value in headers.items()})


def trusting(authority: Path) -> ssl.SSLContext:
    """Return a client's context that trusts one authority alone."""
    return ssl.create_default_context(cafile=authority)
