"""``preview dev`` and ``preview demo`` as a person runs them: real processes, all of them.

A start takes a processor 15 s, so a test goes on with the stack that it has.
"""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from app.client import PreviewClient
from app.settings import Settings
from tests.cli.dev_stack import DEV, READY, Dev, alive, client_of, running
from tests.cli.terminal import Terminal
from tests.conftest import wait_until
from tests.support.payloads import long_payload, payload
from tests.support.processes import ROOT, children_of, environment


@pytest.fixture
def env(settings: Settings) -> dict[str, str]:
    """The environment of a stack with a server of its own, in the test's directory."""
    told = environment(settings, APP_ENV="development", LOG_FORMAT="console", WEB_CONCURRENCY="1")
    del told["REDIS_URL"]
    return told


def all_end_and_it_is_named(stack: Dev, name: str, word: str) -> None:
    """Kill the part whose command line has ``word``."""
    os.kill(stack.child(word), signal.SIGKILL)
    assert stack.process.wait(60) == 1
    assert f"error: the {name} was killed by signal 9" in stack.shown
    wait_until(lambda: not alive(stack.children), "no process is left")


def test_a_stack_keeps_its_jobs_over_a_stop_and_refuses_a_second_one_on_its_data(
    env: dict[str, str], settings: Settings, tmp_path: Path
) -> None:
    env["PREVIEW_SHUTDOWN_GRACE_SECONDS"] = "0"
    with running(env, tmp_path) as stack:
        stack.wait_ready()
        client = client_of(stack, settings)
        client.submit(payload("dry", dryRun=True))
        assert client.wait("dry", timeout_seconds=60).state == "completed"
        client.submit(long_payload("long"))
        wait_until(lambda: client.status("long").progress.frames_done > 0, "it renders", seconds=60)
        assert stack.end(signal.SIGTERM) == 0
        wait_until(lambda: not alive(stack.children), "no process is left")
        assert stack.shown.splitlines()[-1] == "Stopped."
        assert "Stopping: worker (running renders have 0 s" in stack.shown
    assert len(stack.children) >= 5, "server, API with workers, worker with workers, scheduler"

    with running(env, tmp_path) as stack:
        stack.wait_ready()
        client = client_of(stack, settings)
        assert client.status("dry").state == "completed"
        record = client.status("long")
        assert record.state in ("queued", "active")
        assert record.attempts == 0, "a stop costs no attempt"
        client.cancel("long")
        a_second_stack_on_the_same_data_is_refused(stack, env)
        all_end_and_it_is_named(stack, "api", "gunicorn")


