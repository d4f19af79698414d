from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import falcon
import falcon.inspect
import orjson
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from app.cli.commands.dlq import MAX_REPLAY
from app.dead_letters import SKIP_REASONS
from app.errors import PreviewError
from app.http.artifacts import KIND_PATTERNS, KINDS
from app.http.dead_letter_requests import DEFAULT_REPLAY
from app.http.dead_letters import OVER_LIMIT
from app.http.jobs import DEFAULT_PAGE, MAX_PAGE
from app.http.parameters import CODE_PATTERN
from app.http.paths import OPEN
from app.http.responses import matches_any
from app.ledger import PRIORITIES, STATES, Ledger
from app.stillrequest import FORMATS, MAX_WIDTH, MIN_WIDTH
from app.stills import Stills
from tests.http.conftest import DOCUMENT, Api, bury, resolved
from tests.support.payloads import payload

#: Headers that OpenAPI describes elsewhere: as security schemes, as media types, in the overview.
DECLARED_ELSEWHERE = {
    ("header", name) for name in ("accept", "authorization", "traceparent", "x-mobius-api-key")
}


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


def test_no_answer_to_head_has_a_body() -> None:
    heads = [item["head"] for item in DOCUMENT["paths"].values() if "get" in item]
    answers = [resolved(answer) or {} for head in heads for answer in head["responses"].values()]
    assert len(answers) > len(heads)
    assert not [answer for answer in answers if "content" in answer]


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


def component(name: str) -> dict[str, Any]:
    found: dict[str, Any] = DOCUMENT["components"]["schemas"][name]
    return found


def codes_of(kind: type[PreviewError]) -> set[str]:
    return {kind.code}.union(*map(codes_of, kind.__subclasses__()))


def test_the_document_lists_what_the_code_knows() -> None:
    status = component("JobSummary")["properties"]
    assert status["status"]["enum"] == list(STATES)
    assert status["priority"]["enum"] == list(PRIORITIES)
    assert component("Problem")["properties"]["code"]["examples"] == sorted(codes_of(PreviewError))
    assert set(KINDS) < set(component("Artifact")["properties"]["kind"]["examples"])
    limit = DOCUMENT["components"]["parameters"]["PageSize"]["schema"]
    assert (limit["maximum"], limit["default"]) == (MAX_PAGE, DEFAULT_PAGE)
    parameters = DOCUMENT["components"]["parameters"]
    width = parameters["StillWidth"]["schema"]
    assert (width["minimum"], width["maximum"]) == (MIN_WIDTH, MAX_WIDTH)
    assert parameters["StillFormat"]["schema"]["enum"] == list(FORMATS)
    kind = DOCUMENT["paths"]["/api/preview/job/{job_id}/artifact"]["get"]["parameters"][1]
    listed, *patterns = kind["schema"]["anyOf"]
    assert listed["enum"] == list(KINDS)
    assert [one["pattern"] for one in patterns] == list(KIND_PATTERNS)
    reasons = component("DeadLetterReplay")["properties"]["skipped"]["items"]["properties"]
    assert reasons["reason"]["enum"] == [*SKIP_REASONS, OVER_LIMIT]
    code = component("ReplayRequest")["properties"]["filter"]["properties"]["code"]
    assert code["pattern"] == CODE_PATTERN
    assert f"{DEFAULT_REPLAY} " in component("ReplayRequest")["properties"]["limit"]["description"]
    assert component("ReplayRequest")["properties"]["limit"]["maximum"] == MAX_REPLAY


def test_the_document_and_the_code_read_the_same_parameters_and_headers(
    api: Api, complete: Callable[[], None], ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: set[tuple[str, str]] = set()

    def recording(where: str, method: str) -> None:
        original = getattr(falcon.Request, method)

        def get(request: falcon.Request, name: str, *args: Any, **kwargs: Any) -> Any:
            read.add((where, name.lower()))
            return original(request, name, *args, **kwargs)

        monkeypatch.setattr(falcon.Request, method, get)

    def matching(*args: Any) -> bool:
        read.add(("header", "if-none-match"))  # Falcon reads it in a property
        return matches_any(*args)

    bury(api, ledger, "dead-1")
    assert api.submit(payload("job-1")).status_code == 202
    complete()
    recording("query", "get_param")
    recording("header", "get_header")
    monkeypatch.setattr("app.http.artifacts.matches_any", matching)
    monkeypatch.setattr("app.http.responses.matches_any", matching)
    monkeypatch.setattr("app.http.stills.matches_any", matching)
    monkeypatch.setattr(Stills, "of_job", lambda *_: b"picture")
    for path, item in DOCUMENT["paths"].items():
        if "get" in item:
            job_id = "dead-1" if "dlq" in path else "job-1"
            read.clear()
            query = "at=0" if path.endswith("/still") else ""
            answer = api.simulate_get(path.format(job_id=job_id), query_string=query)
            assert answer.status_code < 500
            declared = {
                (one["in"], one["name"].lower())
                for one in map(resolved, item["get"]["parameters"])
                if one and one["in"] != "path"
            }
            assert declared == read - DECLARED_ELSEWHERE, path


def test_no_reference_leads_out_of_the_document() -> None:
    references = re.findall(r'"\$ref":"([^"]+)"', orjson.dumps(DOCUMENT).decode())
    assert len(references) > 100
    for reference in references:
        assert resolved({"$ref": reference}) is not None
