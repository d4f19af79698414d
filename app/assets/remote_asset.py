"""A remote asset of a job: its declaration, and errors that point to it."""

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
        pointer: JSON pointer to the entry in the payload.
        bytes: Declared size, if any.
        sha256: Declared digest, if any.
        mime_type: Declared media type, "" for none.
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
        """Largest allowed size of the file, in bytes."""
        return MAX_ASSET_BYTES if self.bytes is None else min(self.bytes, MAX_ASSET_BYTES)

    def blocked(self, code: str, detail: str) -> AssetBlocked:
        """Return an error for an address that may not be read."""
        item = self._item("uri", code, detail)
        return AssetBlocked(item.detail, errors=[item])

    def failed(self, code: str, detail: str, *, at: str = "uri") -> AssetFailed:
        """Return an error for a file that is missing or not as declared."""
        item = self._item(at, code, detail)
        return AssetFailed(item.detail, errors=[item])

    def unavailable(self, detail: str) -> AssetUnavailable:
        """Return an error for a server that fails temporarily."""
        item = self._item("uri", "asset-unavailable", detail)
        return AssetUnavailable(item.detail, errors=[item])

    def _item(self, at: str, code: str, detail: str) -> ErrorItem:
        return ErrorItem(f"{self.pointer}/{at}", code, f"asset {self.id!r}: {detail}")


def remote_assets(payload: Mapping[str, Any]) -> Iterator[RemoteAsset]:
    """Yield the remote assets of ``payload``."""
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