def a_second_stack_on_the_same_data_is_refused(stack: Dev, env: dict[str, str]) -> None:
    again = subprocess.run(
        [sys.executable, "-m", "app", *DEV],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert again.returncode == 1
    assert f"process {stack.process.pid}, API http://127.0.0.1:" in again.stderr
    assert "DATA_DIR" in again.stderr


def test_ctrl_c_on_a_terminal_reaches_each_process_once_and_in_order(env: dict[str, str]) -> None:
    terminal = Terminal(*DEV, "--logs", env=env)
    terminal.read_until(READY, seconds=90)
    children = children_of(terminal.process.pid)
    terminal.type("\x03")
    assert terminal.end() == 0
    wait_until(lambda: not alive(children), "no process is left")
    ends = [
        terminal.shown.index(text)
        for text in (
            "Shutting down: Master",
            "Worker has been shut down",
            "User requested shutdown",
        )
    ]
    assert ends == sorted(ends), "API, worker, Valkey"
    assert "Traceback" not in terminal.shown


def test_when_one_process_dies_all_end_and_it_is_named(env: dict[str, str], tmp_path: Path) -> None:
    """Here it is the server; the API and the worker die in tests whose stack has done its part."""
    with running(env, tmp_path, *DEV) as stack:
        stack.wait_ready()
        all_end_and_it_is_named(stack, "valkey", "valkey-server")


def test_the_commands_find_the_stack_and_a_kill_leaves_no_process(
    env: dict[str, str], tmp_path: Path, preview: Callable[..., Result]
) -> None:
    missing: dict[str, str | None] = {"REDIS_URL": None, "PREVIEW_QUEUE_NAME": None}
    with running(env, tmp_path) as stack:
        stack.wait_ready()
        queued = preview(
            "enqueue", "-", stdin=json.dumps(payload("dry", dryRun=True)).encode(), **missing
        )
        assert (queued.exit_code, queued.stderr) == (0, ""), "no warning: a worker is alive"
        assert preview("watch", "dry", **missing).exit_code == 0
        report = preview("doctor", APP_ENV=None, PREVIEW_API_PORT=None, HEALTH_PORT=None, **missing)
        assert "1 alive with 2 slots" in report.stdout
        assert report.stdout.count("is used by a running preview process") == 2
        assert not re.search("^warn keys", report.stdout, re.MULTILINE)
        os.kill(stack.process.pid, signal.SIGKILL)
        stack.process.wait(10)
        (tmp_path / "again").mkdir()
        with running(env, tmp_path / "again") as again:
            again.wait_ready()
            assert (
                f"Waiting for what a killed preview dev (process {stack.process.pid}) left: valkey"
                in again.shown
            )
            assert not alive(stack.children)
            assert preview("status", "dry", **missing).exit_code == 0, "nothing is lost"
    assert "no Redis" not in preview("queue", **missing).stdout


def test_a_part_that_cannot_start_is_named_with_its_last_lines(
    env: dict[str, str], tmp_path: Path
) -> None:
    env["GUNICORN_CMD_ARGS"] = "--worker-class nonsense"
    with running(env, tmp_path, *DEV) as stack:
        assert stack.process.wait(90) == 1
    assert re.search(r"^error: the api ended with exit code \d+", stack.shown, re.MULTILINE)
    assert re.search(r"^  api │ .*nonsense", stack.shown, re.MULTILINE)
    assert (Path(env["DATA_DIR"]) / "logs" / "api.log").read_text()


def test_a_signal_during_the_start_leaves_no_process(env: dict[str, str], tmp_path: Path) -> None:
    with running(env, tmp_path) as stack:
        wait_until(lambda: len(children_of(stack.process.pid)) >= 2, "the parts start")
        assert stack.end() == 0
        wait_until(lambda: not alive(stack.children), "no process is left")
    assert READY not in stack.shown


@pytest.mark.parametrize(
    ("option", "variable"), [("--port", "PREVIEW_API_PORT"), ("--health-port", "HEALTH_PORT")]
)
def test_a_port_that_is_taken_is_named_with_what_chooses_another(
    preview: Callable[..., Result], option: str, variable: str
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = preview(*DEV, option, port)
    assert result.exit_code == 1
    assert result.stderr == (
        f"error: port {port} on 127.0.0.1 is in use by another program; "
        f"choose another with {option} or {variable}\n"
    )


def test_a_server_of_ones_own_is_used_and_the_doctor_knows_the_parts(
    env: dict[str, str], settings: Settings, tmp_path: Path, preview: Callable[..., Result]
) -> None:
    env["REDIS_URL"] = settings.redis_url
    with running(env, tmp_path, *DEV) as stack:
        stack.wait_ready()
        client = PreviewClient.from_settings(settings)
        client.submit(payload("dry", dryRun=True))
        assert client.wait("dry", timeout_seconds=60).state == "completed"
        assert "(REDIS_URL)" in stack.shown
        ports = re.findall(r"http://127\.0\.0\.1:(\d+)/(?:api|readyz)", stack.shown)
        report = preview("doctor", PREVIEW_API_PORT=ports[0], HEALTH_PORT=ports[1]).stdout
        assert report.count("is used by a running preview process") == 2
        assert "1 alive with 2 slots" in report
        all_end_and_it_is_named(stack, "worker", "dramatiq")
    assert not (settings.data_dir / "valkey").exists()


def test_a_server_that_does_not_answer_is_refused(preview: Callable[..., Result]) -> None:
    result = preview(*DEV, REDIS_URL="redis://:hunter2@127.0.0.1:1")
    assert result.exit_code == 1
    assert "no Redis answers at 127.0.0.1:1 (REDIS_URL)" in result.stderr
    assert "hunter2" not in result.stderr


def test_an_interrupted_demo_leaves_nothing_and_the_next_makes_a_video(
    env: dict[str, str], tmp_path: Path
) -> None:
    with running(env, tmp_path, "demo") as stack:
        wait_until(lambda: "preparing" in stack.shown, "the job runs", seconds=90)
        assert stack.end(signal.SIGINT) == 130
        wait_until(lambda: not alive(stack.children), "no process is left")
    assert stack.shown.splitlines()[-1] == "error: interrupted"

    env |= {name: value for name, value in os.environ.items() if name.startswith("COVERAGE_")}
    done = subprocess.run(
        [sys.executable, "-m", "app", "demo"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r"^  (\S+/preview\.mp4)  [\d.]+ MB$", done.stdout, re.MULTILINE)
    assert found, done.stdout
    video = Path(found.group(1))
    assert video.parent.parent == tmp_path / "demo"
    assert video.read_bytes()[4:8] == b"ftyp"
    assert json.loads((video.parent / "manifest.json").read_text())
    assert re.search(r"^Play it: .*preview\.mp4", done.stdout, re.MULTILINE)
