"""The probes of a running worker, asked as a platform asks them."""

from __future__ import annotations

import json
import ssl
import threading
from collections import Counter
from pathlib import Path
from typing import Any, Self

import httpx

from tests.conftest import wait_until
from tests.support.probe_app import HEALTH

#: Pause between two looks at ``/livez``.
_WATCH_SECONDS = 0.2
#: Without one, each question would read all root certificates, which takes a processor 40 ms.
NO_CERTIFICATES = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)


class Probes:
    """The probe server of the worker that writes ``log``; waits until it listens.

    As a context manager it looks at ``/livez`` all the time, and counts the answers.

    Attributes:
        base: Its URL.
        livez: How often each status was answered.
    """

    def __init__(self, log: Path) -> None:
        wait_until(lambda: log.exists() and "probes.listening" in log.read_text(), "probes listen")
        line = next(line for line in log.read_text().splitlines() if "probes.listening" in line)
        self.base = f"http://127.0.0.1:{json.loads(line)['port']}"
        self.livez: Counter[int] = Counter()
        self._ended = threading.Event()
        self._watcher = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._watcher.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._watcher.join()

    def _watch(self) -> None:
        while not self._ended.wait(_WATCH_SECONDS):
            self.livez[self.status("/livez")] += 1

    def get(self, path: str) -> httpx.Response:
        """Ask a probe."""
        return httpx.get(self.base + path, timeout=10, verify=NO_CERTIFICATES)

    def status(self, path: str) -> int:
        """Ask a probe for its status alone."""
        return self.get(path).status_code

    def health(self) -> dict[str, Any]:
        """The document of the worker's health, whatever its status."""
        document: dict[str, Any] = self.get(HEALTH).json()
        return document

    def ready(self) -> bool:
        """Whether readiness and health are both green."""
        return self.status("/readyz") == 200 and self.status(HEALTH) == 200

    def troubled(self, reason: str) -> bool:
        """Whether readiness and health are both red and say ``reason``."""
        answers = [self.get("/readyz"), self.get(HEALTH)]
        return all(
            answer.status_code == 503 and reason in answer.json()["detail"] for answer in answers
        )
