from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Any

import pytest

from app.errors import AssetBlocked, AssetFailed
from app.limits import MAX_ASSET_BYTES
from app.render.assets import resolve_assets


def job(*given: dict[str, Any]) -> dict[str, Any]:
    return {"previewRequest": {"steps": [], "audio": {}, "assets": list(given)}}


def image(path: str, **more: Any) -> dict[str, Any]:
    return {"id": "a", "type": "image", "path": path, **more}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    directory = tmp_path / "project"
    (directory / "art").mkdir(parents=True)
    (directory / "art" / "card.png").write_bytes(b"card")
    (tmp_path / "secret.txt").write_text("secret")
    return directory


def test_a_relative_path_becomes_the_file_in_the_projects_directory(project: Path) -> None:
    digest = hashlib.sha256(b"card").hexdigest()
    found = resolve_assets(job(image("art/card.png", bytes=4, sha256=digest)), asset_dir=project)
    assert found == {"a": (project / "art" / "card.png").resolve()}


def test_a_link_inside_the_directory_may_be_followed(project: Path) -> None:
    (project / "same.png").symlink_to("art/card.png")
    found = resolve_assets(job(image("same.png")), asset_dir=project)
    assert found["a"].name == "card.png"


@pytest.mark.parametrize("target", ["../secret.txt", "../nothing-there"])
def test_a_link_out_of_the_directory_is_blocked_whether_its_target_exists_or_not(
    project: Path, target: str
) -> None:
    (project / "link.png").symlink_to(target)
    with pytest.raises(AssetBlocked) as caught:
        resolve_assets(job(image("link.png")), asset_dir=project)
    (item,) = caught.value.errors
    assert (item.pointer, item.code) == ("/previewRequest/assets/0/path", "asset-outside")


def test_a_directory_that_links_out_is_blocked(project: Path) -> None:
    (project / "dir").symlink_to("..")
    with pytest.raises(AssetBlocked):
        resolve_assets(job(image("dir/secret.txt")), asset_dir=project)


def test_a_path_that_climbs_out_is_blocked(project: Path) -> None:
    with pytest.raises(AssetBlocked):
        resolve_assets(job(image("../secret.txt")), asset_dir=project)


def test_a_sibling_whose_name_begins_alike_is_outside(project: Path) -> None:
    sibling = project.with_name("project-2")
    sibling.mkdir()
    (sibling / "x.png").write_bytes(b"x")
    with pytest.raises(AssetBlocked):
        resolve_assets(job(image("../project-2/x.png")), asset_dir=project)


def test_a_remote_asset_is_blocked(project: Path) -> None:
    remote = {"id": "r", "type": "image", "uri": "https://example.org/x.png"}
    with pytest.raises(AssetBlocked) as caught:
        resolve_assets(job(remote), asset_dir=project)
    assert caught.value.errors[0].pointer == "/previewRequest/assets/0/uri"


@pytest.mark.parametrize(
    ("asset", "code", "pointer"),
    [
        (image("art/none.png"), "asset-absent", "/previewRequest/assets/0/path"),
        (image("art"), "asset-not-a-file", "/previewRequest/assets/0/path"),
        (image("art/card.png", bytes=3), "asset-too-large", "/previewRequest/assets/0/path"),
        (
            image("art/card.png", sha256="0" * 64),
            "asset-changed",
            "/previewRequest/assets/0/sha256",
        ),
        (image("n" * 300), "asset-absent", "/previewRequest/assets/0/path"),
    ],
)
def test_an_unusable_file_is_an_asset_failed(
    project: Path, asset: dict[str, Any], code: str, pointer: str
) -> None:
    with pytest.raises(AssetFailed) as caught:
        resolve_assets(job(asset), asset_dir=project)
    (item,) = caught.value.errors
    assert (item.code, item.pointer) == (code, pointer)


def test_a_pipe_is_no_regular_file(project: Path) -> None:
    os.mkfifo(project / "pipe.png")
    with pytest.raises(AssetFailed) as caught:
        resolve_assets(job(image("pipe.png")), asset_dir=project)
    assert caught.value.errors[0].code == "asset-not-a-file"


def test_a_loop_of_links_is_an_asset_failed(project: Path) -> None:
    (project / "loop.png").symlink_to("loop.png")
    with pytest.raises(AssetFailed):
        resolve_assets(job(image("loop.png")), asset_dir=project)


def test_a_file_above_the_limit_is_refused_without_reading_it(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (project / "big.png").open("wb") as file:
        file.truncate(MAX_ASSET_BYTES + 1)  # sparse: takes no room
    with pytest.raises(AssetFailed) as caught:
        resolve_assets(job(image("big.png", sha256="0" * 64)), asset_dir=project)
    assert caught.value.errors[0].code == "asset-too-large"


def test_every_broken_asset_is_reported_and_no_message_holds_a_path_of_the_server(
    project: Path,
) -> None:
    given = [image("x.png"), image("../secret.txt"), image("y.png")]
    with pytest.raises(AssetBlocked) as caught:
        resolve_assets(job(*given), asset_dir=project)
    problem = str(caught.value.to_problem())
    assert len(caught.value.errors) == 3
    assert str(project.parent) not in problem


def test_an_absent_directory_fails_each_asset(tmp_path: Path) -> None:
    with pytest.raises(AssetFailed):
        resolve_assets(job(image("x.png")), asset_dir=tmp_path / "none")
    assert resolve_assets(job(), asset_dir=tmp_path / "none") == {}
