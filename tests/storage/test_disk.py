from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.errors import ArtifactExpired, StorageUnavailable
from app.storage import CHUNK_BYTES, ArtifactStore, attempt_prefix


@pytest.fixture
def store(tmp_path: Path) -> ArtifactStore:
    return ArtifactStore((tmp_path / "artifacts").as_uri())


def test_a_file_is_read_back_in_any_range(store: ArtifactStore, tmp_path: Path) -> None:
    content = os.urandom(2 * CHUNK_BYTES + 17)
    source = tmp_path / "preview.mp4"
    source.write_bytes(content)
    store.put("job/1/preview.mp4", source)
    assert store.size("job/1/preview.mp4") == len(content)
    assert b"".join(store.read("job/1/preview.mp4", start=0, end=len(content))) == content
    assert b"".join(store.read("job/1/preview.mp4", start=5, end=9)) == content[5:9]
    assert list(store.read("job/1/preview.mp4", start=3, end=3)) == []


def test_a_file_that_is_gone_has_expired(store: ArtifactStore) -> None:
    with pytest.raises(ArtifactExpired):
        store.size("job/1/preview.mp4")
    with pytest.raises(ArtifactExpired):
        list(store.read("job/1/preview.mp4", start=0, end=1))


def test_deleting_a_prefix_leaves_other_attempts_alone(
    store: ArtifactStore, tmp_path: Path
) -> None:
    source = tmp_path / "file"
    source.write_bytes(b"x")
    for key in ("job/1/a", "job/1/b", "job/11/a", "job2/1/a"):
        store.put(key, source)
    assert store.delete_prefix(attempt_prefix("job", 1)) == 2
    assert store.size("job/11/a") == store.size("job2/1/a") == 1
    assert store.delete_prefix(attempt_prefix("job", 1)) == 0


def test_several_may_delete_the_same_files_at_once(store: ArtifactStore, tmp_path: Path) -> None:
    source = tmp_path / "file"
    source.write_bytes(b"x")
    for attempt in range(4):
        for number in range(50):
            store.put(f"job/{attempt}/{number}", source)
        together = threading.Barrier(4)

        def sweep(_: int, *, start: threading.Barrier = together) -> int:
            start.wait(10)
            return store.delete_prefix("job")

        with ThreadPoolExecutor(4) as pool:
            assert sum(pool.map(sweep, range(4))) >= 50
        assert list(store.attempts()) == []


def test_what_others_keep_beside_the_attempts_is_not_listed(
    store: ArtifactStore, tmp_path: Path
) -> None:
    root = tmp_path / "artifacts"
    for name in ("job/1795331000000000", "job/draft", "reports/2026", "lost+found", ".trash"):
        (root / name).mkdir(parents=True)
    (root / "note").touch()
    (root / "lost+found").chmod(0)  # as on a volume of its own, where only root may read it
    assert list(store.attempts()) == [("job", [1795331000000000]), ("reports", [])]


def test_a_job_id_with_colons_and_dots_is_a_key_like_any_other(
    store: ArtifactStore, tmp_path: Path
) -> None:
    source = tmp_path / "file"
    source.write_bytes(b"x")
    key = attempt_prefix("a:b.c_d-e", 1) + "/poster.jpg"
    store.put(key, source)
    assert store.size(key) == 1


def test_a_store_that_works_passes_its_probe(store: ArtifactStore, tmp_path: Path) -> None:
    store.probe()
    assert list((tmp_path / "artifacts").iterdir()) == []


def test_a_store_under_a_file_is_unavailable(tmp_path: Path) -> None:
    blocker = tmp_path / "blocker"
    blocker.write_text("no directory")
    with pytest.raises(StorageUnavailable):
        ArtifactStore((blocker / "artifacts").as_uri()).probe()


def test_a_directory_with_spaces_works(tmp_path: Path) -> None:
    ArtifactStore((tmp_path / "my artifacts ü").as_uri()).probe()
    assert (tmp_path / "my artifacts ü").is_dir()
