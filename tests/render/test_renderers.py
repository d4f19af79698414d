from __future__ import annotations

import sys
from pathlib import Path

import pytest

from app.errors import AssetFailed
from app.render import Limits, Progress, RenderResult, render_in_child
from app.render.renderers import STORYBOARD, renderer_names, renderer_target
from app.settings import SettingsError
from tests.render.films import make_payload

#: A renderer that draws nothing: it tells what it was given.
PLUGIN = """
import time

from app.errors import AssetFailed
from app.render.progress import Progress
from app.render.result import RenderedFile, RenderResult


class Plain:
    @staticmethod
    def render(
        payload, *, asset_dir, out_dir, threads, on_progress, step_cache=None, fetched=None,
        font_dirs=(),
    ):
        on_progress(Progress("rendering", 1, 1))
        deadline = time.monotonic() + 30 * (payload["jobId"] == "watched")
        while not (asset_dir / "seen").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        if payload["jobId"] == "broken":
            raise AssetFailed("it will not do")
        out_dir.mkdir()
        content = f"{payload['jobId']} {asset_dir.name} {threads}".encode()
        (out_dir / "preview.txt").write_bytes(content)
        file = RenderedFile("video", "preview.txt", "text/plain", len(content), "")
        return RenderResult(files=(file,), warnings=("plain",), seconds=1.0, frames=1)
"""


def install(directory: Path, name: str, module: str, *, value: str = "Plain.render") -> None:
    """Install a distribution as pip leaves it: a module and its metadata."""
    (directory / f"{module}.py").write_text(PLUGIN)
    metadata = directory / f"{module}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[preview.renderers]\n{name} = {module}:{value}\n")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory of installed distributions."""
    directory = tmp_path / "site"
    directory.mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(directory)])
    return directory


def rendered(tmp_path: Path, target: str, job_id: str = "job-1") -> RenderResult:
    return render_in_child(
        make_payload() | {"jobId": job_id},
        asset_dir=tmp_path,
        out_dir=tmp_path / "out",
        limits=Limits(deadline_seconds=60, threads=3),
        on_tick=lambda _: None,
        target=target,
    )


def test_the_built_in_renderer_is_there_without_any_plug_in() -> None:
    assert renderer_target("storyboard") == STORYBOARD
    assert "storyboard" in renderer_names()


def test_an_installed_renderer_renders_in_the_child(site: Path, tmp_path: Path) -> None:
    install(site, "plain", "plain_renderer_one")
    target = renderer_target("plain")
    assert target == "plain_renderer_one:Plain.render"
    result = rendered(tmp_path, target)
    assert result.warnings == ("plain",)
    assert (tmp_path / "out" / "preview.txt").read_text() == f"job-1 {tmp_path.name} 3"
    assert "plain_renderer_one" not in sys.modules  # the worker itself never loads it


def test_an_error_of_a_plug_in_keeps_its_class(site: Path, tmp_path: Path) -> None:
    install(site, "plain", "plain_renderer_two")
    with pytest.raises(AssetFailed, match="it will not do"):
        rendered(tmp_path, renderer_target("plain"), job_id="broken")
    assert not (tmp_path / "out").exists()


def test_a_plug_in_cannot_take_the_place_of_the_built_in_one(site: Path) -> None:
    install(site, "storyboard", "plain_renderer_three")
    assert renderer_target("storyboard") == STORYBOARD


def test_an_absent_renderer_is_named_with_those_that_are_there(site: Path) -> None:
    install(site, "plain", "plain_renderer_four")
    with pytest.raises(SettingsError, match=r"PREVIEW_RENDERER='blender'.*plain, storyboard"):
        renderer_target("blender")


def test_two_renderers_of_one_name_are_refused(site: Path) -> None:
    install(site, "plain", "plain_renderer_five")
    install(site, "plain", "plain_renderer_six")
    with pytest.raises(SettingsError, match="several are installed"):
        renderer_target("plain")


def test_progress_of_a_plug_in_reaches_its_supervisor(site: Path, tmp_path: Path) -> None:
    install(site, "plain", "plain_renderer_seven")
    seen: list[Progress | None] = []

    def on_tick(progress: Progress | None) -> None:
        if progress is not None:
            seen.append(progress)
            (tmp_path / "seen").touch()

    render_in_child(
        make_payload() | {"jobId": "watched"},
        asset_dir=tmp_path,
        out_dir=tmp_path / "out",
        limits=Limits(deadline_seconds=60),
        on_tick=on_tick,
        tick_seconds=0.01,
        target=renderer_target("plain"),
    )
    assert Progress("rendering", 1, 1) in seen
