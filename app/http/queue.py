"""``GET /api/preview/queue/metrics``."""

from __future__ import annotations

from typing import Any

import falcon

from app.client import PreviewClient
from app.documents import workers_document
from app.http.responses import send_json
from app.ledger import QueueStats


class QueueMetrics:
    """The counts of the replaced system, and what its users missed."""

    def __init__(self, client: PreviewClient, *, queue_max: int) -> None:
        self._client = client
        self._queue_max = queue_max

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Count the queue at this moment."""
        send_json(resp, queue_document(self._client.queue(), queue_max=self._queue_max))

    on_head = on_get


def queue_document(stats: QueueStats, *, queue_max: int) -> dict[str, Any]:
    """Return a queue as clients see it. ``total`` counts every job that is kept."""
    return {
        "waiting": stats.waiting,
        "active": stats.active,
        "completed": stats.completed,
        "failed": stats.failed,
        "delayed": stats.delayed,
        "cancelled": stats.cancelled,
        "total": stats.total,
        "max": queue_max,
        "oldestWaitingSeconds": round(stats.oldest_waiting_seconds, 3),
        "byPriority": dict(stats.by_priority),
        "workers": workers_document(stats.workers),
    }
