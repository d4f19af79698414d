"""The client of the queue that commands use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.cli.stack.state import settings_here
from app.settings import Settings

if TYPE_CHECKING:
    from app.client import PreviewClient


def preview_client(settings: Settings | None = None) -> PreviewClient:
    """Return a client of the queue that ``settings`` name, by default of the one found here."""
    from app.client import PreviewClient

    return PreviewClient.from_settings(settings or settings_here())
