from __future__ import annotations

import fcntl
import os
import resource
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.render.video.segments import Coded
from app.render.video.stepcache import StepCache
from app.temporary import PREFIX

KEY, OTHER = "a" * 64, "b" * 64
STEP = [
    Coded(b"key" * 50_000, keyframe=True),
    Coded(b"", keyframe=False),
    Coded(b"skip", keyframe=False),
]


def cache_in(directory: Path, *, max_bytes: int = 10**9) -> StepCache:
    return StepCache(directory, max_bytes=max_bytes)


def keep(cache: StepCache, key: str = KEY, step: list[Coded] = STEP) -> None:
    with cache.keeping(key) as add:
        for coded in step:
            add(coded)


def found(cache: StepCache, key: str = KEY) -> list[Coded] | None:
    stored = cache.find(key)
    return None if stored is None else list(stored)


def files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.name != ".lock")


@contextmanager
def largest_file(size: int) -> Iterator[None]:
    """Have the kernel refuse to write more, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)


def test_a_step_is_found_as_it_was_kept_by_every_process(tmp_path: Path) -> None:
    keep(cache_in(tmp_path / "new" / "cache"))
    assert found(cache_in(tmp_path / "new" / "cache")) == STEP
    assert found(cache_in(tmp_path / "new" / "cache"), OTHER) is None
    assert files(tmp_path / "new" / "cache") == [f"{KEY}.step"]


@pytest.mark.parametrize("at", [0, 20, 100, 75_000, -40, -1])
def test_a_flipped_bit_anywhere_is_detected_and_the_step_can_be_kept_anew(
    tmp_path: Path, at: int
) -> None:
    cache = cache_in(tmp_path)
    keep(cache)
    path = tmp_path / f"{KEY}.step"
    content = bytearray(path.read_bytes())
    content[at] ^= 1
    path.write_bytes(content)
    assert found(cache) is None
    assert files(tmp_path) == [], "it would be found again, and again in vain"
    keep(cache)
    assert found(cache) == STEP


@pytest.mark.parametrize("size", [0, 10, 78, 110, 1000, -1])
def test_what_was_cut_off_is_not_found(tmp_path: Path, size: int) -> None:
    cache = cache_in(tmp_path)
    keep(cache)
    path = tmp_path / f"{KEY}.step"
    path.write_bytes(path.read_bytes()[:size])
    assert found(cache) is None


def test_an_entry_under_the_name_of_another_is_not_found(tmp_path: Path) -> None:
    cache = cache_in(tmp_path)
    keep(cache)
    (tmp_path / f"{KEY}.step").rename(tmp_path / f"{OTHER}.step")
    assert found(cache, OTHER) is None


def test_a_step_that_fails_is_not_kept(tmp_path: Path) -> None:
    def broken() -> None:
        with cache_in(tmp_path).keeping(KEY) as add:
            add(STEP[0])
            assert len(files(tmp_path)) == 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        broken()
    assert files(tmp_path) == []


def test_a_directory_that_cannot_be_made_costs_the_cache_alone(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    cache = cache_in(tmp_path / "file" / "cache")
    keep(cache)
    assert found(cache) is None
    cache.trim()
    assert files(tmp_path) == ["file"]


@pytest.mark.parametrize("size", [20, 1000, 160_000, 150_120])
def test_a_full_disk_costs_the_cache_alone(tmp_path: Path, size: int) -> None:
    cache = cache_in(tmp_path)
    with largest_file(min(size, 150_120)):
        keep(cache)
    assert found(cache) is None
    assert files(tmp_path) == []


def test_what_was_used_least_recently_goes_first(tmp_path: Path) -> None:
    cache = cache_in(tmp_path, max_bytes=500_000)
    keys = [letter * 64 for letter in "abcde"]
    for age, key in enumerate(reversed(keys)):
        keep(cache, key)
        os.utime(tmp_path / f"{key}.step", (time.time() - 100 * (5 - age),) * 2)
    assert found(cache, keys[-1]) == STEP, "the oldest is in use again"
    cache.trim()
    assert files(tmp_path) == [f"{key}.step" for key in ("a" * 64, "e" * 64)]
    cache.trim()
    assert len(files(tmp_path)) == 2


def test_what_fits_is_left_alone(tmp_path: Path) -> None:
    cache = cache_in(tmp_path, max_bytes=500_000)
    for letter in "abc":
        keep(cache, letter * 64)
    cache.trim()
    assert len(files(tmp_path)) == 3


def test_of_two_processes_that_evict_one_does(tmp_path: Path) -> None:
    cache = cache_in(tmp_path, max_bytes=1)
    keep(cache)
    with (tmp_path / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cache.trim()
        assert files(tmp_path) == [f"{KEY}.step"]
    cache.trim()
    assert files(tmp_path) == []


def test_what_killed_workers_left_is_removed_and_work_in_progress_is_not(tmp_path: Path) -> None:
    (tmp_path / f"{PREFIX}dead").write_bytes(b"half")
    cache = cache_in(tmp_path)
    with cache.keeping(KEY) as add:
        add(STEP[0])
        (unfinished,) = (name for name in files(tmp_path) if not name.endswith("dead"))
        cache.trim()
        assert files(tmp_path) == [unfinished]
    assert found(cache) == STEP[:1]


def test_an_entry_that_is_evicted_while_it_is_read_is_read_to_its_end(tmp_path: Path) -> None:
    cache = cache_in(tmp_path, max_bytes=0)
    keep(cache)
    stored = cache.find(KEY)
    assert stored is not None
    cache.trim()
    assert files(tmp_path) == []
    assert list(stored) == STEP


def test_workers_that_keep_the_same_step_at_once_do_not_disturb_each_other(tmp_path: Path) -> None:
    seen: list[bool] = []

    def work() -> None:
        cache = cache_in(tmp_path)
        for _ in range(20):
            keep(cache)
            seen.append(found(cache) == STEP)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 80
    assert files(tmp_path) == [f"{KEY}.step"]
