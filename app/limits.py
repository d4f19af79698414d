"""Limits that several parts hold."""

from __future__ import annotations

from typing import Final

#: No asset may be larger (bytes), wherever it comes from.
MAX_ASSET_BYTES: Final = 100 * 1024 * 1024
#: All assets of one job together (bytes): those that are fetched, and those of the project.
MAX_JOB_BYTES: Final = 10 * MAX_ASSET_BYTES
