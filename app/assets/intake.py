"""The way of one file in: every limit holds at every piece, not only at the end."""

from __future__ import annotations

import hashlib
import threading
from typing import BinaryIO, Final

from app.assets.remote_asset import RemoteAsset
from app.assets.sniff import SNIFFED_BYTES, media_types
from app.limits import MAX_JOB_BYTES

#: Media types with which servers send files of which they know nothing.
_UNKNOWN_TYPES: Final = ("", "application/octet-stream", "binary/octet-stream")
#: Media types that the files of an asset type may be sent with, by their beginnings.
_SENT_AS: Final = {
    "image": ("image/",),
    "audio": ("audio/", "video/", "application/ogg"),
    "captions": ("text/", "application/x-subrip"),
    "font": ("font/", "application/font-", "application/x-font-", "application/vnd.ms-opentype"),
}


class Budget:
    """Bytes that the files of one job still may have. Threads share it."""

    def __init__(self, left: int = MAX_JOB_BYTES) -> None:
        self._left = left
        self._lock = threading.Lock()

    def take(self, count: int) -> bool:
        """Take ``count`` bytes; False when there are not so many left."""
        with self._lock:
            self._left -= count
            return self._left >= 0


class Intake:
    """Writes one file as it comes, and refuses it as soon as it is wrong.

    Args:
        asset: What it is declared to be.
        file: Where it goes.
        budget: What the job may still fetch.

    Attributes:
        size: Bytes that have come.

    Every method but the constructor raises :class:`app.errors.AssetFailed`.
    """

    def __init__(self, asset: RemoteAsset, file: BinaryIO, budget: Budget) -> None:
        self._asset = asset
        self._file = file
        self._budget = budget
        self._digest = hashlib.sha256()
        self._head = b""
        self._looked_at = False
        self.size = 0

    def announce(self, *, content_type: str, encoding: str, length: int | None) -> None:
        """Look at what the server says of the file before any of it is read.

        Args:
            content_type: Its media type, "" for none.
            encoding: How it is packed. Nothing is unpacked: a small file could become a huge one.
            length: Its bytes, None when the server does not tell.
        """
        if encoding.strip().lower() not in ("", "identity"):
            raise self._asset.failed("asset-encoded", "its server sends it compressed")
        sent_as = _bare(content_type)
        allowed = _SENT_AS.get(self._asset.type, ())
        if sent_as not in _UNKNOWN_TYPES and not sent_as.startswith(allowed):
            detail = f"its server sends {sent_as[:80]!r}, which is no {self._asset.type}"
            raise self._asset.failed("asset-wrong-type", detail)
        if length is not None and length > self._asset.limit:
            raise self._too_large(f"{length} bytes")

    def write(self, chunk: bytes) -> None:
        """Take a piece of the file.

        Raises:
            OSError: The disk is full.
        """
        self.size += len(chunk)
        if self.size > self._asset.limit:
            raise self._too_large("more bytes")
        if not self._budget.take(len(chunk)):
            detail = f"the remote assets of a job may have {MAX_JOB_BYTES} bytes together"
            raise self._asset.failed("asset-too-large", detail)
        self._digest.update(chunk)
        self._file.write(chunk)
        if not self._looked_at:
            self._head += chunk[:SNIFFED_BYTES]
            if len(self._head) >= SNIFFED_BYTES:
                self._look()

    def finish(self) -> str:
        """Check the whole file against its declaration; return its SHA-256."""
        asset = self._asset
        if not self.size:
            raise asset.failed("asset-empty", "the file has 0 bytes")
        if not self._looked_at:
            self._look()
        if asset.bytes is not None and self.size != asset.bytes:
            detail = f"the file has {self.size} bytes, declared are {asset.bytes}"
            raise asset.failed("asset-changed", detail, at="bytes")
        digest = self._digest.hexdigest()
        if asset.sha256 is not None and digest != asset.sha256:
            detail = f"the file has the SHA-256 {digest}, declared is {asset.sha256}"
            raise asset.failed("asset-changed", detail, at="sha256")
        return digest

    def _look(self) -> None:
        """Hold the first bytes against the declared types; what they hide, the decoder judges."""
        self._looked_at = True
        found, declared = media_types(self._head), _bare(self._asset.mime_type)
        is_image = any(name.startswith("image/") for name in found)
        if is_image != (self._asset.type == "image"):
            detail = f"the file is no {self._asset.type} of a known format"
            raise self._asset.failed("asset-wrong-type", detail)
        if declared and found and declared not in found:
            detail = f"the file is {sorted(found)[0]}, declared is {declared[:80]!r}"
            raise self._asset.failed("asset-wrong-type", detail, at="mimeType")

    def _too_large(self, size: str) -> Exception:
        detail = f"the file has {size}, at most {self._asset.limit} are allowed"
        return self._asset.failed("asset-too-large", detail)


def _bare(media_type: str) -> str:
    """Return a media type without its parameters, in lower case."""
    return media_type.partition(";")[0].strip().lower()
