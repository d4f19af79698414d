"""One remote asset of a job: what it is declared to be, and its errors, which point to it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.errors import AssetBlocked, AssetFailed, AssetUnavailable, ErrorItem
from app.limits import MAX_ASSET_BYTES


@dataclass(frozen=True, slots=True)
class RemoteAsset:
    """An entry of ``assets`` that has a ``uri``.

    Attributes:
        pointer: Where it stands in the payload.
        bytes: Declared size; None where none is.
        sha256: Declared digest; None where none is.
        mime_type: Declared media type, "" where none is.
    """

    id: str
    type: str
    uri: str
    pointer: str
    bytes: int | None = None
    sha256: str | None = None
    mime_type: str = ""

    @property
    def limit(self) -> int:
        """Bytes that its file may have at most."""
        return MAX_ASSET_BYTES if self.bytes is None else min(self.bytes, MAX_ASSET_BYTES)

    def blocked(self, code: str, detail: str) -> AssetBlocked:
        """Return the error of an address that may not be read."""
        item = self._item("uri", code, detail)
        return AssetBlocked(item.detail, errors=[item])

    def failed(self, code: str, detail: str, *, at: str = "uri") -> AssetFailed:
        """Return the error of a file that is absent or not the one declared."""
        item = self._item(at, code, detail)
        return AssetFailed(item.detail, errors=[item])

    def unavailable(self, detail: str) -> AssetUnavailable:
        """Return the error of a server that may do better later."""
        item = self._item("uri", "asset-unavailable", detail)
        return AssetUnavailable(item.detail, errors=[item])

    def _item(self, at: str, code: str, detail: str) -> ErrorItem:
        return ErrorItem(f"{self.pointer}/{at}", code, f"asset {self.id!r}: {detail}")


def remote_assets(payload: Mapping[str, Any]) -> Iterator[RemoteAsset]:
    """Yield the assets of ``payload`` that have to be fetched."""
    for index, asset in enumerate(payload["previewRequest"]["assets"]):
        if "uri" in asset:
            yield RemoteAsset(
                id=asset["id"],
                type=asset["type"],
                uri=asset["uri"],
                pointer=f"/previewRequest/assets/{index}",
                bytes=asset.get("bytes"),
                sha256=asset.get("sha256"),
                mime_type=asset.get("mimeType", ""),
            )
