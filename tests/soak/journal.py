"""What happens in a soak, told as it happens."""

from __future__ import annotations

import threading
import time
from collections import Counter


class Journal:
    """Prints and counts events, and collects what is broken. Thread-safe.

    Attributes:
        counts: How often each event happened.
        broken: A sentence for each broken promise.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.broken: list[str] = []
        self._began = time.monotonic()
        self._lock = threading.Lock()

    def say(self, text: str) -> None:
        """Print a line with the time since the beginning, in seconds."""
        with self._lock:
            print(f"[{time.monotonic() - self._began:7.1f}] {text}", flush=True)

    def strike(self, kind: str, detail: str = "") -> None:
        """Tell and count a fault that is done to the system."""
        self.say(f"{kind} {detail}".rstrip())
        with self._lock:
            self.counts[kind] += 1

    def complain(self, sentence: str) -> None:
        """Tell and keep a broken promise."""
        self.say(f"BROKEN: {sentence}")
        with self._lock:
            self.broken.append(sentence)
