"""Receives one file, and checks every limit with every chunk, not only at the end."""

from __future__ import annotations

import hashlib
import threading
from typing import BinaryIO, Final

from app.assets.remote_asset import RemoteAsset
from app.assets.sniff import SNIFFED_BYTES, media_types
from app.limits import MAX_JOB_BYTES

#: Media types of files whose type the server does not know.
_UNKNOWN_TYPES: Final = ("", "application/octet-stream", "binary/octet-stream")
#: Prefixes of the media types accepted for each asset type.
_SENT_AS: Final = {
    "image": ("image/",),
    "audio": ("audio/", "video/", "application/ogg"),
    "captions": ("text/", "application/x-subrip"),
    "font": ("font/", "application/font-", "application/x-font-", "application/vnd.ms-opentype"),
}


class Budget:
    """Bytes that the files of a job may still have. Thread-safe."""

    def __init__(self, left: int = MAX_JOB_BYTES) -> None:
        self._left = left
        self._lock = threading.Lock()

    def take(self, count: int) -> bool:
        """Take ``count`` bytes; return False if fewer are left."""
        with self._lock:
            self._left -= count
            return self._left >= 0


class Intake:
    """Writes a file as it arrives, and refuses it as soon as it violates its declaration.

    Args:
        asset: The declaration of the asset.
        file: Receives the content.
        budget: Bytes that the job may still fetch.

    Attributes:
        size: Number of bytes received.

    Every method except the constructor raises :class:`app.errors.AssetFailed`.
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
        """Check the server's headers before reading the file.

        Args:
            content_type: Its media type, "" for none.
            encoding: Its content encoding. Compressed files are refused, because a small one can
                expand to a huge one.
            length: Its size in bytes, None if the server does not say.
        """
        if encoding.strip().lower() not in ("", "identity"):
            raise self._asset.failed("asset-encoded", "its server sends it compressed")
        sent_as = _bare(content_type)
        allowed = _SENT_AS.get(self._asset.type, ())
        if sent_as not in _UNKNOWN_TYPES and not sent_as.startswith(allowed):
            detail = f"its server sends {sent_as[:80]!r}, which is not a type of {self._asset.type}"
            raise self._asset.failed("asset-wrong-type", detail)
        if length is not None and length > self._asset.limit:
            raise self._too_large()

    def write(self, chunk: bytes) -> None:
        """Write a chunk of the file.

        Raises:
            OSError: The disk is full.
        """
        self.size += len(chunk)
        if self.size > self._asset.limit:
            raise self._too_large()
        if not self._budget.take(len(chunk)):
            detail = f"the remote assets of a job must not exceed {MAX_JOB_BYTES} bytes in total"
            raise self._asset.failed("asset-too-large", detail)
        self._digest.update(chunk)
        self._file.write(chunk)
        if not self._looked_at:
            self._head += chunk[:SNIFFED_BYTES]
            if len(self._head) >= SNIFFED_BYTES:
                self._look()

    def finish(self) -> str:
        """Check the complete file against its declaration; return its SHA-256."""
        asset = self._asset
        if not self.size:
            raise asset.failed("asset-empty", "the file is empty")
        if not self._looked_at:
            self._look()
        if asset.bytes is not None and self.size != asset.bytes:
            detail = f"the file has {self.size} bytes, but {asset.bytes} are declared"
            raise asset.failed("asset-changed", detail, at="bytes")
        digest = self._digest.hexdigest()
        if asset.sha256 is not None and digest != asset.sha256:
            detail = f"the file has the SHA-256 {digest}, but {asset.sha256} is declared"
            raise asset.failed("asset-changed", detail, at="sha256")
        return digest

    def _look(self) -> None:
        """Compare the first bytes with the declared types. The decoder checks the rest."""
        self._looked_at = True
        found, declared = media_types(self._head), _bare(self._asset.mime_type)
        is_image = any(name.startswith("image/") for name in found)
        if is_image != (self._asset.type == "image"):
            detail = f"the file is not a known format of type {self._asset.type}"
            raise self._asset.failed("asset-wrong-type", detail)
        if declared and found and declared not in found:
            detail = f"the file is {sorted(found)[0]}, but {declared[:80]!r} is declared"
            raise self._asset.failed("asset-wrong-type", detail, at="mimeType")

    def _too_large(self) -> Exception:
        detail = f"the file is too large; the limit is {self._asset.limit} bytes"
        return self._asset.failed("asset-too-large", detail)


def _bare(media_type: str) -> str:
    """Return a media type without its parameters, in lower case."""
    return media_type.partition(";")[0].strip().lower()
