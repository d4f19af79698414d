from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from itertools import pairwise
from multiprocessing import forkserver
from pathlib import Path
from typing import Any

import pytest

from app.errors import (
    AssetFailed,
    ErrorItem,
    QueueFull,
    RenderFailed,
    RenderTimeout,
    StorageUnavailable,
)
from app.render import Limits, Progress, RenderResult, RenderStopped, render_in_child, warm_up
from tests.render import targets
from tests.render.films import make_payload

ROOT = Path(__file__).parents[2]
#: A result with a file that is not in the output directory.
OUTSIDE = (
    '{"result": {"files": [{"kind": "video", "name": "../../x", "content_type": "",'
    ' "bytes": 1, "sha256": ""}], "warnings": [], "seconds": 1, "frames": 1}}'
)
LIMITS = Limits(deadline_seconds=60, memory_mb=512)


def never(_: Progress | None) -> str | None:
    return None


def run(
    target: str,
    tmp_path: Path,
    *,
    limits: Limits = LIMITS,
    on_tick: Callable[[Progress | None], str | None] = never,
    tick_seconds: float = 0.05,
    **payload: Any,
) -> RenderResult:
    return render_in_child(
        {"jobId": "job-1", **payload},
        asset_dir=tmp_path / "assets",
        out_dir=tmp_path / "out",
        limits=limits,
        on_tick=on_tick,
        tick_seconds=tick_seconds,
        target=f"tests.render.targets:{target}",
    )


def gone(pid: int, *, within_seconds: float) -> bool:
    deadline = time.monotonic() + within_seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError):
            state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()
            if state[0] != "Z":
                time.sleep(0.01)
                continue
        return True
    return False


def written_by(path: Path) -> int:
    """Wait for a process id in ``path``."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with contextlib.suppress(FileNotFoundError, ValueError):
            return int(path.read_text(encoding="ascii"))
        time.sleep(0.01)
    raise AssertionError(f"nothing wrote {path.name}")


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
    assert len(times) >= 8
    assert min(b - a for a, b in pairwise(times)) > 0.09
    assert [p.frames_done for p in news] == sorted(p.frames_done for p in news)
    assert news[-1].frames_total == 75
    quiet: list[Progress | None] = []
    limits = Limits(deadline_seconds=1, memory_mb=512)
    with pytest.raises(RenderTimeout):
        run("hang", tmp_path, limits=limits, on_tick=quiet.append)
    assert quiet.count(None) >= 5
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
    assert limited == str([3 * 1024 * 1024, 0, 130])
    assert int(nice) == os.nice(0) + 7
    assert (stdin, main) == ("''", "no main script")


def test_a_limit_is_lowered_and_never_raised(tmp_path: Path) -> None:
    assert run("widen_its_limits", tmp_path).frames == 0


def test_a_child_that_cannot_be_started_may_succeed_later(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(list(Path("/proc/self/fd").iterdir()))
    resource.setrlimit(resource.RLIMIT_NOFILE, (used, hard))
    try:
        with pytest.raises(RenderFailed, match="cannot be started"):
            run("succeed", tmp_path)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert run("succeed", tmp_path) == targets.RESULT


def test_a_fork_server_that_died_is_replaced(tmp_path: Path) -> None:
    warm_up()
    server = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined] # no public name
    os.kill(server, signal.SIGKILL)
    assert run("succeed", tmp_path) == targets.RESULT


def test_two_threads_render_at_once(tmp_path: Path) -> None:
    warm_up()
    results: list[RenderResult] = []
    failures: list[BaseException] = []

    def work(number: int) -> None:
        for turn in range(5):
            try:
                out = tmp_path / f"{number}-{turn}"
                results.append(run("succeed", out, frames=20, pause=0.01))
            except BaseException as error:  # noqa: BLE001 - told by the test below
                failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert results == [targets.RESULT] * 15


def test_no_file_descriptor_is_left_open(tmp_path: Path) -> None:
    run("succeed", tmp_path)
    before = len(list(Path("/proc/self/fd").iterdir()))
    for target in ("succeed", "crash", "refuse"):
        with contextlib.suppress(RenderFailed, AssetFailed):
            run(target, tmp_path)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_the_real_engine_runs_in_a_child(tmp_path: Path) -> None:
    payload = make_payload({"id": "one", "text": "Hello.", "durationSec": 1})
    (tmp_path / "assets").mkdir()
    result = render_in_child(
        payload,
        asset_dir=tmp_path / "assets",
        out_dir=tmp_path / "out",
        limits=LIMITS,
        on_tick=never,
    )
    assert result.frames == 30
    for file in result.files:
        assert (tmp_path / "out" / file.name).stat().st_size == file.bytes


#: A worker without a guard around its main part, that says how long each child took.
SCRIPT = """
import sys, time
from pathlib import Path
from app.render import Limits, render_in_child, warm_up
MARK = "main script was run again"
def go(target, out):
    return render_in_child({"jobId": "j"}, asset_dir=Path(out), out_dir=Path(out) / "out",
        limits=Limits(memory_mb=512), on_tick=lambda _: None,
        target="tests.render.targets:" + target)
"""


def script(tmp_path: Path, body: str, *arguments: str) -> subprocess.Popen[str]:
    path = tmp_path / "worker.py"
    path.write_text(SCRIPT + body)
    return subprocess.Popen(
        [sys.executable, str(path), *arguments],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_main_script_is_not_run_again_in_the_child(tmp_path: Path) -> None:
    body = "print(go('describe', sys.argv[1]).warnings[-1])\n"
    with script(tmp_path, body, str(tmp_path)) as process:
        out, errors = process.communicate(timeout=60)
    assert out == "no main script\n"
    assert "Traceback" not in errors


@pytest.mark.parametrize("method", ["spawn", "fork", "forkserver"])
def test_it_works_in_a_worker_that_is_a_child_itself(tmp_path: Path, method: str) -> None:
    body = """
import multiprocessing
def work(out):
    print(go("succeed", out).frames, flush=True)
if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[2])
    worker = context.Process(target=work, args=(sys.argv[1],))
    worker.start()
    worker.join()
    print(worker.exitcode)
"""
    with script(tmp_path, body, str(tmp_path), method) as process:
        out, errors = process.communicate(timeout=60)
    assert out == "75\n0\n"
    assert "Traceback" not in errors


def test_a_child_ends_within_two_seconds_of_its_killed_worker(tmp_path: Path) -> None:
    with script(tmp_path, "go('hang', sys.argv[1])\n", str(tmp_path)) as process:
        child = written_by(tmp_path / "out" / "partial")
        assert not gone(child, within_seconds=0.2)
        os.kill(process.pid, signal.SIGKILL)
        assert gone(child, within_seconds=2)


def test_a_worker_does_not_load_what_only_its_children_need() -> None:
    code = "import sys, app.render; print(sorted({'av', 'numpy', 'PIL'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout == b"[]\n"
