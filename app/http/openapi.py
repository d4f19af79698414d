"""``GET /openapi.json``: the file ``schemas/openapi.json``, bundled with the schema of payloads.

The file is written by hand. :func:`openapi_document` adds what follows from the rest: the schemas
of ``preview-job.schema.json`` as components, a HEAD operation for each GET, and the version.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any, Final

import falcon
import orjson

from app import __version__
from app.contract import RequestSchema, read_schema

#: File names of the document and of the schema that it refers to.
_DOCUMENT: Final = "openapi.json"
_CONTRACT: Final = "preview-job.schema.json"
#: Component that holds the schema of payloads; its definitions become ``PreviewJob.<name>``.
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
    shared = document["components"]["responses"]
    for item in document["paths"].values():
        if "get" in item:
            item["head"] = _head(item["get"], shared)
    schemas = document["components"]["schemas"]
    definitions = contract.pop("$defs")
    schemas[_PAYLOAD] = {
        key: value for key, value in contract.items() if key not in ("$schema", "$id")
    }
    schemas |= {f"{_PAYLOAD}.{name}": value for name, value in definitions.items()}
    return document


def request_schema(name: str) -> RequestSchema:
    """Return the component ``name`` as a schema that validates request bodies."""
    definitions = read_schema(_CONTRACT)["$defs"]

    def inline(reference: str) -> Mapping[str, Any]:
        definition: Mapping[str, Any] = definitions[reference.rpartition("/")[2]]
        return definition

    component = read_schema(_DOCUMENT)["components"]["schemas"][name]
    return RequestSchema(_with_references(component, inline))


def _with_references(node: Any, replace: Callable[[str], Mapping[str, Any]]) -> Any:
    """Return a copy of ``node``; the members that ``replace`` returns replace each ``$ref``."""
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
    """Return the reference of the bundled document for a reference in one of the two files."""
    name = reference.removeprefix(_CONTRACT).removeprefix("#/$defs/")
    if reference.startswith("#/components/"):
        return {"$ref": reference}
    return {"$ref": f"#/components/schemas/{_PAYLOAD}" + (f".{name}" if name else "")}


def _head(get: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    """Return the HEAD operation that belongs to a GET: the same responses without bodies."""
    responses = {}
    for status, response in get["responses"].items():
        if status not in ("206", "416"):  # only GET supports ranges (RFC 9110, 14.2)
            whole = shared[response["$ref"].rpartition("/")[2]] if "$ref" in response else response
            responses[status] = {key: value for key, value in whole.items() if key != "content"}
    return {**get, "operationId": f"{get['operationId']}Head", "responses": responses}
