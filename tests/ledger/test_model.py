"""The ledger's scripts against a model of what they promise: random calls in random order.

``LEDGER_EXAMPLES`` says how many runs are tried, ``LEDGER_SEED`` which; a failure prints its seed
and the shortest run that shows it.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterator

import pytest
import redis
from hypothesis import HealthCheck, Phase, seed
from hypothesis import settings as hypothesis_settings
from hypothesis.stateful import run_state_machine_as_test

from app.ledger import connect
from app.settings import Settings
from tests.ledger.calls import RandomCalls

EXAMPLES = int(os.environ.get("LEDGER_EXAMPLES", "40"))
#: So many runs give each answer of :data:`ANSWERS` ten times, whatever the seed.
MANY = 1000
ANSWERS = {
    "admit": "admitted existing conflict full",
    "beat": "go cancel stale",
    "settle": "completed failed cancelled delayed queued stale missing",
    "cancel": "cancelled already requested ended missing",
    "recover": "queued cancelled failed relisted",
    "replay": "replayed live ended missing full",
    "purge": "purged live ended missing",
    "sweep": "expired forgotten dropped",
}
#: Calls in a run.
STEPS = 40
#: Seconds that a run may take at most, on a loaded machine.
RUN_SECONDS = 2
#: A database of the embedded server that no other test uses: keys are listed at every step.
DATABASE = 9


@pytest.fixture
def client(embedded_url: str) -> Iterator[redis.Redis]:
    connection = connect(Settings(redis_url=f"{embedded_url}/{DATABASE}"))
    yield connection
    connection.close()


@pytest.mark.timeout(600 + RUN_SECONDS * EXAMPLES)
def test_whatever_is_called_in_whatever_order_the_ledger_keeps_its_promises(
    client: redis.Redis,
) -> None:
    number = int(os.environ.get("LEDGER_SEED") or random.getrandbits(32))
    print(f"the same again: LEDGER_SEED={number} LEDGER_EXAMPLES={EXAMPLES}")
    RandomCalls.client = client
    run_state_machine_as_test(
        seed(number)(RandomCalls),
        settings=hypothesis_settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            database=None,  # the seed alone says what is run
            print_blob=True,
            suppress_health_check=list(HealthCheck),
        ),
    )
    seen = RandomCalls.seen
    print(*(f"{answer} {seen[answer]}" for answer in sorted(seen)), sep=", ")
    rare = [
        f"{call}: {answer}"
        for call, answers in ANSWERS.items()
        for answer in answers.split()
        if seen[f"{call}: {answer}"] < 10
    ]
    assert EXAMPLES < MANY or rare == []
