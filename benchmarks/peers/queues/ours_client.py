"""Our client as it is: checks the payload, admits it to the ledger, counts."""

from __future__ import annotations

from typing import Any

from app.client import PreviewClient
from app.settings import load_settings

client = PreviewClient.from_settings(load_settings())


def enqueue(payload: dict[str, Any]) -> None:
    client.submit(payload)
