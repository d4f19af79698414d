from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from app.cli.output.console import ago, clean, human_bytes, short_path
from app.cli.output.files import local_name
from app.cli.remote.addresses import free_ports, http_get, port_is_free
from app.client import PreviewClient
from app.ledger import Ledger, Progress
from tests.cli.conftest import Finish, begin, payload
from tests.cli.terminal import Terminal


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (2_340_000, "2.3 MB"), (5e9, "5.0 GB")],
)
def test_sizes_read_well(count: float, text: str) -> None:
    assert human_bytes(count) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(12, "12 s ago"), (300, "5 min ago"), (7200, "2 h ago"), (86400 * 3, "3 days ago")],
)
def test_moments_read_well(seconds: float, text: str) -> None:
    assert ago(time.time() - seconds) == text


def test_control_characters_are_shown_not_obeyed() -> None:
    assert clean("a\x1b[2Jb\nc") == "a\\x1b[2Jb\\nc"
    assert clean("Füße 日本 ✓") == "Füße 日本 ✓"


def test_a_port_that_is_used_is_not_free() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert not port_is_free(port)
        server.settimeout(10)
        with pytest.raises(OSError, match=r"timed out|refused|HTTP"):
            http_get(port, "/")
    assert port_is_free(port)
    assert len(set(free_ports(3))) == 3


@pytest.mark.parametrize(
    ("name", "path"),
    [("preview.mp4", "preview.mp4"), ("thumbnails/01.jpg", "thumbnails/01.jpg"),
     ("../../etc/passwd", "etc/passwd"), ("/etc/passwd", "etc/passwd")],
)  # fmt: skip
def test_a_file_stays_below_its_directory(name: str, path: str) -> None:
    assert local_name({"name": name}) == Path(path)


def test_paths_are_shown_from_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    assert short_path(tmp_path / "a" / "b") == "a/b"
    assert short_path(Path("/etc/passwd")) == "/etc/passwd"


def test_a_watch_on_a_terminal_shows_a_bar(
    variables: dict[str, str], queue_client: PreviewClient, ledger: Ledger
) -> None:
    queue_client.submit(payload(dryRun=False))
    job_id, fence = begin(ledger)
    ledger.beat(job_id, fence, Progress("rendering", 60, 240))
    terminal = Terminal("watch", "job-1", env=variables)
    terminal.read_until("60/240 frames")
    assert "25%" in terminal.shown
    assert "rendering" in terminal.shown
    assert "━" in terminal.shown
    ledger.settle(job_id, fence, "completed", fields={"artifacts": []})
    assert terminal.end() == 0
    assert "240/240 frames" in terminal.shown


def test_ctrl_c_leaves_the_job_running_and_says_so(
    variables: dict[str, str], queue_client: PreviewClient, ledger: Ledger
) -> None:
    queue_client.submit(payload(dryRun=False))
    begin(ledger)
    terminal = Terminal("watch", "job-1", env=variables)
    terminal.read_until("━")
    terminal.type("\x03")
    terminal.read_until("preview watch job-1")
    assert terminal.end() == 130
    assert "the job keeps running" in terminal.shown
    assert "Traceback" not in terminal.shown
    assert queue_client.status("job-1").state == "active"


def test_tables_on_a_terminal_are_aligned_and_coloured(
    variables: dict[str, str], queue_client: PreviewClient, finish: Finish
) -> None:
    queue_client.submit(payload(dryRun=False))
    finish("completed")
    terminal = Terminal("jobs", env=variables)
    assert terminal.end() == 0
    assert "\x1b[32mcompleted" in terminal.shown
    assert "\t" not in terminal.shown


def test_no_color_is_respected(variables: dict[str, str], queue_client: PreviewClient) -> None:
    queue_client.submit(payload())
    terminal = Terminal("status", "job-1", env=variables | {"NO_COLOR": "1"})
    assert terminal.end() == 0
    assert "\x1b[3" not in terminal.shown
