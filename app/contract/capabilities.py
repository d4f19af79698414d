"""Features that the contract accepts and this version does not render.

A job that uses one is refused by name; a dry run gets a warning. None is ignored silently.
When a feature is built, remove it here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from app.contract.captions import caption_assets, caption_wishes
from app.contract.pointer import pointer
from app.contract.remote import AddressRefused, RemoteAssets
from app.contract.semantics import film_language
from app.errors import ErrorItem

#: File name extensions of compressed web fonts.
_WEB_FONTS: Final = (".woff", ".woff2")

JsonObject = dict[str, Any]
Path = tuple[str | int, ...]


def unsupported_features(
    payload: JsonObject, *, remote: RemoteAssets | None = None
) -> Iterator[ErrorItem]:
    """Yield an item with code ``unsupported-feature`` for each feature that is not rendered.

    Args:
        payload: A payload that the schema has accepted.
        remote: Where assets by ``uri`` may come from, by default nowhere. Other addresses yield
            the code ``asset-blocked``.
    """
    remote = remote or RemoteAssets()
    request, path = payload["previewRequest"], ("previewRequest",)
    for index, asset in enumerate(request["assets"]):
        yield from _asset(asset, (*path, "assets", index), remote)
    yield from _captions(request, path)


def _item(path: Path, feature: str, remedy: str) -> ErrorItem:
    detail = f"{feature} is not supported by this version; {remedy}."
    return ErrorItem(pointer(*path), "unsupported-feature", detail)


def _asset(asset: JsonObject, path: Path, remote: RemoteAssets) -> Iterator[ErrorItem]:
    where = "path" if "path" in asset else "uri"
    name = str(asset[where]).partition("?")[0].lower()
    if asset["type"] == "font" and name.endswith(_WEB_FONTS):
        yield _item((*path, where), "A font in WOFF format", "use TTF or OTF")
    if "uri" not in asset:
        return
    if not remote.enabled(asset["uri"]):
        yield _item((*path, "uri"), "An asset by uri", "copy the file and set path instead")
        return
    try:
        remote.parse(asset["uri"])
    except AddressRefused as refused:
        yield ErrorItem(
            pointer(*path, "uri"), "asset-blocked", f"The asset may not be read: {refused}."
        )


def _captions(request: JsonObject, path: Path) -> Iterator[ErrorItem]:
    """Check that each additional caption language has one file, and each file such a language."""
    wishes, files = caption_wishes(request), caption_assets(request)
    for index, asset in enumerate(request["assets"]):
        language, here = _language(asset), (*path, "assets", index, "language")
        if asset["type"] != "captions" or (language in wishes and files[language] == index):
            continue
        if not language:
            yield _item(here, "A caption file without a language", "set its language")
        elif language in wishes:
            yield _item(here, f"A second caption file in {language}", "keep one")
        else:
            is_films = language == film_language(request)
            own = "remove it: the captions in the film's language are generated"
            remedy = own if is_films else "add the language to captionLanguages, or remove the file"
            yield _item(here, f"A caption file in {language}", remedy)
    for language, index in wishes.items():
        if language not in files:
            here = (*path, "options", "captionLanguages", index)
            remedy = "add an asset of type captions in that language, or remove the language"
            yield _item(here, f"A caption track in {language} without a file", remedy)


def _language(asset: JsonObject) -> str:
    return str(asset.get("language", "")).lower()
