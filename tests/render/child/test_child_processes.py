from __future__ import annotations

import contextlib
import os
import resource
import signal
import subprocess
import sys
import threading
import time
from multiprocessing import forkserver
from pathlib import Path

import pytest

from app.errors import (
    AssetFailed,
    RenderFailed,
)
from app.render import Progress, RenderResult, render_in_child, warm_up
from app.render.model.themes import THEMES
from tests.render import targets
from tests.render.children import LIMITS, gone, never, run, written_by
from tests.render.films import make_payload

ROOT = Path(__file__).parents[3]
#: A result with a file that is not in the output directory.
OUTSIDE = (
    '{"result": {"files": [{"kind": "video", "name": "../../x", "content_type": "",'
    ' "bytes": 1, "sha256": ""}], "warnings": [], "seconds": 1, "frames": 1}}'
)


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


def test_a_fork_server_that_died_is_replaced_and_knows_the_build_of_its_code(
    tmp_path: Path,
) -> None:
    warm_up()
    server = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined] # no public name
    os.kill(server, signal.SIGKILL)
    assert run("succeed", tmp_path) == targets.RESULT
    assert run("tell_what_is_done", tmp_path).warnings == ("1", str(len(THEMES)))


def test_a_fork_server_that_was_stopped_goes_on(tmp_path: Path) -> None:
    warm_up()
    server = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined] # as above
    os.kill(server, signal.SIGSTOP)
    began = time.monotonic()
    assert run("succeed", tmp_path) == targets.RESULT
    assert time.monotonic() - began < 10
    assert forkserver._forkserver._forkserver_pid == server  # type: ignore[attr-defined] # as above


def test_signals_that_tell_a_whole_service_to_end_leave_it_to_the_worker(tmp_path: Path) -> None:
    warm_up()
    server = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined] # no public name

    def signal_all(_: Progress | None) -> None:
        child = written_by(tmp_path / "out" / "partial")
        for number in (signal.SIGTERM, signal.SIGHUP):
            os.kill(server, number)
            os.kill(child, number)

    result = run("succeed", tmp_path, on_tick=signal_all, frames=20, pause=0.02)
    assert result == targets.RESULT
    assert forkserver._forkserver._forkserver_pid == server  # type: ignore[attr-defined] # as above
    assert not gone(server, within_seconds=0.1)


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
