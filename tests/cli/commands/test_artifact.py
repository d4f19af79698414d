from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from app.client import PreviewClient
from app.settings import Settings
from tests.cli.conftest import Finish, payload

Preview = Callable[..., Result]


def live(job_id: str = "job-1") -> dict[str, object]:
    return payload(job_id, dryRun=False)


def test_a_finished_file_is_fetched(
    preview: Preview,
    queue_client: PreviewClient,
    finish: Finish,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    queue_client.submit(live())
    finish("completed", files={"preview.mp4": b"video", "poster.jpg": b"poster"})
    monkeypatch.chdir(tmp_path)
    assert preview("artifact", "job-1").stdout == "job-1-preview.mp4  5 B\n"
    assert (tmp_path / "job-1-preview.mp4").read_bytes() == b"video"
    directory = tmp_path / "out"
    directory.mkdir()
    preview("artifact", "job-1", "--kind", "poster", "--out", directory)
    assert (directory / "job-1-poster.jpg").read_bytes() == b"poster"
    described = json.loads(preview("artifact", "job-1", "--out", "v.mp4", "--json").stdout)
    assert (described["path"], described["bytes"]) == ("v.mp4", 5)
    assert preview("artifact", "job-1", "--out", "-", "--json").exit_code == 2
    piped = preview("artifact", "job-1", "--out", "-")
    assert piped.stdout_bytes == b"video"


def test_a_file_is_overwritten_only_by_force(
    preview: Preview, queue_client: PreviewClient, finish: Finish, tmp_path: Path
) -> None:
    queue_client.submit(live())
    finish("completed", files={"preview.mp4": b"video"})
    mine = tmp_path / "mine.mp4"
    mine.write_bytes(b"mine")
    refused = preview("artifact", "job-1", "--out", mine)
    assert (refused.exit_code, mine.read_bytes()) == (3, b"mine")
    assert "--force" in refused.stderr
    assert preview("artifact", "job-1", "--out", mine, "--force").exit_code == 0
    assert mine.read_bytes() == b"video"


def test_a_store_that_is_not_here_is_named_and_not_made(
    preview: Preview, queue_client: PreviewClient, finish: Finish, tmp_path: Path
) -> None:
    queue_client.submit(live())
    finish("completed", files={"preview.mp4": b"video"})
    result = preview("artifact", "job-1", DATA_DIR=str(tmp_path / "elsewhere"))
    assert result.exit_code == 3
    assert f"there is no artifact store at {tmp_path}/elsewhere/artifacts" in result.stderr
    assert not (tmp_path / "elsewhere").exists()


def test_a_file_that_was_changed_in_the_store_is_refused(
    preview: Preview,
    queue_client: PreviewClient,
    finish: Finish,
    settings: Settings,
    tmp_path: Path,
) -> None:
    queue_client.submit(live())
    finish("completed", files={"preview.mp4": b"video"})
    (stored,) = (settings.data_dir / "artifacts").rglob("preview.mp4")
    stored.write_bytes(b"VIDEO")
    target = tmp_path / "v.mp4"
    result = preview("artifact", "job-1", "--out", target)
    assert result.exit_code == 1
    assert "damaged" in result.stderr
    assert not list(tmp_path.glob("v.mp4*")), "nothing half-checked is left"


def test_a_file_that_cannot_be_written_is_3(
    preview: Preview, queue_client: PreviewClient, finish: Finish
) -> None:
    queue_client.submit(live())
    finish("completed", files={"preview.mp4": b"video"})
    result = preview("artifact", "job-1", "--out", "/dev/null/x.mp4")
    assert result.exit_code == 3
    assert result.stderr.startswith("error: cannot write /dev/null/x.mp4: ")


def test_an_unknown_kind_names_those_there_are(
    preview: Preview, queue_client: PreviewClient, finish: Finish
) -> None:
    queue_client.submit(live())
    finish("completed", files={"preview.mp4": b"v", "poster.jpg": b"p"})
    result = preview("artifact", "job-1", "--kind", "hologram")
    assert result.exit_code == 1
    assert "it has: video, poster" in result.stderr


def test_files_of_an_unfinished_job_are_not_ready(
    preview: Preview, queue_client: PreviewClient
) -> None:
    queue_client.submit(live())
    result = preview("artifact", "job-1")
    assert (result.exit_code, "preview watch job-1" in result.stderr) == (1, True)
