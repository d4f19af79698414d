"""A client of the test's queue, and the log of its worker."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.client import PreviewClient
from app.settings import Settings


@pytest.fixture
def preview(settings: Settings) -> PreviewClient:
    return PreviewClient.from_settings(settings)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """The worker's log; shown when a test fails, because pytest prints what is printed."""
    path = tmp_path / "worker.log"
    yield path
    if path.exists():
        print(path.read_text())
