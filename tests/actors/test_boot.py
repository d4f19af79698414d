from __future__ import annotations

import multiprocessing
import os
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest

from app.actors.boot import process_started, remove_stale_directories, service_directory


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


def test_directories_of_boots_that_are_over_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    mine = service_directory()
    mine.mkdir()
    stale = tmp_path / f"preview-worker-{os.getuid()}-{os.getpid()}-12345"
    gone = tmp_path / f"preview-worker-{os.getuid()}-{2**22 + 1}-777"
    orphaned = tmp_path / f"preview-worker-{os.getuid()}-{2**22 + 1}-"
    for directory in (stale, gone, orphaned):
        directory.mkdir()
    remove_stale_directories()
    assert list(tmp_path.iterdir()) == [mine]
