from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from pathlib import Path
from typing import Any

import pytest

from app.broker.signs import ConsumerSign, WorkerLife, WorkerSigns
from tests.conftest import wait_until

#: Longer than any test: nothing is stuck yet.
PATIENT = {"stuck_seconds": 600.0, "unanswered_seconds": 600.0, "start_seconds": 600.0}


@pytest.fixture
def sign(tmp_path: Path) -> Iterator[ConsumerSign]:
    sign = ConsumerSign(tmp_path / "service", "renders")
    yield sign
    sign.close()


def life(directory: Path, **changes: float) -> WorkerLife:
    return WorkerSigns(directory / "service", **{**PATIENT, **changes})()


def test_a_service_without_consumers_is_starting_and_then_stuck(tmp_path: Path) -> None:
    starting = life(tmp_path)
    assert (starting.stuck, starting.unanswered) == ("", "No consumer has started yet.")
    assert life(tmp_path, start_seconds=0.0).stuck == "No consumer has started yet."


def test_a_worker_is_well_once_its_first_claim_was_answered(
    tmp_path: Path, sign: ConsumerSign
) -> None:
    sign.turned()
    assert life(tmp_path) == WorkerLife(unanswered="No claim has been answered yet.")
    sign.answered()
    well = life(tmp_path)
    assert (well.stuck, well.unanswered) == ("", "")
    assert abs(well.last_claim_at - time.time()) < 30


def test_a_consumer_that_does_not_turn_is_stuck(tmp_path: Path, sign: ConsumerSign) -> None:
    sign.answered()
    stood = life(tmp_path, stuck_seconds=0.0)
    assert stood.stuck.startswith("A consumer has not responded for ")
    assert stood.unanswered == stood.stuck


def test_claims_that_nobody_answers_are_told_though_the_loop_turns(
    tmp_path: Path, sign: ConsumerSign
) -> None:
    sign.answered()
    before = life(tmp_path).last_claim_at
    wait_until(lambda: time.time() > before + 0.05, "time passes")
    sign.turned()
    silent = life(tmp_path, stuck_seconds=600.0, unanswered_seconds=0.04)
    assert silent.stuck == ""
    assert silent.unanswered.startswith("No claim has been answered for ")
    assert silent.last_claim_at == pytest.approx(before, abs=0.01)


def test_a_known_trouble_is_told_at_once_and_forgotten_with_the_next_answer(
    tmp_path: Path, sign: ConsumerSign
) -> None:
    sign.answered()
    for detail in ("Redis is loading its data.", "Away.", "é" * 1000):
        sign.failed(detail)
        sign.turned()
        told = life(tmp_path).unanswered
        assert told
        assert detail.startswith(told.rstrip("\N{REPLACEMENT CHARACTER}"))
    sign.answered()
    assert life(tmp_path).unanswered == ""


def test_of_several_consumers_the_worst_counts(tmp_path: Path, sign: ConsumerSign) -> None:
    sign.answered()
    other = ConsumerSign(tmp_path / "service", "ticks")
    assert life(tmp_path).unanswered == "No claim has been answered yet."
    assert life(tmp_path).last_claim_at == 0
    other.answered()
    assert life(tmp_path).unanswered == ""
    other.close()


def test_a_consumer_that_has_ended_leaves_nothing(tmp_path: Path) -> None:
    sign = ConsumerSign(tmp_path / "service", "renders")
    sign.close()
    assert list((tmp_path / "service").iterdir()) == []
    sign.turned()
    sign.answered()
    sign.failed("too late")
    sign.close()


def test_without_a_directory_there_is_no_sign(tmp_path: Path) -> None:
    sign = ConsumerSign(None, "renders")
    sign.turned()
    sign.answered()
    sign.close()
    assert list(tmp_path.iterdir()) == []


def test_a_sign_that_cannot_be_left_ends_no_worker(tmp_path: Path) -> None:
    (tmp_path / "service").write_text("in the way")
    sign = ConsumerSign(tmp_path / "service", "renders")
    sign.answered()
    sign.failed("nobody hears it")
    sign.close()


def leave_sign(directory: Path, connection: Connection[Any, Any]) -> None:
    sign = ConsumerSign(directory, "renders")
    sign.answered()
    connection.send("left")
    connection.recv()


@pytest.fixture
def other(tmp_path: Path) -> Iterator[SpawnProcess]:
    """A process that leaves a sign and waits."""
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=leave_sign, args=(tmp_path / "service", theirs))
    process.start()
    assert ours.recv() == "left"
    yield process
    process.kill()
    process.join()


def test_a_process_that_is_gone_is_told_until_another_boot(
    tmp_path: Path, other: SpawnProcess
) -> None:
    assert other.pid is not None
    assert life(tmp_path).unanswered == ""
    os.kill(other.pid, signal.SIGKILL)
    wait_until(lambda: life(tmp_path).stuck == "A worker process is gone.", "it is noticed")
    sign = ConsumerSign(tmp_path / "service", "renders")
    sign.answered()
    assert life(tmp_path).stuck == ""
    sign.close()


def test_a_process_that_stands_still_is_told_and_is_well_when_it_goes_on(
    tmp_path: Path, sign: ConsumerSign
) -> None:
    sign.answered()
    wait_until(lambda: life(tmp_path, stuck_seconds=0.05).stuck, "it is noticed")
    sign.answered()
    assert life(tmp_path, stuck_seconds=10.0).stuck == ""
