"""One version back and forth: what a version left in Redis, the next carries on, and the other way.

The files beside this one are queues as released versions wrote them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from app import __version__
from app.client import PreviewClient
from app.ledger import connect
from app.settings import Settings
from tests.conftest import wait_until
from tests.support.processes import worker
from tests.versions.queue import Key, dump, fill, load, settings_for

WRITTEN = sorted(Path(__file__).parent.glob("*.json"))
#: Its values are whatever the last event made of them.
FLEETING = {"wake", "turn"}


def read(path: Path) -> dict[str, Key]:
    return {name: (kind, value) for name, (kind, value) in json.loads(path.read_text()).items()}


@pytest.fixture
def settings(embedded_url: str, tmp_path: Path) -> Settings:
    return settings_for(embedded_url).model_copy(update={"data_dir": tmp_path})


@pytest.fixture
def client(settings: Settings) -> Iterator[redis.Redis]:
    with connect(settings) as client:
        yield client
        client.delete(*client.scan_iter(f"{{{settings.preview_queue_name}}}*"))


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_every_job_that_an_earlier_version_left_is_carried_on(
    settings: Settings, client: redis.Redis, path: Path, tmp_path: Path
) -> None:
    load(client, read(path))
    preview = PreviewClient.from_settings(settings)
    keys = preview.ledger.keys
    client.hset(keys["round"], "ran_at", client.time()[0] * 1000)  # else leases would be spared
    client.zadd(keys["delayed"], {"delayed": 1})  # its hour is over,
    client.zadd(keys["active"], {"released": 1, "unwanted": 1})  # and so are the leases
    left = {record.job_id: record for record in preview.jobs(limit=100)[0]}
    assert left["completed"].artifacts[0]["name"] == "preview.mp4"
    assert left["completed"].warnings == ("a warning",)
    assert preview.status("planned").plan == {"frames": 24}
    assert left["failed"].track == left["transient"].track == "canary"
    assert client.hexists(keys.job("unwanted"), "cancel_requested")
    with worker(settings, tmp_path / "worker.log"):
        wait_until(lambda: preview.queue().depth == 0, "all that lived have ended")
        assert preview.dead_letters.replay(["failed", "transient"]).replayed
        wait_until(lambda: preview.queue().completed == len(left) - 2, "the dead ones, too")
    ended = {record.job_id: record for record in preview.jobs(limit=100)[0]}
    assert {name for name, record in ended.items() if record.state == "cancelled"} == {
        "cancelled",
        "unwanted",
    }
    assert (ended["delayed"].attempts, ended["replayed"].replays) == (2, 1)
    assert ended["released"].traceparent == left["released"].traceparent != ""


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: path.stem)
def test_an_earlier_version_finds_all_that_it_reads_where_it_expects_it(
    settings: Settings, client: redis.Redis, path: Path
) -> None:
    fill(PreviewClient.from_settings(settings))
    today = {name: form(key) for name, key in dump(client).items()}
    for name, key in read(path).items():
        if name not in FLEETING:
            assert missing(form(key), today.get(name)) == [], name


def form(key: Key) -> Any:
    """Return what a reader relies on: types, members, names of fields, kinds of values."""
    kind, value = key
    if kind == "hash":
        return kind, {field: _kind(field, text) for field, text in value.items()}
    return kind, {member for member, _ in value} if kind == "zset" else None


def _kind(field: str, text: str) -> Any:
    try:
        value = json.loads(text)
    except ValueError:
        return "text"
    if field == "message":  # Dramatiq takes no member more and none less
        return {
            "exactly": sorted(value),
            "queue": value["queue_name"],
            "actor": value["actor_name"],
        }
    return sorted(value) if isinstance(value, dict) else type(value).__name__


def missing(wanted: Any, found: Any) -> list[str]:
    """Return what of one form the other lacks; what it has besides does no harm."""
    if found is None or wanted[0] != found[0]:
        return [f"{wanted[0]}, not {found and found[0]}"]
    if wanted[0] == "zset":
        return sorted(wanted[1] - found[1])
    if wanted[0] != "hash":
        return []
    return [
        f"{field}: {kind}, not {found[1].get(field)}"
        for field, kind in wanted[1].items()
        if not _serves(kind, found[1].get(field))
    ]


def _serves(wanted: Any, found: Any) -> bool:
    if isinstance(wanted, list) and isinstance(found, list):  # members of a JSON object
        return set(wanted) <= set(found)
    return bool(wanted == found)


def test_this_version_has_left_its_queue_for_the_next() -> None:
    assert __version__ in {path.stem for path in WRITTEN}, "python -m tests.versions.queue"


def test_what_an_earlier_version_would_miss_is_found() -> None:
    message = json.dumps({"queue_name": "q", "actor_name": "a", "args": []})
    job = (
        "hash",
        {"state": "queued", "attempts": "0", "error": '{"code": "x"}', "message": message},
    )
    assert missing(form(job), form(("hash", {**job[1], "more": "1"}))) == []
    for change in (
        {"state": "1"},
        {"attempts": "none"},
        {"error": '{"kind": "x"}'},
        {"message": message.replace('"args"', '"more": 1, "args"')},
    ):
        assert missing(form(job), form(("hash", {**job[1], **change}))) != []
    assert missing(form(job), form(("hash", {"state": "queued"}))) != []
    assert missing(form(("zset", [["a", 1]])), form(("zset", [["b", 1]]))) == ["a"]
    assert missing(form(job), None) == ["hash, not None"]
