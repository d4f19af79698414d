"""Assets: from the payload's relative paths to files that the job may read."""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final

from app.errors import AssetBlocked, AssetFailed, ErrorItem
from app.limits import MAX_ASSET_BYTES, MAX_JOB_BYTES
from app.render.opening import NotRegularRefused, OutsideRefused, open_below

#: What a system says of a path that leads to nothing.
_NOT_THERE: Final = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
#: Bytes that are read at once.
_PART: Final = 1 << 20


def resolve_assets(
    payload: Mapping[str, Any],
    *,
    asset_dir: Path,
    fetched: Mapping[str, Path] | None = None,
    into: Path | None = None,
) -> dict[str, Path]:
    """Return the file of every asset of ``payload``.

    Args:
        payload: A preview job that fulfils the contract.
        asset_dir: The project's own directory; nothing outside it is read, and no symbolic
            link is followed.
        fetched: Files of remote assets by their ids; nothing is fetched here.
        into: Directory for copies of the project's files, created if needed. What was checked is
            then what is read later, whatever happens to the project's files meanwhile. Without
            it the paths lead to the project's files.

    Raises:
        AssetBlocked: An asset lies outside ``asset_dir``, or is remote and was not fetched.
        AssetFailed: A file is absent, not a regular file, too large, or not the one declared.
        OSError: A copy cannot be written.
    """
    intake = _Intake(asset_dir, fetched or {}, into)
    found: dict[str, Path] = {}
    blocked: list[ErrorItem] = []
    failed: list[ErrorItem] = []
    for index, asset in enumerate(payload["previewRequest"]["assets"]):
        try:
            found[asset["id"]] = intake.take(asset, f"/previewRequest/assets/{index}")
        except AssetBlocked as error:
            blocked.extend(error.errors)
        except AssetFailed as error:
            failed.extend(error.errors)
    if blocked:
        raise AssetBlocked(blocked[0].detail, errors=[*blocked, *failed])
    if failed:
        raise AssetFailed(failed[0].detail, errors=failed)
    return found


def missing_assets(payload: Mapping[str, Any], asset_dir: Path) -> list[dict[str, str]]:
    """Return the assets by path that a render would refuse, without decoding any.

    What is compared: presence, size, and the checksum where one is declared.
    """
    local = [asset for asset in payload["previewRequest"]["assets"] if "path" in asset]
    try:
        resolve_assets({"previewRequest": {"assets": local}}, asset_dir=asset_dir)
    except (AssetBlocked, AssetFailed) as error:
        return [
            {
                "assetId": local[int(item.pointer.split("/")[3])]["id"],
                "code": item.code,
                "detail": item.detail,
            }
            for item in error.errors
        ]
    return []


def unread_assets(payload: Mapping[str, Any]) -> dict[str, Path]:
    """Return a name for the file of every asset, for work that opens none of them."""
    assets = payload["previewRequest"]["assets"]
    return {asset["id"]: Path(asset.get("path", asset["id"])) for asset in assets}


@dataclass(frozen=True, slots=True)
class _Taken:
    """A file that was read: where it is now, its bytes, and its SHA-256 if that was asked for."""

    path: Path
    size: int
    sha256: str


