from __future__ import annotations

from typing import Any

import falcon.testing
import pytest

from app.http.auth import require_keys
from app.settings import Settings, SettingsError
from tests.http.conftest import API_KEY, DOCUMENT, Api, serving

SECURED = [
    (method.upper(), path.replace("{job_id}", "job-1"))
    for path, item in DOCUMENT["paths"].items()
    for method, operation in item.items()
    if operation.get("security") != []
]
OPEN = [
    path for path, item in DOCUMENT["paths"].items() if item.get("get", {}).get("security") == []
]


def without_key(api: Api, method: str, path: str, **headers: str) -> falcon.testing.Result:
    return api.simulate_request(method, path, headers={"Authorization": ""} | headers)


@pytest.mark.parametrize(("method", "path"), SECURED)
def test_every_route_needs_a_key_unless_it_is_declared_open(
    api: Api, method: str, path: str
) -> None:
    result = without_key(api, method, path)
    assert result.status_code == 401
    assert result.headers["www-authenticate"].startswith("Bearer")
    if method != "HEAD":
        assert result.json["code"] == "unauthorized"


@pytest.mark.parametrize("path", OPEN)
def test_probes_and_the_document_are_open(api: Api, path: str) -> None:
    assert without_key(api, "GET", path).status_code != 401


def test_the_open_routes_are_these() -> None:
    assert set(OPEN) == {
        "/api/preview/worker/health",
        "/livez",
        "/readyz",
        "/metrics",
        "/openapi.json",
    }


@pytest.mark.parametrize(
    "path",
    ["//api/preview/jobs", "///api/preview/job/x/status", "/api/preview/jobs/", "/livez/..",
     "//livez", "/api/preview/dlq", "/", "/nothing"],
)  # fmt: skip
def test_another_spelling_of_a_path_opens_nothing(api: Api, path: str) -> None:
    env: dict[str, Any] = falcon.testing.create_environ("/")
    answer = falcon.testing.StartResponseMock()
    b"".join(api.app(env | {"PATH_INFO": path}, answer))
    assert answer.status == "401 Unauthorized"


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {API_KEY}"},
        {"Authorization": f"bearer   {API_KEY} "},
        {"x-mobius-api-key": API_KEY},
        {"Authorization": "Basic dXNlcjpwYXNz", "X-Mobius-Api-Key": API_KEY},
    ],
)
def test_a_known_key_is_accepted_in_either_header(api: Api, headers: dict[str, str]) -> None:
    assert without_key(api, "GET", "/api/preview/jobs", **headers).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": "Bearer "},
        {"Authorization": f"Bearer {API_KEY}x"},
        {"Authorization": API_KEY},
        {"x-mobius-api-key": API_KEY.upper()},
        {"x-mobius-api-key": "\xe9\xff" * 10},
    ],
)
def test_any_other_key_is_refused(api: Api, headers: dict[str, str]) -> None:
    assert without_key(api, "GET", "/api/preview/jobs", **headers).status_code == 401


def test_any_of_several_keys_is_accepted(settings: Settings) -> None:
    keys = "a-first-key-of-two-0001,a-second-key-of-two-02"
    changed = Settings(**settings.model_dump() | {"preview_api_keys": keys})
    with serving(changed) as api:
        for key in keys.split(","):
            headers = {"x-mobius-api-key": key}
            assert without_key(api, "GET", "/api/preview/jobs", **headers).status_code == 200
        assert without_key(api, "GET", "/api/preview/jobs").status_code == 401


def test_development_may_do_without_keys(settings: Settings) -> None:
    with serving(settings) as api:
        assert without_key(api, "GET", "/api/preview/jobs").status_code == 200


@pytest.mark.parametrize("environment", ["production", "staging"])
def test_production_without_keys_refuses_to_start(settings: Settings, environment: str) -> None:
    changed = settings.model_copy(update={"app_env": environment})
    with pytest.raises(SettingsError, match=rf"PREVIEW_API_KEYS is empty.*{environment}"):
        require_keys(changed)
    with pytest.raises(SettingsError), serving(changed):
        pass
