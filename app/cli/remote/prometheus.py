"""What the commands ask a Prometheus server: instant queries of its HTTP API."""

from __future__ import annotations

import math
from typing import Any
from urllib.parse import urlencode

from app.cli.output.exits import CommandFailed
from app.cli.remote.api import Api

#: A series' labels, sorted, and its value.
Sample = tuple[dict[str, str], float]


class Prometheus:
    """A server of the API v1 (https://prometheus.io/docs/prometheus/latest/querying/api/).

    Args:
        api: Where it is; a key is sent as its bearer token.
    """

    def __init__(self, api: Api) -> None:
        self._api = api

    def query(self, expression: str) -> list[Sample]:
        """Return the vector that ``expression`` is now; no sample of it is NaN or infinite.

        Raises:
            CommandFailed: The server does not answer, refuses the expression, or is not Prometheus.
        """
        try:
            answer = self._api.ask("GET", "/api/v1/query?" + urlencode({"query": expression}))
        except CommandFailed as unanswered:  # it is not the queue that is unavailable
            raise CommandFailed(str(unanswered)) from unanswered
        document = answer.json()
        if not isinstance(document, dict) or "status" not in document:
            raise CommandFailed(
                f"{self._api.url} answers {answer.status}, but not as Prometheus does; "
                "is the address right?"
            )
        if document["status"] != "success":
            error = f"{document.get('errorType')}: {document.get('error')}"
            raise CommandFailed(f"Prometheus refuses {expression!r}: {error}")
        try:
            return list(_samples(document["data"]))
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise CommandFailed(
                f"Prometheus's answer to {expression!r} is not a vector of numbers"
            ) from error


def _samples(data: dict[str, Any]) -> list[Sample]:
    if data["resultType"] != "vector":
        raise ValueError(data["resultType"])
    found = [
        ({str(name): str(text) for name, text in item["metric"].items()}, float(item["value"][1]))
        for item in data["result"]
    ]
    # 0/0, and the quantile of a histogram without an observation, are NaN: nothing was measured.
    return [(labels, value) for labels, value in found if math.isfinite(value)]
