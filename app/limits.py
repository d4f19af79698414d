"""Limits that several parts hold."""

from __future__ import annotations

from typing import Final

#: No asset may be larger (bytes), wherever it comes from.
MAX_ASSET_BYTES: Final = 100 * 1024 * 1024
