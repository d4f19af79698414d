from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from app.broker import Slots


def take(slots: Slots, queue: str) -> bool:
    free = slots.wait_free(queue, timeout_seconds=0.01)
    if free:
        slots.take(queue)
    return free


def test_a_queue_never_holds_more_than_its_limit() -> None:
    slots = Slots(limits={"renders": 2}, threads=8)
    assert [take(slots, "renders") for _ in range(3)] == [True, True, False]
    assert slots.busy("renders") == 2


def test_all_queues_together_never_hold_more_than_there_are_threads() -> None:
    slots = Slots(limits={"renders": 2, "cron": 1}, threads=8)
    slots.resize(1)
    assert slots.limit("renders") == 1
    assert take(slots, "renders")
    assert not take(slots, "cron")


def test_a_released_slot_wakes_whoever_waits_for_it() -> None:
    slots = Slots(limits={"renders": 1}, threads=8)
    slots.take("renders")
    with ThreadPoolExecutor(1) as pool:
        waiter = pool.submit(slots.wait_free, "renders", timeout_seconds=20)
        slots.release("renders")
        assert waiter.result(timeout=10)


def test_no_slot_is_free_once_the_worker_drains() -> None:
    slots = Slots(limits={"renders": 1}, threads=8)
    slots.take("renders")
    with ThreadPoolExecutor(1) as pool:
        waiter = pool.submit(slots.wait_free, "renders", timeout_seconds=20)
        slots.drain()
        assert not waiter.result(timeout=10)
    slots.release("renders")
    assert slots.draining
    assert not take(slots, "renders")
    slots.pause(30)  # returns at once: the shutdown has begun
