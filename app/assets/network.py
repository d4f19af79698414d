"""Connections to addresses that were checked before, with timeouts that always hold."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable, Sequence
from typing import Any, Final

import httpcore2

from app.assets.addresses import Endpoint
from app.assets.watch import Watch

#: Longest uninterruptible wait: a cancelled fetch ends within this time.
POLL_SECONDS: Final = 0.25


class PinnedBackend(httpcore2.NetworkBackend):
    """Connects to the given addresses, whatever the host name, so it is not resolved again.

    TLS still sends and verifies the host name, because only the socket is replaced.

    Args:
        endpoints: Checked addresses, tried in order.
        watch: Limits the time.
    """

    def __init__(self, endpoints: Sequence[Endpoint], watch: Watch) -> None:
        self._endpoints = endpoints
        self._watch = watch
        self._inner = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        """Connect to the first endpoint that accepts.

        Raises:
            httpcore2.ConnectError: No endpoint does.
            httpcore2.ConnectTimeout: The last endpoint did not respond in time.
        """
        failure: httpcore2.ConnectError | httpcore2.ConnectTimeout | None = None
        for address, port_there in self._endpoints:
            try:
                stream = self._inner.connect_tcp(
                    address,
                    port_there,
                    timeout=self._watch.left(self._watch.timeouts.connect),
                    local_address=local_address,
                    socket_options=socket_options,
                )
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
            else:
                return WatchedStream(stream, self._watch)
        raise failure or httpcore2.ConnectError("no address")


class WatchedStream(httpcore2.NetworkStream):
    """A connection that waits in short turns and checks the watch after each.

    This enforces the total time on a server that sends a byte now and then, even in its headers,
    and ends a cancelled fetch quickly.
    """

    def __init__(self, stream: httpcore2.NetworkStream, watch: Watch) -> None:
        self._stream = stream
        self._watch = watch

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Read the available bytes, b"" at the end.

        Raises:
            httpcore2.ReadTimeout: Nothing arrived within the idle timeout.
            httpcore2.ReadError: The connection was lost.
            FetchEnded: The fetch was cancelled.
            FetchTooSlow: The total time is over.
        """
        silent_until = time.monotonic() + self._watch.timeouts.idle
        while True:
            turn = self._watch.left(POLL_SECONDS)
            try:
                return self._stream.read(max_bytes, timeout=turn)
            except httpcore2.ReadTimeout:
                if time.monotonic() >= silent_until:
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send a request, which fits into a socket's buffer."""
        self._stream.write(buffer, timeout=self._watch.left(self._watch.timeouts.idle))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        """Start TLS. The connect timeout applies to the whole handshake."""
        left = self._watch.left(self._watch.timeouts.connect)
        stream = self._stream.start_tls(ssl_context, server_hostname, timeout=left)
        return WatchedStream(stream, self._watch)

    def get_extra_info(self, info: str) -> Any:
        """Return information about the connection."""
        return self._stream.get_extra_info(info)
