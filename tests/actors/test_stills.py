"""Stills through the API: a real queue, a worker's slot, and the limited child process."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import falcon.testing
import pytest
from dramatiq import Worker
from dramatiq.brokers.stub import StubBroker
from PIL import Image

from app.actors import draw_stills
from app.actors.draw_stills import StillPainter
from app.assets import AssetCache, AssetFetcher
from app.broker import Slots
from app.contract import RemoteAssets
from app.ledger import Ledger, StillQueue
from app.metrics import STILL_OUTCOMES
from app.middleware import Shutdown, StillSlot
from app.settings import Settings
from tests.conftest import wait_until
from tests.http.conftest import Api, complete, serving, store
from tests.render.films import write_png
from tests.support.payloads import payload

__all__ = ["complete", "store"]  # fixtures
TARGETS = "tests.render.targets"


@pytest.fixture
def api(settings: Settings) -> Iterator[Api]:
    with serving(settings) as api:
        yield api


@contextmanager
def painting(settings: Settings, ledger: Ledger, **changes: Any) -> Iterator[Shutdown]:
    """A worker's slot for stills; :class:`Shutdown` says when it is to give up."""
    shutdown = Shutdown(Slots(limits={}, threads=1), grace_seconds=0.0)
    cache = AssetCache(settings.asset_cache, max_bytes=10**6)
    fetcher = AssetFetcher(RemoteAssets.of(settings), cache)
    slot = StillSlot(StillPainter(ledger.stills, settings, fetcher, shutdown, **changes))
    broker = StubBroker(middleware=[])
    worker = Worker(broker)
    slot.after_worker_boot(broker, worker)
    wait_until(lambda: ledger.stills._client.get(ledger.keys["stills:slot"]), "the slot is there")
    try:
        yield shutdown
    finally:
        slot.before_worker_shutdown(broker, worker)
        slot.after_worker_shutdown(broker, worker)


@pytest.fixture
def slot(settings: Settings, ledger: Ledger) -> Iterator[Shutdown]:
    with painting(settings, ledger) as shutdown:
        yield shutdown


def draw(api: Api, document: Any, query: str = "at=0") -> falcon.testing.Result:
    return api.simulate_post("/api/preview/still", json=document, query_string=query)


def picture(result: falcon.testing.Result) -> Image.Image:
    assert result.status_code == 200, result.text
    return Image.open(io.BytesIO(result.content))


def counted(api: Api) -> dict[str, int]:
    """The stills that ``/metrics`` has counted, by outcome."""
    text = api.simulate_get("/metrics").text
    found = re.findall(r'preview_stills_total\{outcome="([a-z-]+)".*\} ([0-9.]+)', text)
    assert [outcome for outcome, _ in found] == list(STILL_OUTCOMES)
    return {outcome: int(float(count)) for outcome, count in found if float(count)}


def test_a_still_of_a_payload_is_drawn_and_nothing_else_happens(
    api: Api, slot: Shutdown, settings: Settings, ledger: Ledger
) -> None:
    assets = settings.asset_root / "project-1"
    assets.mkdir(parents=True)
    write_png(assets / "board.png")
    document = payload()
    request = document["previewRequest"]
    request["assets"] = [{"id": "b", "type": "image", "path": "board.png", "alt": "A board"}]
    request["steps"][0]["background"] = {"assetId": "b"}
    result = draw(api, document, "at=0.5&width=80")
    drawn = picture(result)
    assert (drawn.format, drawn.size) == ("JPEG", (80, 45))
    assert result.headers["etag"] == f'"{hashlib.sha256(result.content).hexdigest()}"'
    assert result.headers["cache-control"] == "private, no-cache"
    assert picture(draw(api, document, "step=one&format=png")).format == "PNG"
    assert picture(draw(api, {**document, "dryRun": True}, "step=one&format=webp")).format == "WEBP"
    assert ledger.stats().total == 0
    assert list(settings.work_root.iterdir()) == []
    assert counted(api) == {"drawn": 3}