class _Intake:
    """Opens, checks and copies the files of one job, each of them once."""

    def __init__(self, root: Path, fetched: Mapping[str, Path], into: Path | None) -> None:
        self._root, self._fetched, self._into = root, fetched, into
        #: Files of the project by device and inode: a job may name one many times.
        self._taken: dict[tuple[int, int, bool], _Taken] = {}
        self._left = MAX_JOB_BYTES

    def take(self, asset: Mapping[str, Any], pointer: str) -> Path:
        """Return the file of ``asset``; raise what :func:`resolve_assets` collects."""
        name = f"asset {asset['id']!r}"
        is_local = "path" in asset
        where = f"{pointer}/{'path' if is_local else 'uri'}"
        if not is_local and asset["id"] not in self._fetched:
            detail = f"{name}: it was not fetched; give a path in the project's directory"
            raise _blocked(where, "asset-remote", detail)
        shown = f"{name} ({asset['path']!r})" if is_local else name
        with self._opened(asset, shown, where) as file:
            taken = self._read(asset, file, shown, where)
        if taken.size != asset.get("bytes", taken.size):
            detail = f"{shown} has {taken.size} bytes, declared are {asset['bytes']}"
            raise _failed(f"{pointer}/bytes", "asset-changed", detail)
        if taken.sha256 != asset.get("sha256", taken.sha256):
            detail = f"{shown} has the SHA-256 {taken.sha256}, declared is {asset['sha256']}"
            raise _failed(f"{pointer}/sha256", "asset-changed", detail)
        return taken.path

    def _opened(self, asset: Mapping[str, Any], shown: str, where: str) -> BinaryIO:
        try:
            if "path" in asset:
                return open_below(self._root, asset["path"])
            return self._fetched[asset["id"]].open("rb")
        except OutsideRefused:
            detail = f"{shown} lies outside the project's directory, or is a symbolic link"
            raise _blocked(where, "asset-outside", detail) from None
        except NotRegularRefused:
            raise _failed(where, "asset-not-a-file", f"{shown} is not a regular file") from None
        except OSError as error:
            if error.errno in _NOT_THERE:
                raise _failed(
                    where, "asset-absent", f"{shown} does not exist in the project's directory"
                ) from None
            raise _failed(where, "asset-unreadable", f"{shown} cannot be read") from None

    def _read(self, asset: Mapping[str, Any], file: BinaryIO, shown: str, where: str) -> _Taken:
        """Return a file after a check of its size. Hash it, and copy it if asked."""
        status = os.fstat(file.fileno())
        copied = "path" in asset and self._into is not None
        hashed = copied or "sha256" in asset
        key = (status.st_dev, status.st_ino, hashed)
        limit = min(asset.get("bytes", MAX_ASSET_BYTES), MAX_ASSET_BYTES)
        known = self._taken.get(key)
        size = known.size if known else status.st_size
        if size > limit:
            detail = f"{shown} has {size} bytes, at most {limit} are allowed"
            raise _failed(where, "asset-too-large", detail)
        if known:
            return known
        path = self._root / asset["path"] if "path" in asset else self._fetched[asset["id"]]
        if copied and self._into is not None:
            self._into.mkdir(parents=True, exist_ok=True)
            path = self._into / str(len(self._taken))
        sha256 = ""
        if hashed:
            with path.open("xb") if copied else nullcontext() as copy:
                size, sha256 = self._hashed(file, copy, min(limit, self._left), shown, where)
        if copied:
            self._left -= size
        self._taken[key] = _Taken(path, size, sha256)
        return self._taken[key]

    def _hashed(
        self, file: BinaryIO, copy: BinaryIO | None, limit: int, shown: str, where: str
    ) -> tuple[int, str]:
        """Return size and SHA-256 of ``file``, and write the same bytes to ``copy``."""
        digest, size = hashlib.sha256(), 0
        while True:
            try:
                part = file.read(_PART)
            except OSError:
                raise _failed(where, "asset-unreadable", f"{shown} cannot be read") from None
            if not part:
                return size, digest.hexdigest()
            size += len(part)
            if size > limit:
                detail = (
                    f"{shown} has more than {limit} bytes; a file may have {MAX_ASSET_BYTES}, all"
                    f" files of a job {MAX_JOB_BYTES}"
                )
                raise _failed(where, "asset-too-large", detail)
            digest.update(part)
            if copy:
                copy.write(part)


def _blocked(pointer: str, code: str, detail: str) -> AssetBlocked:
    return AssetBlocked(detail, errors=[ErrorItem(pointer, code, detail)])


def _failed(pointer: str, code: str, detail: str) -> AssetFailed:
    return AssetFailed(detail, errors=[ErrorItem(pointer, code, detail)])
