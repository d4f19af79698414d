"""Dry runs are planned in a limited child: they end in time, can be cancelled and given back."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from app.actors.plan_preview import MAX_STORED_BYTES, PreviewPlanner, bounded_plan
from app.actors.supervision import Supervision
from app.contract import load_contract
from app.ledger import Record
from app.middleware import DryRun
from app.render.renderers import PLANNING
from app.settings import Settings
from tests.broker.conftest import Rig
from tests.conftest import wait_until
from tests.support.payloads import payload


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    return tmp_path / "data"


def start(
    rig: Rig, settings: Settings, data_dir: Path, *, target: str, seconds: float = 60
) -> None:
    """Start the worker with a planner whose child calls ``target``."""
    limited = settings.model_copy(
        update={"data_dir": data_dir, "preview_job_timeout_seconds": seconds}
    )
    planner = PreviewPlanner(Supervision(limited, rig.shutdown), load_contract(), target)
    next(item for item in rig.broker.middleware if isinstance(item, DryRun))._planner = planner
    rig.actor(lambda _payload: None).send(payload("dry", dryRun=True))
    rig.worker.start()


def record_of(rig: Rig) -> Record:
    record = rig.ledger.get("dry")
    assert record is not None
    return record


def hangs(data_dir: Path) -> bool:
    return bool(list(data_dir.glob("work/*/plan/*")))


def test_a_dry_run_is_answered_with_its_plan_and_leaves_no_file(
    rig: Rig, settings: Settings, data_dir: Path
) -> None:
    start(rig, settings, data_dir, target=PLANNING)
    wait_until(lambda: record_of(rig).state == "completed", "the plan is there")
    plan = record_of(rig).plan
    assert plan is not None
    assert [step["id"] for step in plan["steps"]] == ["one"]
    assert list(data_dir.glob("work/*")) == []


def test_a_dry_run_that_hangs_ends_by_its_deadline(
    rig: Rig, settings: Settings, data_dir: Path
) -> None:
    start(rig, settings, data_dir, target="tests.render.targets:hang", seconds=0.5)
    wait_until(lambda: record_of(rig).state == "failed", "the dry run fails")
    error = record_of(rig).error
    assert error is not None
    assert error["code"] == "render-timeout"
    assert list(data_dir.glob("work/*")) == []


def test_a_dry_run_that_hangs_is_cancelled_within_two_seconds(
    rig: Rig, settings: Settings, data_dir: Path
) -> None:
    start(rig, settings, data_dir, target="tests.render.targets:hang")
    wait_until(lambda: hangs(data_dir), "the plan is being made")
    began = time.monotonic()
    assert rig.ledger.cancel("dry") == "requested"
    wait_until(lambda: record_of(rig).state == "cancelled", "the dry run ends")
    assert time.monotonic() - began < 2


def test_a_dry_run_that_hangs_is_given_back_at_a_shutdown(
    rig: Rig, settings: Settings, data_dir: Path
) -> None:
    start(rig, settings, data_dir, target="tests.render.targets:hang")
    wait_until(lambda: hangs(data_dir), "the plan is being made")
    rig.worker.stop()
    assert (record_of(rig).state, record_of(rig).attempts) == ("queued", 0)


def test_a_stored_plan_is_bounded_and_names_what_it_lacks() -> None:
    small = {"frames": 1, "steps": [{}], "missingAssets": [], "assets": [{}]}
    assert bounded_plan(small) == small
    long = ["x" * 100] * 10_000
    assert bounded_plan({**small, "steps": long, "assets": long}) == {
        "frames": 1,
        "missingAssets": [],
        "assets": long,
        "omitted": ["steps"],
    }
    everything = bounded_plan({**small, "steps": long * 2, "assets": long * 3})
    assert everything == {"frames": 1, "missingAssets": [], "omitted": ["assets", "steps"]}
    assert len(json.dumps(long)) > 0.9 * MAX_STORED_BYTES