def test_a_still_of_a_job_is_that_of_its_payload_until_the_job_has_completed(
    api: Api, slot: Shutdown, ledger: Ledger, complete: Callable[[], None]
) -> None:
    path = "/api/preview/job/job-1/still"
    assert api.simulate_get(path, query_string="at=0").status_code == 404
    assert api.submit(payload()).status_code == 202
    result = api.simulate_get(path, query_string="at=0")
    assert result.content == draw(api, payload()).content
    head = api.simulate_head(path, query_string="at=0")
    assert (head.status_code, head.content) == (200, b"")
    known = {"If-None-Match": result.headers["etag"]}
    again = api.simulate_get(path, query_string="at=0", headers=known)
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == result.headers["etag"]
    assert api.simulate_get(path, query_string="at=0&width=64", headers=known).status_code == 200
    record = ledger.get("job-1")
    assert record is not None
    assert (record.state, record.attempt) == ("queued", 0)
    complete()
    gone = api.simulate_get(path, query_string="at=0")
    assert (gone.status_code, gone.json["code"]) == (410, "artifact-expired")


@pytest.mark.parametrize(
    ("query", "pointer", "words"),
    [
        ("", "/at", "either at or step"),
        ("at=1&step=one", "/at", "either at or step"),
        ("at=-1", "/at", "seconds"),
        ("at=nan", "/at", "seconds"),
        ("at=1e3", "/at", "seconds"),
        ("step=..%2Fone", "/step", "letters"),
        ("at=0&width=15", "/width", "16 to 3840"),
        ("at=0&format=gif", "/format", "jpeg, png, webp"),
    ],
)
def test_a_still_that_cannot_be_meant_is_refused(
    api: Api, query: str, pointer: str, words: str
) -> None:
    result = draw(api, payload(), query)
    assert result.status_code == 422
    (item,) = result.json["errors"]
    assert item["pointer"] == pointer
    assert words in item["detail"]


def test_what_is_wrong_with_a_payload_or_moment_is_said_as_renders_say_it(
    api: Api, slot: Shutdown
) -> None:
    outside = draw(api, payload(), "at=100")
    assert outside.status_code == 422
    assert outside.json["errors"][0]["pointer"] == "/at"
    assert "there is no moment 100 s: the film lasts " in outside.json["detail"]
    unknown = draw(api, payload(), "step=two")
    assert unknown.status_code == 422
    assert "'two'; the film has: one" in unknown.json["detail"]
    document = payload()
    document["previewRequest"]["assets"] = [
        {"id": "b", "type": "image", "path": "absent.png", "alt": "A board"}
    ]
    absent = draw(api, document)
    assert (absent.status_code, absent.json["code"]) == (422, "asset-failed")
    assert absent.json["errors"][0]["pointer"] == "/previewRequest/assets/0/path"
    assert counted(api) == {"refused": 3}
    assert draw(api, {"jobId": "job-1"}).json["code"] == "validation-failed"
    assert api.simulate_post(
        "/api/preview/still", body="{", query_string="at=0",
        headers={"Content-Type": "application/json"},
    ).status_code == 400  # fmt: skip


def test_without_a_worker_the_answer_comes_at_once(api: Api) -> None:
    result = draw(api, payload())
    assert (result.status_code, result.json["code"]) == (503, "no-worker")
    assert int(result.headers["retry-after"]) > 0
    assert counted(api) == {"no-worker": 1}


def test_a_crash_costs_one_still(api: Api, settings: Settings, ledger: Ledger) -> None:
    with painting(settings, ledger, target=f"{TARGETS}:crash"):
        for _ in range(2):
            result = draw(api, payload())
            assert (result.status_code, result.json["code"]) == (500, "render-failed")
    assert counted(api) == {"failed": 2}


def test_a_still_that_takes_too_long_is_killed(
    api: Api, settings: Settings, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(StillQueue.ask, "__kwdefaults__", {"seconds": 1.0})
    with painting(settings, ledger, target=f"{TARGETS}:hang"):
        result = draw(api, payload())
        assert (result.status_code, result.json["code"]) == (504, "render-timeout")
        wait_until(lambda: not list(settings.work_root.iterdir()), "the child has ended")


def test_a_worker_that_is_overdue_gives_its_still_up(
    api: Api, settings: Settings, ledger: Ledger
) -> None:
    hanging = painting(settings, ledger, target=f"{TARGETS}:hang")
    with hanging as shutdown, ThreadPoolExecutor(1) as threads:
        asked = threads.submit(draw, api, payload())
        wait_until(lambda: list(settings.work_root.glob("*/files*")), "it draws")
        stub = StubBroker(middleware=[])
        shutdown.before_worker_shutdown(stub, Worker(stub))
        assert asked.result().json["code"] == "no-worker"


def test_a_picture_too_large_to_send_is_refused_by_name(
    api: Api, slot: Shutdown, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(draw_stills, "MAX_STILL_BYTES", 100)
    result = draw(api, payload())
    assert result.status_code == 422
    assert "smaller width" in result.json["errors"][0]["detail"]
