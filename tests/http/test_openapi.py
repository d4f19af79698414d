from __future__ import annotations

import falcon.inspect
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.http.paths import OPEN
from tests.http.conftest import DOCUMENT, Api
from tests.support.payloads import payload


def test_the_document_is_valid() -> None:
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_the_document_and_the_routes_say_the_same(api: Api) -> None:
    routed = {
        (method.method, route.path)
        for route in falcon.inspect.inspect_routes(api.app)
        for method in route.methods
        if not method.internal  # Falcon answers OPTIONS and 405 by itself
    }
    declared = {
        (method.upper(), path) for path, item in DOCUMENT["paths"].items() for method in item
    }
    assert routed == declared


def test_the_document_is_served(api: Api) -> None:
    assert api.simulate_get("/openapi.json").json == DOCUMENT


def test_every_operation_has_its_own_name() -> None:
    names = [
        operation["operationId"]
        for item in DOCUMENT["paths"].values()
        for operation in item.values()
    ]
    assert len(names) == len(set(names))


def test_the_open_routes_are_those_that_ask_for_no_key() -> None:
    declared = {
        path
        for path, item in DOCUMENT["paths"].items()
        if all(operation.get("security") == [] for operation in item.values())
    }
    assert declared == OPEN


def test_the_contract_of_a_payload_is_in_the_document(api: Api) -> None:
    schemas = DOCUMENT["components"]["schemas"]
    assert schemas["PreviewJob"]["properties"]["jobId"]["$ref"] == (
        "#/components/schemas/PreviewJob.id"
    )
    assert "$defs" not in str(schemas)


def test_an_answer_that_nobody_declared_fails_these_tests(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(DOCUMENT["paths"]["/api/preview/job"]["post"]["responses"], "202")
    with pytest.raises(AssertionError, match="does not declare 202"):
        api.submit(payload())
