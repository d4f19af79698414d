"""Servers and ports on this machine."""

from __future__ import annotations

import http.client
import json
import socket
from typing import Any

#: Everything that is started here listens on this address only.
LOOPBACK = "127.0.0.1"
#: Longest wait for a reply of a server on this machine.
HTTP_TIMEOUT_SECONDS = 2.0


def port_is_free(port: int, *, host: str = LOOPBACK) -> bool:
    """Return whether a server could listen on ``port``."""
    with socket.socket() as probe:
        # As servers do: connections that linger from an earlier one are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_ports(count: int) -> list[int]:
    """Return different ports on which nothing listens now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for probe in sockets:
            probe.bind((LOOPBACK, 0))
        return [probe.getsockname()[1] for probe in sockets]
    finally:
        for probe in sockets:
            probe.close()


def local_url(port: int) -> str:
    """Return the URL of a server on this machine."""
    return f"http://{LOOPBACK}:{port}"


def is_preview_process(port: int) -> bool:
    """Return whether an API or the probes of a worker answer on ``port``."""
    try:
        _, document = http_get(port, "/api/preview/worker/health")
    except OSError:
        return False
    return isinstance(document, dict) and "queue" in document and "redis" in document


def http_get(port: int, path: str, *, host: str = LOOPBACK) -> tuple[int, Any]:
    """Return status and JSON (None where the body is none) of a GET on this machine.

    http.client, because urllib would ask a proxy for 127.0.0.1.

    Raises:
        OSError: Nothing answers.
    """
    connection = http.client.HTTPConnection(host, port, timeout=HTTP_TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        try:
            return response.status, json.loads(response.read())
        except ValueError:
            return response.status, None
    except http.client.HTTPException as error:
        raise OSError(f"no HTTP on port {port}") from error
    finally:
        connection.close()
