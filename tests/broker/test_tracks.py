"""Which track had a job, and what its attempts count as."""

from __future__ import annotations

import uuid

import pytest
import redis

from app.client import PreviewClient
from app.errors import AssetFailed, PreviewError, QualityFailed, RenderFailed
from app.ledger import Fate, Ledger
from app.metrics import registry_of
from app.settings import Settings
from tests.broker.conftest import Rig
from tests.conftest import wait_until
from tests.ledger.jobs import INFO, admission
from tests.support.payloads import payload


def test_a_dead_letter_tells_the_track_that_failed_it_last(ledger: Ledger) -> None:
    ledger.admit(admission("job-1", track="stable"), limit=None)
    for track in ("canary", "stable", "canary"):
        claimed, _ = ledger.claim(
            track, token=uuid.uuid4().hex, free=True, info={**INFO, "track": track}
        )
        assert claimed is not None
        fate: Fate = "failed" if claimed.attempt == 3 else "delayed"
        error = RenderFailed("It broke.").to_problem()
        ledger.settle("job-1", claimed.fence, fate, fields={"error": error})
        record = ledger.get("job-1")
        assert record is not None
        assert (record.track, record.state) == (track, fate)


@pytest.mark.parametrize(
    ("error", "refused", "delayed"),
    [
        (AssetFailed("No picture."), 1, 0),
        (QualityFailed("Too loud."), 0, 0),
        (RenderFailed("It broke."), 0, 4),
    ],
)
def test_what_its_author_sent_is_told_apart_from_what_a_worker_did(
    rig: Rig, settings: Settings, *, error: PreviewError, refused: int, delayed: int
) -> None:
    def fail(_: object) -> None:
        raise error

    rig.actor(fail)
    rig.worker.start()
    client = PreviewClient.from_settings(settings)
    client.submit(payload())
    wait_until(lambda: rig.counted("failed") == 1, "the job has failed")
    assert (rig.counted("refused"), rig.counted("retried")) == (refused, delayed)


def test_an_attempt_that_dies_with_a_canary_is_counted_as_the_canarys(
    rig: Rig, client: redis.Redis
) -> None:
    actor = rig.actor(lambda _payload: None)
    actor.send(payload())
    rig.ledger.claim("canary", token="t", free=True, info={**INFO, "track": "canary"})
    client.zadd(rig.ledger.keys["active"], {"job-1": 1})  # it is dead
    rig.worker.start()
    wait_until(lambda: rig.counted("completed") == 1, "another has done it")
    lost = {
        track: registry_of(rig.metrics).get_sample_value(
            "preview_job_attempts_lost_total", {"track": track}
        )
        for track in ("canary", "stable")
    }
    assert lost == {"canary": 1, "stable": 0}
