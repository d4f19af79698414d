from __future__ import annotations

import contextlib
import os
import time
from itertools import pairwise
from pathlib import Path

import pytest

from app.errors import (
    AssetFailed,
    ErrorItem,
    QueueFull,
    RenderFailed,
    RenderTimeout,
    StorageUnavailable,
)
from app.render import Limits, Progress, RenderStopped
from tests.render import targets
from tests.render.children import gone, run, written_by

ROOT = Path(__file__).parents[3]
#: A result with a file that is not in the output directory.
OUTSIDE = (
    '{"result": {"files": [{"kind": "video", "name": "../../x", "content_type": "",'
    ' "bytes": 1, "sha256": ""}], "warnings": [], "seconds": 1, "frames": 1}}'
)


def test_a_result_comes_back_whole(tmp_path: Path) -> None:
    assert run("succeed", tmp_path) == targets.RESULT
    assert (tmp_path / "out" / "partial").exists()


def test_progress_is_handed_on_at_every_tick_and_none_without_news(tmp_path: Path) -> None:
    seen: list[Progress | None] = []
    times: list[float] = []

    def on_tick(progress: Progress | None) -> None:
        seen.append(progress)
        times.append(time.monotonic())

    run("succeed", tmp_path, on_tick=on_tick, tick_seconds=0.1, frames=75, pause=0.02)
    news = [progress for progress in seen if progress is not None]
    assert len(times) >= 5
    assert min(b - a for a, b in pairwise(times)) > 0.09
    assert [p.frames_done for p in news] == sorted(p.frames_done for p in news)
    assert news[-1].frames_total == 75
    quiet: list[Progress | None] = []

    def until_nothing_came(progress: Progress | None) -> str | None:
        quiet.append(progress)
        return "cancelled" if any(quiet[:-5]) and not any(quiet[-5:]) else None

    with pytest.raises(RenderStopped):
        run("hang", tmp_path, on_tick=until_nothing_came)
    assert sum(progress is not None for progress in quiet) == 1


@pytest.mark.parametrize("reason", ["cancelled", "shutdown", "lease-lost"])
def test_a_reason_kills_the_child_and_leaves_no_file(tmp_path: Path, reason: str) -> None:
    pids: list[int] = []

    def on_tick(_: Progress | None) -> str | None:
        with contextlib.suppress(FileNotFoundError, ValueError):
            pids.append(int((tmp_path / "out" / "partial").read_text(encoding="ascii")))
            return reason
        return None

    with pytest.raises(RenderStopped) as caught:
        run("hang", tmp_path, on_tick=on_tick)
    assert caught.value.reason == reason
    assert gone(pids[0], within_seconds=0.5)
    assert not (tmp_path / "out").exists()


def test_the_whole_process_group_is_killed(tmp_path: Path) -> None:
    marker = tmp_path / "grandchild"

    def on_tick(_: Progress | None) -> str | None:
        return "cancelled" if marker.exists() and marker.read_text() else None

    with pytest.raises(RenderStopped):
        run("hang_with_grandchild", tmp_path, on_tick=on_tick)
    assert gone(written_by(marker), within_seconds=2)


def test_an_error_of_on_tick_ends_the_child_too(tmp_path: Path) -> None:
    def on_tick(_: Progress | None) -> str | None:
        if (tmp_path / "out" / "partial").exists():
            raise ConnectionError("redis is away")
        return None

    with pytest.raises(ConnectionError):
        run("hang", tmp_path, on_tick=on_tick)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("target", ["hang", "stall_in_a_message"])
def test_the_deadline_kills(tmp_path: Path, target: str) -> None:
    started = time.monotonic()
    with pytest.raises(RenderTimeout, match=r"longer than 0\.6 s"):
        run(target, tmp_path, limits=Limits(deadline_seconds=0.6, memory_mb=512))
    assert time.monotonic() - started < 5
    assert not (tmp_path / "out").exists()


def test_too_much_processor_time_is_a_timeout(tmp_path: Path) -> None:
    with pytest.raises(RenderTimeout, match="processor time"):
        run("spin", tmp_path)


