"""What the log says about a replay of dead letters."""

from __future__ import annotations

import hashlib
import io

from app.errors import AssetFailed
from app.ledger import Ledger
from tests.http.conftest import API_KEY, Api, bury, events
from tests.http.test_dead_letters_replay import replay


def test_a_replay_is_logged_with_its_caller_its_filter_and_how_many_jobs(
    api: Api, ledger: Ledger, log: io.StringIO
) -> None:
    bury(api, ledger, "a", AssetFailed("logo.png is truncated."))
    bury(api, ledger, "b")
    replay(api, 200, filter={}, dryRun=True)
    replay(api, filter={"projectId": "project-1", "code": "asset-failed"}, limit=5)
    replay(api, jobIds=["a", "b"])
    by_filter, by_name = (
        {name: value for name, value in event.items() if name not in ("timestamp", "requestId")}
        for event in events(log)
        if event["event"] == "dead-letters.replayed"
    )
    common = {
        "level": "info",
        "event": "dead-letters.replayed",
        "logger": "app.http.dead_letters",
        "caller": hashlib.sha256(API_KEY.encode()).hexdigest()[:8],
    }
    assert by_filter == {
        **common,
        "selected": "filter",
        "filter": {"code": "asset-failed", "projectId": "project-1"},
        "limit": 5,
        "replayed": 1,
        "skipped": {},
    }
    assert by_name == {
        **common,
        "selected": "jobIds",
        "filter": {},
        "limit": 2,
        "replayed": 1,
        "skipped": {"replay-conflict": 1},
    }
