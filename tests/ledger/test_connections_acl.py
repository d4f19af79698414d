"""A user with the fewest permissions: what the documentation lists is enough, and no more."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import redis

from app.cli.checks import queue
from app.cli.stack.valkey import server_binary
from app.errors import BrokerUnavailable, RenderTimeout
from app.ledger import (
    Archive,
    DeadLetterFilter,
    Keys,
    Ledger,
    Progress,
    Retention,
    connect,
    redis_errors,
)
from app.settings import Settings
from tests.ledger.jobs import admission, claim_next
from tests.support.acl import documented_commands, rule_for
from tests.support.processes import ROOT
from tests.support.redis_servers import RedisServer, redis_server_binary

QUEUE = "q-1"
#: The scripts' own commands, and every other way to call one, which would hide its name.
LUA_COMMAND = re.compile(r"redis\.p?call\('([A-Z]+)'")
LUA_CALL = re.compile(r"redis\.p?call\b")
#: A line of an example in a docstring.
EXAMPLE = re.compile(r"^\s*(?:>>>|\.\.\.) .*$", re.MULTILINE)
#: What code does with a connection or a pipeline.
PYTHON_CALL = re.compile(r"\b_?(?:client|pipe)\.([a-z]+)\(")
#: Asked by the doctor, which does without.
OPTIONAL = {"config"}
#: What every user may send, what the doctor does without, and what this test itself asks.
ADMINISTRATION = {"hello", "config|get", "config|resetstat", "acl|log", "command|list"}


@pytest.fixture(scope="module", params=["embedded", "redis-server"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RedisServer]:
    binary = server_binary() if request.param == "embedded" else redis_server_binary()
    with RedisServer(tmp_path_factory.mktemp("acl"), binary=binary) as running:
        yield running


@pytest.fixture
def admin(server: RedisServer) -> Iterator[redis.Redis]:
    """An administrator's connection, to a server on which the documented user was just made."""
    with contextlib.closing(server.client(db=1)) as client:
        client.flushall()
        client.script_flush()
        client.execute_command("ACL", "SETUSER", *rule_for(QUEUE, "secret"))  # type: ignore[no-untyped-call]  # redis-py's
        client.acl_log_reset()
        client.config_resetstat()
        yield client


@pytest.fixture
def settings(server: RedisServer, admin: redis.Redis, tmp_path: Path) -> Settings:
    url = f"redis://preview:secret@127.0.0.1:{server.port}/1"
    return Settings(redis_url=url, preview_queue_name=QUEUE, data_dir=tmp_path, app_env="test")


@pytest.fixture
def limited(settings: Settings) -> Iterator[redis.Redis]:
    """A connection of that user."""
    with contextlib.closing(connect(settings)) as client:
        yield client


def ledger_of(client: redis.Redis, queue: str) -> Ledger:
    return Ledger(client, queue=queue, lease_seconds=30, max_starts=3)


def end(ledger: Ledger, job_id: str, fate: Any, **fields: Any) -> None:
    ledger.admit(admission(job_id), limit=10)
    job = claim_next(ledger)
    assert ledger.beat(job.job_id, job.fence, Progress("drawing", 1, 2)) == "go"
    assert ledger.settle(job.job_id, job.fence, fate, delay_seconds=60, fields=fields) == fate


def live_through_everything(client: redis.Redis, queue: str) -> None:
    """Do what the product does with one queue."""
    ledger, archive = ledger_of(client, queue), Archive(client, queue=queue)
    wanted = DeadLetterFilter()
    ledger.wait_for_work(0.01)
    end(ledger, "done", "completed", artifacts=[])
    end(ledger, "dead", "failed", error={"code": "render-failed", "retryable": True})
    end(ledger, "later", "delayed")
    ledger.admit(admission("one", priority="low"), limit=10)
    assert ledger.cancel("one") == "cancelled"
    ledger.recover()
    assert ledger.record_tick("scheduler")
    assert ledger.last_tick("scheduler")
    assert len(ledger.list_jobs(limit=2)[0]) == 2
    assert [record.job_id for record in ledger.list_dead_letters(wanted)[0]] == ["dead"]
    assert ledger.count_dead_letters(wanted) == 1
    assert ledger.oldest_dead_letters(wanted, limit=9) == ["dead"]
    assert ledger.message("dead")
    archive.transient(9)
    archive.ended_since(60)
    assert archive.replay(["dead"], limit=10) == ["replayed"]
    ledger.cancel("dead")
    end(ledger, "worse", "failed", error={"code": "asset-failed", "retryable": False})
    assert archive.purge("worse") == "purged"
    archive.sweep(Retention(0, 0, 0, 0))
    archive.results_deleted("done")
    assert ledger.stats().delayed == 1
    ledger.forget_worker("worker")
    assert ledger.stills.take() is None
    with pytest.raises(RenderTimeout):
        ledger.stills.ask(b"late", seconds=0.02)
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(ledger.stills.ask, b"request")
        while (taken := ledger.stills.take()) is None:
            ledger.stills.wait()
        assert ledger.stills.beat(taken.id)
        assert ledger.stills.answer(taken.id, b"answer")
        assert asked.result() == b"answer"


