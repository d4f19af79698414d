"""A worker with installed fonts: a live job and a dry run, from the setting to the result."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from dramatiq import Worker

from app.actors.assembly import build_worker
from app.client import PreviewClient
from app.metrics import Metrics
from app.settings import Settings
from tests.render.fontmaker import write_font
from tests.support.payloads import payload


@pytest.fixture
def worker(settings: Settings, tmp_path: Path) -> Iterator[None]:
    directory = tmp_path / "fonts"
    directory.mkdir()
    write_font(directory / "han.ttf", "字")
    own = settings.model_copy(update={"preview_font_dir": (directory,)})
    parts = build_worker(own, Metrics(track="stable"))
    worker = Worker(parts.broker, queues={own.preview_queue_name}, worker_timeout=200)
    worker.start()
    yield
    worker.stop()
    parts.broker.close()


def test_films_and_plans_use_the_installed_fonts(worker: None, preview: PreviewClient) -> None:
    request = payload()["previewRequest"]
    steps = [{"id": "one", "text": "字か", "durationSec": 1}]
    for job_id, dry in (("film", False), ("plan", True)):
        job = payload(job_id, previewRequest={**request, "steps": steps}, dryRun=dry)
        preview.submit(job)
    film, plan = (preview.wait(job_id, timeout_seconds=60) for job_id in ("film", "plan"))
    assert (film.state, plan.state) == ("completed", "completed"), (film.error, plan.error)
    missing = "step one: no font has か (U+304B)"
    assert plan.plan is not None
    assert missing in film.warnings
    assert missing in plan.plan["warnings"]
