"""POSTs a second of the API, by bare sockets that keep their connection."""

from __future__ import annotations

import socket
import threading
import time

import orjson

from benchmarks.stack import percentile, tutorial

#: Connections that post at once, each for so many seconds.
CONNECTIONS = 8
SECONDS = 8.0


def _request(job_id: str) -> bytes:
    body = orjson.dumps(tutorial(job_id, dry=True))
    head = (
        "POST /api/preview/job HTTP/1.1\r\nHost: bench\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def _read_answer(connection: socket.socket) -> int:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        int(line.split(b":")[1])
        for line in head.split(b"\r\n")
        if line.lower().startswith(b"content-length:")
    )
    while len(body) < length:
        body += connection.recv(65536)
    return int(head.split(b" ")[1])


def posts(port: int) -> dict[str, float]:
    """Post distinct jobs; returns POSTs a second and latencies in milliseconds."""
    latencies: list[float] = []
    refused: list[int] = []
    until = time.perf_counter() + SECONDS

    def client(number: int) -> None:
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            count = 0
            while (now := time.perf_counter()) < until:
                connection.sendall(_request(f"post-{number}-{count}"))
                status = _read_answer(connection)
                if status != 202:  # noqa: PLR2004 - accepted
                    refused.append(status)
                latencies.append(1000 * (time.perf_counter() - now))
                count += 1

    threads = [threading.Thread(target=client, args=(number,)) for number in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return {
        "per second": len(latencies) / SECONDS,
        "p50 ms": percentile(latencies, 0.50),
        "p99 ms": percentile(latencies, 0.99),
        "refused": float(len(refused)),
    }
