"""A reply is lost after the script has run: the caller asks again, and nothing happens twice.

Each call is made on one queue as it should be, and on another through a connection that loses its
reply, or its request. Both queues must then hold the same.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib import resources
from typing import Any, get_args

import pytest
import redis

from app.errors import BrokerUnavailable
from app.ledger import Admission, Fate, Ledger, Progress, Retention, connect
from app.settings import Settings
from tests.ledger import audit
from tests.ledger.jobs import INFO, admission
from tests.support.lossy_proxy import LossyProxy

#: For the tests in which nothing comes until it is over.
TIMEOUT_SECONDS = 0.5
MAX_STARTS = 3
#: The repeated call says what the first has said.
SAME = object()
#: A still that is lost is asked for again as another one: nobody repeats these calls.
NEVER_REPEATED = {"still_ask", "still_take", "still_answer"}
#: For a sweep, everything is old.
ALL = Retention(result_seconds=-60, record_seconds=-60, dead_letter_seconds=-60, dead_letters=9)
PROGRESS = Progress("rendering", 3, 9)
ERROR = {"error": {"code": "render-failed", "retryable": True}}
FILES = {"artifacts": [{"kind": "video", "bytes": 3}]}


@dataclass(frozen=True)
class Case:
    """A call of a script.

    Attributes:
        name: Begins with the script's name.
        call: The call; what it returns is the same on every queue.
        prepare: What has happened before; its result (a fence) is given to the call.
        again: What the call says when it is repeated after its reply was lost.
        retain: Whether the queue keeps jobs that have ended.
    """

    name: str
    call: Callable[[Ledger, Any], object]
    prepare: Callable[[Ledger], int | None] = lambda _ledger: None
    again: object = SAME
    retain: bool = True

    @property
    def script(self) -> str:
        """The script that is called."""
        return self.name.split()[0].strip(",")


def job(job_id: str, *, delay_ms: int = 0) -> Admission:
    return admission(job_id, message_id=f"message-{job_id}", delay_ms=delay_ms)


def claimed(ledger: Ledger, token: str) -> int:
    """Claim under a fixed token; returns the fence."""
    answer, _ = ledger.claim("worker", token=token, free=True, info=INFO)
    assert answer is not None
    return answer.fence


# What has happened before


def waiting(ledger: Ledger) -> None:
    for job_id in "ab":
        ledger.admit(job(job_id), limit=None)


def due(ledger: Ledger) -> None:
    for job_id in "ab":
        ledger.admit(job(job_id, delay_ms=60_000), limit=None)
    ledger._client.zadd(ledger.keys["delayed"], {"a": 2, "b": 1})


def held(ledger: Ledger) -> int:
    waiting(ledger)
    return claimed(ledger, "before")


def cancelled_while_held(ledger: Ledger) -> int:
    fence = held(ledger)
    assert ledger.cancel("a") == "requested"
    return fence


def abandoned(ledger: Ledger) -> None:
    """A job whose worker is silent, and one that no list holds."""
    held(ledger)
    ledger._client.zadd(ledger.keys["active"], {"a": 1})
    ledger._client.delete(ledger.keys["waiting:normal"])


def dead(ledger: Ledger) -> None:
    waiting(ledger)
    for job_id in "ab":
        ledger.settle(job_id, claimed(ledger, job_id), "failed", fields=ERROR)


def ended(ledger: Ledger) -> None:
    dead(ledger)
    for job_id in "cd":
        ledger.admit(job(job_id), limit=None)
    ledger.settle("c", claimed(ledger, "c"), "completed", fields=FILES)
    ledger.cancel("d")


# Calls of whose answer a part differs from queue to queue


def claim(ledger: Ledger, _: None) -> object:
    answer, due_seconds = ledger.claim("worker", token="t", free=True, info=INFO)
    return answer and (answer.job_id, answer.message, answer.attempt), due_seconds is not None


def sweep(ledger: Ledger, _: None) -> object:
    answer = ledger.archive.sweep(ALL)
    return answer.expired, answer.forgotten, answer.dropped, answer.more


def settles() -> Iterator[Case]:
    for fate in get_args(Fate):
        fields = {"completed": FILES, "failed": ERROR, "delayed": ERROR}.get(fate)

        def settle(ledger: Ledger, fence: int, fate: Fate = fate, fields: Any = fields) -> object:
            return ledger.settle("a", fence, fate, delay_seconds=60, fields=fields)

        case = Case(f"settle as {fate}", settle, held)
        forgotten = SAME if fate in {"delayed", "released"} else "missing"
        yield case
        yield replace(case, name=f"{case.name}, cancelled", prepare=cancelled_while_held)
        yield replace(case, name=f"{case.name}, not retained", retain=False, again=forgotten)


CASES = [
    Case("admit", lambda ledger, _: ledger.admit(job("a"), limit=None)),
    Case("admit the last that fits", lambda ledger, _: ledger.admit(job("c"), limit=3), waiting),
    Case("admit one too many", lambda ledger, _: ledger.admit(job("c"), limit=2), waiting),
    Case("admit, delayed", lambda ledger, _: ledger.admit(job("c", delay_ms=9999), limit=3), due),
    Case("claim nothing", claim),
    Case("claim one of two", claim, waiting),
    Case("claim what is due", claim, due),
    Case("beat", lambda ledger, fence: ledger.beat("a", fence, PROGRESS), held),
    *settles(),
    Case("cancel a waiting one", lambda ledger, _: ledger.cancel("a"), waiting, again="already"),
    Case("cancel a running one", lambda ledger, _: ledger.cancel("a"), held),
    Case("recover", lambda ledger, _: ledger.recover(), abandoned, again=[]),
    Case("tick", lambda ledger, _: ledger.record_tick("task", token="t")),
    Case("replay", lambda ledger, _: ledger.archive.replay("abx", limit=1, token="t"), dead),
    Case("purge", lambda ledger, _: ledger.archive.purge("a"), dead, again="missing"),
    Case("sweep", sweep, ended, again=(("c",), 0, (), False)),
]


@pytest.fixture(scope="module")
def proxy(embedded_url: str) -> Iterator[LossyProxy]:
    with LossyProxy(embedded_url) as between:
        yield between


@pytest.fixture
def lossy(settings: Settings, proxy: LossyProxy) -> Iterator[redis.Redis]:
    through = settings.model_copy(update={"redis_url": proxy.url})
    connection = connect(through, timeout_seconds=TIMEOUT_SECONDS)
    yield connection
    connection.close()


def test_every_script_has_a_case() -> None:
    files = (resources.files("app.ledger") / "lua").iterdir()
    scripts = {file.name.removesuffix(".lua") for file in files} - {"prelude"}
    assert {case.script for case in CASES} == scripts - NEVER_REPEATED


def lose_and_repeat(
    case: Case, client: redis.Redis, lossy: redis.Redis, lose: Callable[[str], None]
) -> tuple[object, object]:
    """Make a call on two queues, on one of them with a loss, and compare what they hold.

    Returns:
        What the call has answered, and what it has answered when it was repeated after the loss.
    """

    def queue(connection: redis.Redis) -> Ledger:
        return Ledger(
            connection,
            queue=f"lost-{uuid.uuid4().hex}",
            lease_seconds=30,
            max_starts=MAX_STARTS,
            retain=case.retain,
        )

    sound, other = queue(client), queue(lossy)
    expected = case.call(sound, case.prepare(sound))
    prepared = case.prepare(other)
    lose(case.script)
    with pytest.raises(BrokerUnavailable):
        case.call(other, prepared)
    answer = case.call(other, prepared)
    found, wanted = (audit.contents(client, ledger.keys) for ledger in (other, sound))
    assert audit.timeless(found) == audit.timeless(wanted)
    return expected, answer


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_call_whose_reply_was_lost_is_repeated_and_happens_once(
    case: Case, client: redis.Redis, lossy: redis.Redis, proxy: LossyProxy
) -> None:
    losses = proxy.losses
    expected, answer = lose_and_repeat(case, client, lossy, proxy.lose)
    assert answer == (expected if case.again is SAME else case.again)
    assert proxy.losses == losses + 1


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_call_that_never_reached_the_server_is_repeated_and_happens_once(
    case: Case, client: redis.Redis, lossy: redis.Redis, proxy: LossyProxy
) -> None:
    expected, answer = lose_and_repeat(
        case, client, lossy, lambda script: proxy.lose(script, "request")
    )
    assert answer == expected


@pytest.mark.parametrize("name", ["claim one of two", "settle as completed"])
def test_silence_until_the_time_out_is_a_lost_reply_too(
    name: str, client: redis.Redis, lossy: redis.Redis, proxy: LossyProxy
) -> None:
    case = next(case for case in CASES if case.name == name)
    expected, answer = lose_and_repeat(
        case, client, lossy, lambda script: proxy.lose(script, manner="silence")
    )
    assert answer == expected
