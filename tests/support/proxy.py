"""A TCP proxy between the product and its server, which delays, loses or cuts replies."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import Literal, Self

#: Most bytes that are moved at once.
_CHUNK = 65536

#: What happens to replies: nothing, or they are lost with the connection left open (the
#: command was executed), or cut in the middle with the connection closed.
Fault = Literal["none", "lose", "cut"]


class Proxy:
    """Forwards a free loopback port to a server's port; a context manager.

    Attributes:
        fault: What happens to replies from now on.
        delay_seconds: How late they are.
        target: Port to which new connections go; those that exist stay where they are.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.fault: Fault = "none"
        self.delay_seconds = 0.0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        self._sockets: list[socket.socket] = []

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        """The same for ``REDIS_URL``."""
        return f"redis://127.0.0.1:{self.port}"

    def heal(self) -> None:
        """Forward replies as they are again, at once."""
        self.fault, self.delay_seconds = "none", 0.0

    def cut_off(self) -> None:
        """Close all connections that exist."""
        for end in self._sockets:
            _hang_up(end)

    def __enter__(self) -> Self:
        self._run(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        _hang_up(self._listener)
        self.cut_off()
        for thread in self._threads:
            thread.join()
        for end in (self._listener, *self._sockets):
            end.close()

    def _run(self, work: object, *arguments: object) -> None:
        assert callable(work)
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client = self._listener.accept()[0]
            except OSError:
                return
            try:
                server = socket.create_connection(("127.0.0.1", self.target))
            except OSError:  # as the server does while it is away
                client.close()
                continue
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._sockets += [client, server]
            self._run(self._requests, client, server)
            self._run(self._replies, server, client)

    def _requests(self, client: socket.socket, server: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := client.recv(_CHUNK):
                server.sendall(chunk)
        _hang_up(server)

    def _replies(self, server: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while chunk := server.recv(_CHUNK):
                self._late()
                if self.fault == "lose":
                    continue
                if self.fault == "cut":
                    client.sendall(chunk[: len(chunk) // 2])
                    break
                client.sendall(chunk)
        _hang_up(client)
        _hang_up(server)

    def _late(self) -> None:
        """Wait until a reply of now may go on; the delay may be changed meanwhile."""
        began = time.monotonic()
        while (left := began + self.delay_seconds - time.monotonic()) > 0:
            if self._ended.wait(min(left, 0.05)):
                return


def _hang_up(end: socket.socket) -> None:
    with contextlib.suppress(OSError):
        end.shutdown(socket.SHUT_RDWR)
