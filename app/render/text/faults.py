"""The fault of a font that a job brings."""

from __future__ import annotations

from typing import Final

from app.errors import AssetFailed, ErrorItem

#: What is wrong with a font that cannot be read.
BROKEN: Final = "is a broken font"


class FontFailed(AssetFailed):
    """A job's font cannot be used.

    Attributes:
        fault: What is wrong with it.
        asset_id: The id of the asset.
    """

    def __init__(self, fault: str, *, asset_id: str, pointer: str = "") -> None:
        detail = f"asset {asset_id!r} {fault}"
        super().__init__(detail, errors=[ErrorItem(pointer, "font-unusable", detail)])
        self.fault, self.asset_id = fault, asset_id
