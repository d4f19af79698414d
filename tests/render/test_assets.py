from __future__ import annotations

import hashlib
import os
import socket
import threading
from collections import Counter
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
    assert found == {"a": project / "art" / "card.png"}


@pytest.mark.parametrize("target", ["art/card.png", "../secret.txt", "../nothing-there"])
def test_a_link_is_blocked_wherever_it_leads(project: Path, target: str) -> None:
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


def test_a_socket_is_no_regular_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)  # a socket's path is short
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("x.png")
        with pytest.raises(AssetFailed) as caught:
            resolve_assets(job(image("x.png")), asset_dir=project)
    assert caught.value.errors[0].code == "asset-not-a-file"


def test_a_loop_of_links_is_blocked(project: Path) -> None:
    (project / "loop.png").symlink_to("loop.png")
    with pytest.raises(AssetBlocked):
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


def test_the_projects_own_directory_may_be_a_link(project: Path) -> None:
    (project.parent / "current").symlink_to("project")
    resolve_assets(job(image("art/card.png")), asset_dir=project.parent / "current")


def test_copies_are_what_was_checked_whatever_becomes_of_the_files(
    project: Path, tmp_path: Path
) -> None:
    digest = hashlib.sha256(b"card").hexdigest()
    given = [image("art/card.png", sha256=digest), {**image("art/card.png"), "id": "b"}]
    copies = tmp_path / "copies"
    found = resolve_assets(job(*given), asset_dir=project, into=copies)
    (project / "art" / "card.png").write_bytes(b"another")
    assert {path.read_bytes() for path in found.values()} == {b"card"}
    assert len(list(copies.iterdir())) == 1


def test_a_file_that_a_job_names_many_times_is_read_once(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    real = hashlib.sha256

    def counted() -> Any:
        made.append(real())
        return made[-1]

    monkeypatch.setattr("app.render.assets.hashlib.sha256", counted)
    digest = real(b"card").hexdigest()
    given = [{**image("art/card.png", sha256=digest), "id": str(number)} for number in range(50)]
    resolve_assets(job(*given), asset_dir=project)
    assert len(made) == 1


def test_the_files_of_a_job_have_a_limit_together(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.render.assets.MAX_JOB_BYTES", 10)
    for name in "xyz":
        (project / name).write_bytes(name.encode() * 4)
    given = [{**image(name), "id": name} for name in "xyz"]
    resolve_assets(job(*given[:2]), asset_dir=project, into=tmp_path / "1")
    with pytest.raises(AssetFailed) as caught:
        resolve_assets(job(*given), asset_dir=project, into=tmp_path / "2")
    (item,) = caught.value.errors
    assert (item.pointer, item.code) == ("/previewRequest/assets/2/path", "asset-too-large")


def test_a_file_exchanged_for_a_link_at_any_moment_shows_nothing_of_another_project(
    project: Path, tmp_path: Path
) -> None:
    """A second thread exchanges the file, and its directory, for links out of the project."""
    other = tmp_path / "other"
    other.mkdir()
    (other / "card.png").write_bytes(b"secret")
    (project / "link.png").symlink_to(other / "card.png")
    (project / "link").symlink_to(other)
    (project / "own").mkdir()
    (project / "own" / "card.png").write_bytes(b"card")
    ended = threading.Event()

    def exchange() -> None:
        while not ended.is_set():
            for one, another in (("art/card.png", "link.png"), ("own", "link")):
                (project / one).rename(project / "kept")
                (project / another).rename(project / one)
                (project / one).rename(project / another)
                (project / "kept").rename(project / one)

    thread = threading.Thread(target=exchange)
    thread.start()
    seen: Counter[str] = Counter()
    try:
        for number in range(400):
            path = ("art/card.png", "own/card.png")[number % 2]
            try:
                found = resolve_assets(
                    job(image(path)), asset_dir=project, into=tmp_path / str(number)
                )
                seen[found["a"].read_text()] += 1
            except (AssetBlocked, AssetFailed) as error:
                seen[error.code] += 1
    finally:
        ended.set()
        thread.join()
    assert "secret" not in seen
    assert seen["card"]
