"""A connection that loses one answer: between client and server, on a port of its own."""

from __future__ import annotations

import contextlib
import hashlib
import select
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from importlib import resources
from typing import Literal, Self
from urllib.parse import urlsplit

from app.cli.remote.addresses import LOOPBACK

#: What is lost: the request (the server never sees it), or the reply (the server has done it).
Part = Literal["request", "reply"]
#: What the client sees of that: a connection that breaks, or silence until its time-out.
Manner = Literal["cut", "silence"]

#: Most bytes read at once; the messages of a test are smaller.
CHUNK = 1 << 20
#: How often the end of the test is looked for.
LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Loss:
    """One loss to come: of the next run of a script, which is named by its SHA-1."""

    sha1: bytes
    part: Part
    manner: Manner


class LossyProxy:
    """Forwards everything but the message that :meth:`lose` names.

    Args:
        url: The server, ``redis://host:port``.

    As a context manager it listens until the end, and closes all its connections then.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        assert parts.port
        self._server = (parts.hostname, parts.port)
        self._listener = socket.create_server((LOOPBACK, 0))
        self._lock = threading.Lock()
        self._armed: Loss | None = None
        self._ended = threading.Event()
        self._threads: list[threading.Thread] = []
        #: How many messages were lost.
        self.losses = 0

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    @property
    def url(self) -> str:
        """Where clients connect instead."""
        return f"redis://{LOOPBACK}:{self._listener.getsockname()[1]}"

    def lose(self, script: str, part: Part = "reply", *, manner: Manner = "cut") -> None:
        """Lose a part of the next run of ``lua/<script>.lua``."""
        lua = resources.files("app.ledger") / "lua"
        text = b"".join((lua / f"{name}.lua").read_bytes() for name in ("prelude", script))
        sha1 = hashlib.sha1(text, usedforsecurity=False).hexdigest()
        with self._lock:
            self._armed = Loss(sha1.encode(), part, manner)

    def _take(self, request: bytes) -> Loss | None:
        """Return the loss that hits a request, if it is this one."""
        with self._lock:
            loss = self._armed
            if loss is None or loss.sha1 not in request:
                return None
            self._armed = None
            return loss

    def _start(self, target: Callable[..., None], *sockets: socket.socket) -> None:
        thread = threading.Thread(target=target, args=sockets)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with self._listener as listener:
            while not self._ended.is_set():
                if select.select([listener], [], [], LOOK_SECONDS)[0]:
                    client, _ = listener.accept()
                    self._start(self._forward, client, socket.create_connection(self._server))

    def _forward(self, client: socket.socket, server: socket.socket) -> None:
        loss: Loss | None = None
        with client, server, contextlib.suppress(ConnectionError):
            while not self._ended.is_set():
                for source in select.select([client, server], [], [], LOOK_SECONDS)[0]:
                    data = source.recv(CHUNK)
                    if not data:
                        return
                    if source is client:
                        loss = loss or self._take(data)
                    if loss and source is server and data.startswith(b"-NOSCRIPT"):
                        self._armed, loss = loss, None  # nothing has run yet
                    if loss is None or (loss.part == "reply" and source is client):
                        (server if source is client else client).sendall(data)
                        continue
                    self.losses += 1
                    if loss.manner == "cut":
                        return
