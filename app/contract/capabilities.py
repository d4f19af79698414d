"""What the contract accepts and this version does not render.

Each such wish is refused by name, or told as a warning of a dry run: it is
never silently ignored. A feature that is built is deleted from here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from app.contract.captions import caption_assets, caption_wishes
from app.contract.pointer import pointer
from app.contract.remote import AddressRefused, RemoteAssets
from app.errors import ErrorItem

#: Names of fonts that are packed for the web end so.
_WEB_FONTS: Final = (".woff", ".woff2")

JsonObject = dict[str, Any]
Path = tuple[str | int, ...]


def unsupported_features(
    payload: JsonObject, *, remote: RemoteAssets | None = None
) -> Iterator[ErrorItem]:
    """Yield one item, code ``unsupported-feature``, for each wish that is not rendered.

    Args:
        payload: A payload that the schema has accepted.
        remote: Where assets by ``uri`` may come from; by default from nowhere. An address
            from elsewhere has the code ``asset-blocked``.
    """
    remote = remote or RemoteAssets()
    request, path = payload["previewRequest"], ("previewRequest",)
    for index, asset in enumerate(request["assets"]):
        yield from _asset(asset, (*path, "assets", index), remote)
    yield from _captions(request, path)


def _item(path: Path, feature: str, remedy: str) -> ErrorItem:
    detail = f"{feature} is not rendered by this version; {remedy}."
    return ErrorItem(pointer(*path), "unsupported-feature", detail)


def _asset(asset: JsonObject, path: Path, remote: RemoteAssets) -> Iterator[ErrorItem]:
    where = "path" if "path" in asset else "uri"
    name = str(asset[where]).partition("?")[0].lower()
    if asset["type"] == "font" and name.endswith(_WEB_FONTS):
        yield _item((*path, where), "A font in WOFF", "give it as TTF or OTF")
    if "uri" not in asset:
        return
    if not remote.enabled(asset["uri"]):
        yield _item((*path, "uri"), "An asset by uri", "copy the file and give its path")
        return
    try:
        remote.parse(asset["uri"])
    except AddressRefused as refused:
        yield ErrorItem(pointer(*path, "uri"), "asset-blocked", f"It may not be read: {refused}.")


def _captions(request: JsonObject, path: Path) -> Iterator[ErrorItem]:
    """Each language beside the film's has one file, and each file one of those languages."""
    wishes, files = caption_wishes(request), caption_assets(request)
    for index, asset in enumerate(request["assets"]):
        language, here = _language(asset), (*path, "assets", index, "language")
        if asset["type"] != "captions" or (language in wishes and files[language] == index):
            continue
        if not language:
            yield _item(here, "A caption file without a language", "give its language")
        elif language in wishes:
            yield _item(here, f"A second caption file in {language}", "keep one")
        else:
            remedy = "name another than the film's in captionLanguages, or leave the file out"
            yield _item(here, f"A caption file in {language}", remedy)
    for language, index in wishes.items():
        if language not in files:
            here = (*path, "options", "captionLanguages", index)
            remedy = "add an asset of type captions in that language, or leave it out"
            yield _item(here, f"A caption in {language} without a file", remedy)


def _language(asset: JsonObject) -> str:
    return str(asset.get("language", "")).lower()
