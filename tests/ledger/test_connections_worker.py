"""A worker process on Redis as operators have it: Sentinels, mutual TLS, a user with few rights."""

from __future__ import annotations

import contextlib
import itertools
from pathlib import Path

import pytest

from app.client import PreviewClient
from app.errors import BrokerUnavailable, JobNotFound
from app.settings import Settings
from tests.conftest import wait_until
from tests.support.acl import rule_for
from tests.support.certificates import Authority
from tests.support.payloads import payload
from tests.support.processes import worker
from tests.support.redis_servers import redis_server_binary
from tests.support.sentinels import sentinel_group

QUEUE = "real"


def completes(preview: PreviewClient, job_id: str) -> bool:
    """Return whether a job is accepted and comes out; in a failover some are not, or are lost."""
    try:
        preview.submit(payload(job_id, dryRun=True))
        return preview.wait(job_id, timeout_seconds=5).state == "completed"
    except (BrokerUnavailable, JobNotFound, TimeoutError):
        return False


def test_a_worker_outlives_failovers_by_itself(tmp_path: Path) -> None:
    redis_server_binary()  # the embedded server has no TLS
    authority = Authority(tmp_path / "authority")
    own, log = authority.issue("client", names="DNS:preview"), tmp_path / "worker.log"
    user = ("--user", *rule_for(QUEUE, "secret"))
    jobs = (f"job-{number}" for number in itertools.count())
    with sentinel_group(tmp_path, options=user, tls=authority.issue("server")) as group:
        settings = Settings(
            redis_url=group.url.replace("://", "://preview:secret@"),
            redis_tls_ca_file=own.ca,
            redis_tls_cert_file=own.cert,
            redis_tls_key_file=own.key,
            app_env="test",
            data_dir=tmp_path,
            preview_queue_name=QUEUE,
            health_host="127.0.0.1",
            health_port=0,
        )
        trusting = settings.model_copy(update={"redis_tls_ca_file": None})
        refused = "TLS with the Sentinels fails: the server's certificate is not accepted"
        with pytest.raises(BrokerUnavailable, match=refused):
            PreviewClient.from_settings(trusting).queue()
        preview = PreviewClient.from_settings(settings)
        with worker(settings, log) as process:
            wait_until(lambda: completes(preview, next(jobs)), "a job comes out")
            group.wait_until_whole()
            group.fail_over()
            wait_until(lambda: completes(preview, next(jobs)), "one does after a failover")
            group.wait_until_whole()
            heir = group.replica
            group.primary.kill()
            wait_until(lambda: completes(preview, next(jobs)), "and after the primary's death")
            assert group.primary is heir
            assert process.poll() is None, "the worker was never restarted"
        with contextlib.closing(heir.client()) as admin:
            assert admin.acl_log() == [], "nothing that it did was denied"
    told = log.read_text()
    assert '"redis.away"' in told
    assert '"redis.back"' in told
    assert "secret" not in told