def test_a_crash_names_the_signal_and_the_memory_limit(tmp_path: Path) -> None:
    with pytest.raises(RenderFailed, match=r"SIGSEGV.*512 MiB"):
        run("crash", tmp_path)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("target", "code"), [("exit_silently", 7), ("leave_a_grandchild_with_the_pipe", 3)]
)
def test_a_child_that_ends_without_a_word_is_a_failure(
    tmp_path: Path, target: str, code: int
) -> None:
    started = time.monotonic()
    with pytest.raises(RenderFailed, match=f"exit code {code}"):
        run(target, tmp_path)
    assert time.monotonic() - started < 20


def test_a_memory_bomb_costs_one_render(tmp_path: Path) -> None:
    with pytest.raises(RenderFailed, match="out of memory: limit 200 MiB"):
        run("eat_memory", tmp_path, limits=Limits(deadline_seconds=60, memory_mb=200))
    assert run("succeed", tmp_path) == targets.RESULT


@pytest.mark.parametrize("target", ["write_too_much", "fill_the_disk"])
def test_a_full_disk_may_succeed_later(tmp_path: Path, target: str) -> None:
    with pytest.raises(StorageUnavailable, match="disk is full") as caught:
        run(target, tmp_path, limits=Limits(deadline_seconds=60, memory_mb=512, file_mb=5))
    assert caught.value.retryable
    assert not (tmp_path / "out").exists()


def test_an_error_of_the_product_keeps_its_class_and_its_items(tmp_path: Path) -> None:
    with pytest.raises(AssetFailed) as caught:
        run("refuse", tmp_path)
    assert caught.value.detail == "asset 'a' is broken"
    assert caught.value.errors == (ErrorItem("/previewRequest/assets/0", "broken", "it is broken"),)
    with pytest.raises(QueueFull) as busy:
        run("be_busy", tmp_path)
    assert busy.value.retry_after_seconds == 9


@pytest.mark.parametrize(("target", "kind"), [("fail", "ValueError"), ("call_exit", "SystemExit")])
def test_any_other_error_is_generic_outside_and_whole_for_the_log(
    tmp_path: Path, target: str, kind: str
) -> None:
    with pytest.raises(RenderFailed) as caught:
        run(target, tmp_path)
    assert "/srv" not in caught.value.detail
    assert "Traceback" not in caught.value.detail
    assert kind in caught.value.child_traceback  # type: ignore[attr-defined] # for the log alone


@pytest.mark.parametrize(
    "garbage",
    [
        "\udcff".encode("utf-8", "surrogateescape").decode("latin-1"),
        "[]",
        "{}",
        '{"result": {"files": 1}}',
        '{"progress": {"frames": 1}}',
        OUTSIDE,
    ],
)
def test_a_child_that_talks_nonsense_is_a_failure(tmp_path: Path, garbage: str) -> None:
    with pytest.raises(RenderFailed):
        run("send_garbage", tmp_path, garbage=garbage)


def test_a_child_that_never_stops_talking_is_a_failure(tmp_path: Path) -> None:
    with pytest.raises(RenderFailed):
        run("send_without_end", tmp_path)


def test_the_child_is_held_to_its_limits_in_a_group_of_its_own(tmp_path: Path) -> None:
    limits = Limits(deadline_seconds=30, memory_mb=512, file_mb=3, threads=2, niceness=7)
    threads, assets, out, leads, limited, nice, stdin, job, main = run(
        "describe", tmp_path, limits=limits
    ).warnings
    assert (threads, assets, out, leads, job) == ("2", "assets", "out", "True", "job-1")
    assert limited == str([3 * 1024 * 1024, 0, 160])
    assert int(nice) == os.nice(0) + 7
    assert (stdin, main) == ("''", "no main script")


def test_a_child_knows_how_much_memory_it_may_still_take(tmp_path: Path) -> None:
    limits = Limits(deadline_seconds=30, memory_mb=300)
    assert 200 * 2**20 < run("tell_memory_left", tmp_path, limits=limits).frames <= 300 * 2**20


def test_a_limit_is_lowered_and_never_raised(tmp_path: Path) -> None:
    assert run("widen_its_limits", tmp_path).frames == 0
