"""Assets: from the payload's relative paths to files that the job may read."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from app.errors import AssetBlocked, AssetFailed, ErrorItem
from app.limits import MAX_ASSET_BYTES


def resolve_assets(
    payload: Mapping[str, Any], *, asset_dir: Path, fetched: Mapping[str, Path] | None = None
) -> dict[str, Path]:
    """Return the file of every asset of ``payload``.

    Args:
        payload: A preview job that fulfils the contract.
        asset_dir: The project's own directory; nothing outside it is read,
            not even through a symbolic link.
        fetched: Files of remote assets by their ids; nothing is fetched here.

    Raises:
        AssetBlocked: An asset lies outside ``asset_dir``, or is remote and was not fetched.
        AssetFailed: A file is absent, no regular file, too large, or not the one declared.
    """
    root = asset_dir.resolve()
    found: dict[str, Path] = {}
    blocked: list[ErrorItem] = []
    failed: list[ErrorItem] = []
    for index, asset in enumerate(payload["previewRequest"]["assets"]):
        pointer = f"/previewRequest/assets/{index}"
        try:
            found[asset["id"]] = _resolve(asset, root, pointer, fetched or {})
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


def _resolve(
    asset: Mapping[str, Any], root: Path, pointer: str, fetched: Mapping[str, Path]
) -> Path:
    name = f"asset {asset['id']!r}"
    if "path" not in asset:
        if asset["id"] not in fetched:
            detail = f"{name}: it was not fetched; give a path in the project's directory"
            raise _blocked(f"{pointer}/uri", "asset-remote", detail)
        path = fetched[asset["id"]]
        _check_content(asset, path, name, f"{pointer}/uri", pointer)
        return path
    shown = f"{name} ({asset['path']!r})"
    pointer_path = f"{pointer}/path"
    try:
        # Not strict: where a dangling link points to is nobody's business, it is outside.
        path = (root / str(asset["path"])).resolve()
        exists, regular = path.exists(), path.is_file()
    except (OSError, RuntimeError):  # a name too long, a loop of links
        exists, regular, path = False, False, root
    if not path.is_relative_to(root):
        detail = f"{shown} lies outside the project's directory"
        raise _blocked(pointer_path, "asset-outside", detail)
    if not exists:
        raise _failed(pointer_path, "asset-absent", f"{shown} does not exist")
    if not regular:
        raise _failed(pointer_path, "asset-not-a-file", f"{shown} is not a regular file")
    _check_content(asset, path, shown, pointer_path, pointer)
    return path


def _check_content(
    asset: Mapping[str, Any], path: Path, shown: str, where: str, pointer: str
) -> None:
    limit = min(asset.get("bytes", MAX_ASSET_BYTES), MAX_ASSET_BYTES)
    try:
        size = path.stat().st_size
        if size > limit:
            detail = f"{shown} has {size} bytes, at most {limit} are allowed"
            raise _failed(where, "asset-too-large", detail)
        if size != asset.get("bytes", size):
            detail = f"{shown} has {size} bytes, declared are {asset['bytes']}"
            raise _failed(f"{pointer}/bytes", "asset-changed", detail)
        if "sha256" in asset:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest != asset["sha256"]:
                detail = f"{shown} has the SHA-256 {digest}, declared is {asset['sha256']}"
                raise _failed(f"{pointer}/sha256", "asset-changed", detail)
    except OSError:
        detail = f"{shown} cannot be read"
        raise _failed(where, "asset-unreadable", detail) from None


def _blocked(pointer: str, code: str, detail: str) -> AssetBlocked:
    return AssetBlocked(detail, errors=[ErrorItem(pointer, code, detail)])


def _failed(pointer: str, code: str, detail: str) -> AssetFailed:
    return AssetFailed(detail, errors=[ErrorItem(pointer, code, detail)])
