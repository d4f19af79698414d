from __future__ import annotations

import multiprocessing
import os
from multiprocessing import forkserver
from typing import Any

from app.actors.boot import process_started, service_directory


def report(queue: multiprocessing.Queue[str]) -> None:
    queue.put(str(service_directory()))


def test_all_children_of_one_master_agree_on_the_directory() -> None:
    children, answers = [], []
    for method in ("fork", "fork", "forkserver", "spawn"):
        context: Any = multiprocessing.get_context(method)  # the methods share no public type
        queue = context.Queue()
        children.append(context.Process(target=report, args=(queue,)))
        children[-1].start()
        answers.append(queue)
    assert {queue.get(timeout=60) for queue in answers} == {str(service_directory())}
    for child in children:
        child.join(60)
    # A process has one fork server: renders of later tests would find it without their code.
    forkserver._forkserver._stop()  # type: ignore[attr-defined]  # no public name


def test_a_process_that_is_gone_has_no_start_time() -> None:
    assert process_started(os.getpid()) != ""
    assert process_started(2**22 + 1) == ""