def test_everything_works_as_that_user_and_nothing_is_denied(
    admin: redis.Redis, limited: redis.Redis, settings: Settings
) -> None:
    for suffix in ("", ".cron", ".sweep"):
        live_through_everything(limited, QUEUE + suffix)
    assert admin.acl_log() == []
    findings = {finding.name: finding for finding in queue.queue(settings)}
    assert findings["redis"].level == "ok", findings
    assert "workers" in findings
    assert "snapshots unknown" in findings["persistence"].detail


def written_commands(admin: redis.Redis) -> set[str]:
    """Return the commands that scripts and code name."""
    commands: set[str] = set()
    for path in (ROOT / "app" / "ledger" / "lua").glob("*.lua"):
        found = LUA_COMMAND.findall(path.read_text())
        hidden = len(LUA_CALL.findall(path.read_text())) - len(found)
        assert not hidden, f"{path.name} calls a command that is no literal"
        commands |= {name.lower() for name in found}
    known = {str(name) for name in admin.command_list()}
    for path in (ROOT / "app").rglob("*.py"):
        source = EXAMPLE.sub("", path.read_text())  # its examples call methods of ours
        if path.parent.name == "ledger" or re.search(r"import .*\bconnect\b", source):
            commands |= known & set(PYTHON_CALL.findall(source))
    return commands - OPTIONAL


def executed_commands(admin: redis.Redis) -> set[str]:
    """Return the commands that were run, be it in a script, since the server's last reset."""
    told = admin.info("commandstats")
    run = {name.removeprefix("cmdstat_") for name, row in told.items() if row["calls"]}
    return {str(name) for name in run}


def test_the_documented_commands_are_those_that_are_used(
    server: RedisServer, admin: redis.Redis, settings: Settings
) -> None:
    """As a user who may do everything, so that what is new shows here by its name."""
    unlimited = settings.model_copy(update={"redis_url": f"{server.url}/1"})
    with contextlib.closing(connect(unlimited)) as client:
        live_through_everything(client, QUEUE)
        list(queue.queue(unlimited))
    used = written_commands(admin) | (executed_commands(admin) - ADMINISTRATION)
    missing, needless = used - documented_commands(), documented_commands() - used
    assert not missing, f"docs/configuration.md must allow {sorted(missing)}"
    assert not needless, f"docs/configuration.md need not allow {sorted(needless)}"


@pytest.mark.parametrize(
    "words",
    [
        ["FLUSHALL"], ["FLUSHDB"], ["KEYS", "*"], ["SCAN", "0"], ["CONFIG", "GET", "*"],
        ["ACL", "LIST"], ["SCRIPT", "FLUSH"], ["CLIENT", "LIST"], ["SHUTDOWN"],
        ["EVAL", "return 1", "0"], ["GET", "other"], ["HGETALL", "{other}:job:1"],
        ["HGETALL", f"{{{QUEUE}-2}}:job:1"],
        ["PUBLISH", "channel", "text"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_that_user_may_do_nothing_else(
    admin: redis.Redis, limited: redis.Redis, words: list[str]
) -> None:
    with pytest.raises(BrokerUnavailable, match="NOPERM"), redis_errors():
        limited.execute_command(*words)  # type: ignore[no-untyped-call]  # redis-py's


def test_a_script_of_that_user_reaches_no_other_queue(
    admin: redis.Redis, limited: redis.Redis
) -> None:
    other = ledger_of(limited, f"{QUEUE}-2")
    with pytest.raises(BrokerUnavailable, match="NOPERM"):
        other.admit(admission("one"), limit=None)
    script = limited.script_load("return redis.call('HSET', ARGV[1], 'a', 'b')")
    with pytest.raises(BrokerUnavailable, match=r"NOPERM|ERR"), redis_errors():
        limited.evalsha(script, 1, Keys(QUEUE).prefix, Keys(f"{QUEUE}-2").job("one"))
    assert admin.dbsize() == 0
