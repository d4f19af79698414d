"""``GET /openapi.json``: the document ``schemas/openapi.json``, bundled with the contract's schema.

The document is written by hand. Its references to ``preview-job.schema.json`` become references to
components, every GET gets its HEAD, and the version is that of the product.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, Final

import falcon
import orjson

from app import __version__
from app.contract import RequestSchema, read_schema

#: File names of the document and of the contract, as the one refers to the other.
_DOCUMENT: Final = "openapi.json"
_CONTRACT: Final = "preview-job.schema.json"
#: Name of the payload's component; those of the contract's definitions are ``PreviewJob.<name>``.
_PAYLOAD: Final = "PreviewJob"


class OpenApi:
    """Serves the document, which is built once per process."""

    def on_get(self, _req: falcon.Request, resp: falcon.Response) -> None:
        """Send the document."""
        resp.content_type = falcon.MEDIA_JSON
        resp.data = _encoded()

    on_head = on_get


@functools.cache
def _encoded() -> bytes:
    return orjson.dumps(openapi_document())


def openapi_document() -> dict[str, Any]:
    """Return the OpenAPI 3.1 document of the API; it refers to no other file."""
    document: dict[str, Any] = _with_references(read_schema(_DOCUMENT), _to_component)
    contract: dict[str, Any] = _with_references(read_schema(_CONTRACT), _to_component)
    document["info"]["version"] = __version__
    document["paths"] = {path: _with_head(item) for path, item in document["paths"].items()}
    schemas = document["components"]["schemas"]
    definitions = contract.pop("$defs")
    schemas[_PAYLOAD] = {
        key: value for key, value in contract.items() if key not in ("$schema", "$id")
    }
    schemas |= {f"{_PAYLOAD}.{name}": value for name, value in definitions.items()}
    return document


def request_schema(name: str) -> RequestSchema:
    """Return the component schema ``name`` to validate bodies by."""
    definitions = read_schema(_CONTRACT)["$defs"]

    def inline(reference: str) -> Mapping[str, Any]:
        definition: Mapping[str, Any] = definitions[reference.rpartition("/")[2]]
        return definition

    component = read_schema(_DOCUMENT)["components"]["schemas"][name]
    return RequestSchema(_with_references(component, inline))


def _with_references(node: Any, replace: Callable[[str], Mapping[str, Any]]) -> Any:
    """Return a copy of ``node`` in which ``replace`` gives the members for each reference."""
    if isinstance(node, list):
        return [_with_references(item, replace) for item in node]
    if not isinstance(node, dict):
        return node
    rest = {key: _with_references(value, replace) for key, value in node.items()}
    reference = rest.get("$ref")
    if not isinstance(reference, str):
        return rest
    del rest["$ref"]
    return {**replace(reference), **rest}


def _to_component(reference: str) -> dict[str, str]:
    """Return a reference into the bundled document for one between the two files."""
    name = reference.removeprefix(_CONTRACT).removeprefix("#/$defs/")
    if reference.startswith("#/components/"):
        return {"$ref": reference}
    return {"$ref": f"#/components/schemas/{_PAYLOAD}" + (f".{name}" if name else "")}


def _with_head(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return a path's operations with the HEAD that goes with its GET."""
    if "get" not in item:
        return dict(item)
    get = item["get"]
    answers = {
        status: {key: value for key, value in answer.items() if key != "content"}
        for status, answer in get["responses"].items()
        if status not in ("206", "416")  # ranges have a meaning for GET alone
    }
    head = {**get, "operationId": f"{get['operationId']}Head", "responses": answers}
    return {**item, "head": head}
