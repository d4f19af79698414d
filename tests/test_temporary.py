from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.temporary import (
    PREFIX,
    make_directory,
    make_file,
    remove_leftovers,
    share_directory,
    temporary_directory,
)

#: Makes one of each kind, says so, and goes on until it is killed.
MAKER = """
import pathlib, sys, time
from app.temporary import make_directory, make_file, share_directory
root = pathlib.Path(sys.argv[1])
directory, _ = make_directory(root, name="a")
(directory / "half").write_bytes(b"half")
file, _ = make_file(root)
share_directory(root / "preview-tmp-shared")
print("made", flush=True)
time.sleep(60)
"""


def names(root: Path) -> list[str]:
    return sorted(path.name for path in root.iterdir())


def test_what_a_killed_process_left_is_removed_at_once_and_what_a_living_one_uses_is_not(
    tmp_path: Path,
) -> None:
    command = [sys.executable, "-c", MAKER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as maker:
        assert maker.stdout is not None
        assert maker.stdout.readline() == b"made\n"
        made = names(tmp_path)
        assert len(made) == 3
        assert remove_leftovers(tmp_path) == []
        assert names(tmp_path) == made
        maker.send_signal(signal.SIGKILL)
        maker.wait()
        assert sorted(remove_leftovers(tmp_path)) == made
    assert names(tmp_path) == []


def test_a_shared_directory_lasts_as_long_as_one_of_its_users(tmp_path: Path) -> None:
    path = tmp_path / f"{PREFIX}shared"
    first, second = share_directory(path), share_directory(path)
    os.close(first)
    assert remove_leftovers(tmp_path) == []
    os.close(second)
    assert remove_leftovers(tmp_path) == [path.name]


def test_nothing_else_is_touched(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "film.mp4").write_bytes(b"whole")
    (tmp_path / f"{PREFIX}link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "preview-of-mine").mkdir()
    assert remove_leftovers(tmp_path) == []
    assert remove_leftovers(tmp_path / "absent") == []
    assert (tmp_path / "elsewhere" / "film.mp4").exists()
    assert len(names(tmp_path)) == 3


def test_a_pipe_of_that_name_holds_nobody_up(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / f"{PREFIX}pipe")
    remove_leftovers(tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file to another user")
def test_another_users_files_are_left_to_that_user(tmp_path: Path) -> None:
    theirs = tmp_path / f"{PREFIX}theirs"
    theirs.mkdir()
    os.chown(theirs, 12345, 12345)
    assert remove_leftovers(tmp_path) == []
    assert theirs.exists()


def test_an_ended_process_leaves_nothing(tmp_path: Path) -> None:
    with temporary_directory(tmp_path / "new", name="12") as directory:
        assert directory.name.startswith(f"{PREFIX}12-")
        (directory / "half").write_bytes(b"half")
    assert names(tmp_path / "new") == []


def test_nobody_loses_what_it_has_just_made_to_one_who_clears_up(tmp_path: Path) -> None:
    over = threading.Event()

    def clear() -> None:
        while not over.wait(0.001):  # in a tighter loop, who makes something hardly gets a turn
            remove_leftovers(tmp_path)

    def make(_: int) -> bool:
        directory, held = make_directory(tmp_path, name="a")
        file, writer = make_file(tmp_path)
        shared = share_directory(tmp_path / f"{PREFIX}shared")
        kept = directory.exists() and file.exists() and (tmp_path / f"{PREFIX}shared").exists()
        for descriptor in (held, writer, shared):
            os.close(descriptor)
        return kept

    with ThreadPoolExecutor(4) as threads:
        clearing = [threads.submit(clear) for _ in range(2)]
        try:
            made = list(threads.map(make, range(200)))
        finally:
            over.set()
    assert all(made)
    assert all(one.exception() is None for one in clearing)


def test_where_directories_cannot_be_locked_they_are_made_and_never_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_descriptor: int, _how: int) -> None:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))  # NFS, see flock(2)

    monkeypatch.setattr("fcntl.flock", refuse)
    directory, descriptor = make_directory(tmp_path, name="a")
    assert remove_leftovers(tmp_path) == []
    assert directory.is_dir()
    os.close(descriptor)
