"""The parts that operations of the OpenAPI document are put together from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

import falcon

from app.http.jobs import DEFAULT_PAGE, MAX_PAGE
from app.http.openapi_schemas import ref
from app.http.responses import PROBLEM_JSON

#: Statuses whose problem carries ``Retry-After``, always or when time will help.
_PAUSES: Final = frozenset({409, 429, 503})
#: Answer to a condition that holds.
UNCHANGED: Final = {"description": "The client has it already."}


def operation(
    name: str,
    summary: str,
    responses: Mapping[int, Any],
    *,
    problems: Sequence[int] = (),
    parameters: Sequence[Mapping[str, Any]] = (),
    open_to_all: bool = False,
) -> dict[str, Any]:
    """Describe what one method of a path does.

    Args:
        name: Unique ``operationId``.
        summary: One line for a person.
        responses: Answers by status.
        problems: Statuses answered with a problem, beside 500 and, for keyed routes, 401.
        parameters: Its parameters, beside ``X-Request-ID``.
        open_to_all: It needs no key.
    """
    refusals = problems if open_to_all else [401, *problems]
    answers = {str(status): answer for status, answer in responses.items()}
    answers |= {str(status): _problem(status) for status in [*refusals, 500]}
    described: dict[str, Any] = {
        "operationId": name,
        "summary": summary,
        "parameters": [*parameters, header("X-Request-ID")],
        "responses": dict(sorted(answers.items())),
    }
    return described | ({"security": []} if open_to_all else {})


def with_head(item: Mapping[str, Any]) -> dict[str, Any]:
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


def json_answer(schema: str, description: str, *, headers: Sequence[str] = ()) -> dict[str, Any]:
    """Describe an answer whose body is a component schema."""
    content = {falcon.MEDIA_JSON: {"schema": ref(schema)}}
    answer = {"description": description, "content": content}
    return answer | ({"headers": headers_of(headers)} if headers else {})


def _problem(status: int) -> dict[str, Any]:
    content = {PROBLEM_JSON: {"schema": ref("Problem")}}
    answer = {"description": HTTPStatus(status).phrase, "content": content}
    return answer | ({"headers": headers_of(["Retry-After"])} if status in _PAUSES else {})


def headers_of(names: Sequence[str]) -> dict[str, Any]:
    """Describe headers of an answer."""
    return {name: {"schema": {"type": "string"}} for name in names}


def header(name: str) -> dict[str, Any]:
    """Describe a header of a request."""
    return {"name": name, "in": "header", "schema": {"type": "string"}}


def paging() -> list[dict[str, Any]]:
    """Describe the parameters of every listing."""
    size = {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": DEFAULT_PAGE}
    return [
        parameter("cursor", "query", {"type": "string"}, "nextCursor of a page."),
        parameter("limit", "query", size, "Jobs on the page."),
    ]


def parameter(
    name: str, place: str, schema: Mapping[str, Any], description: str, *, required: bool = False
) -> dict[str, Any]:
    """Describe a parameter in ``path`` or ``query``."""
    return {
        "name": name,
        "in": place,
        "schema": schema,
        "description": description,
        "required": required,
    }
