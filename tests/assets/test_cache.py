from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from app.assets import AssetCache
from app.errors import AssetBlocked, StorageUnavailable
from app.temporary import PREFIX
from tests.assets.conftest import PNG, Desk, remote
from tests.support.https_server import HttpsServer, answer

DIGEST = hashlib.sha256(PNG).hexdigest()


def kept(desk: Desk) -> list[Path]:
    return sorted((desk.directory / "cache").iterdir())


def put(cache: AssetCache, content: bytes, target: Path) -> str:
    digest = hashlib.sha256(content).hexdigest()
    with cache.incoming() as file:
        file.write(content)
        cache.keep(file, digest, target=target)
    return digest


def test_a_file_with_a_digest_is_fetched_once(desk: Desk, server: HttpsServer) -> None:
    server.routes["/a.png"] = answer(PNG)
    assert desk.get(sha256=DIGEST) == desk.get(sha256=DIGEST) == PNG
    assert len(server.seen) == 1
    assert [path.name for path in kept(desk)] == [DIGEST]


def test_a_file_without_a_digest_is_fetched_each_time_and_kept_once(
    desk: Desk, server: HttpsServer
) -> None:
    server.routes["/a.png"] = answer(PNG)
    assert desk.get() == desk.get() == PNG
    assert len(server.seen) == 2
    assert len(kept(desk)) == 1


def test_a_digest_opens_no_file_to_an_address_that_may_not_be_read(
    desk: Desk, server: HttpsServer
) -> None:
    server.routes["/a.png"] = answer(PNG)
    desk.get(sha256=DIGEST)
    with pytest.raises(AssetBlocked):
        desk.get("https://far.test/a.png", sha256=DIGEST)


@pytest.mark.parametrize("damage", [PNG[:-1], PNG[:-1] + b"X", b""])
def test_a_damaged_file_is_dropped_and_fetched_again(
    desk: Desk, server: HttpsServer, damage: bytes
) -> None:
    server.routes["/a.png"] = answer(PNG)
    desk.get(sha256=DIGEST)
    (path,) = kept(desk)
    path.chmod(0o644)
    path.write_bytes(damage)
    assert desk.get(sha256=DIGEST) == PNG
    assert len(server.seen) == 2
    assert path.read_bytes() == PNG


def test_a_jobs_file_cannot_be_written_by_accident_and_stays_when_it_is_dropped(
    desk: Desk, server: HttpsServer
) -> None:
    desk.cache_bytes = 0
    server.routes["/a.png"] = answer(PNG)
    found = desk.fetch(remote("https://assets.test/a.png"))["board"]
    assert kept(desk) == []
    assert found.read_bytes() == PNG
    assert found.stat().st_mode & 0o222 == 0


def test_the_least_recently_used_files_go_first(tmp_path: Path) -> None:
    cache = AssetCache(tmp_path / "cache", max_bytes=250)
    digests = [put(cache, bytes([n]) * 100, tmp_path / str(n)) for n in range(3)]
    for age, digest in zip((300, 200, 100), digests, strict=True):
        os.utime(tmp_path / "cache" / digest, (time.time() - age,) * 2)
    assert cache.take(digests[0], target=tmp_path / "used")
    cache.trim()
    left = {path.name for path in (tmp_path / "cache").iterdir()}
    assert left == {digests[0], digests[2]}
    assert not cache.take(digests[1], target=tmp_path / "gone")


def test_what_a_dead_worker_left_is_removed_and_what_a_living_one_writes_is_not(
    tmp_path: Path,
) -> None:
    cache = AssetCache(tmp_path / "cache", max_bytes=1000)
    with cache.incoming() as file:
        file.write(b"x" * 5000)
        (tmp_path / "cache" / f"{PREFIX}dead").write_bytes(b"x")
        cache.trim()
        assert [path.name for path in (tmp_path / "cache").iterdir()] == [Path(file.name).name]
    assert list((tmp_path / "cache").iterdir()) == []


def test_where_links_are_impossible_the_file_is_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    cache = AssetCache(tmp_path / "cache", max_bytes=1000)
    digest = put(cache, PNG, tmp_path / "one")
    assert cache.take(digest, target=tmp_path / "two")
    assert not cache.take("0" * 64, target=tmp_path / "three")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes() == PNG


def test_a_cache_that_cannot_be_written_is_a_fault_of_the_storage(
    desk: Desk, server: HttpsServer
) -> None:
    server.routes["/a.png"] = answer(PNG)
    (desk.directory / "cache").write_text("no directory")
    with pytest.raises(StorageUnavailable) as caught:
        desk.get()
    assert str(desk.directory) not in caught.value.detail
    (desk.directory / "job-2").write_text("no directory either")
    with pytest.raises(StorageUnavailable):
        desk.get()


def test_a_job_without_remote_assets_makes_no_directory(desk: Desk) -> None:
    assert desk.fetch({"id": "a", "type": "image", "path": "a.png"}) == {}
    assert list(desk.directory.iterdir()) == []
