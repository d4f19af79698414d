"""The step cache: encoded steps by the hash of all that determines them.

Workers share a directory. An entry is written under a temporary name, flushed
and renamed, so that none is ever seen half; its checksum is verified before
anything of it is used. What the disk refuses costs the entry, never the render.

An entry: ``MAGIC``, its key, then for each frame its size (4 bytes, the highest
bit tells a keyframe) and its packet; at the end the SHA-256 of all that.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import struct
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Final

from app.render.model.limits import StepCachePlace
from app.render.video.segments import Coded
from app.temporary import make_file, remove_leftovers

#: First bytes of an entry; they change with its format.
MAGIC: Final = b"mobius-step-1\n"
#: Eviction goes down to this part of the limit, so that it is not due again at once.
_LOW_WATER: Final = 0.9
_SIZE: Final = struct.Struct(">I")
_KEY_FRAME: Final = 1 << 31
_DIGEST_BYTES: Final = 32
_CHUNK: Final = 256 * 1024
_SUFFIX: Final = ".step"


class StepCache:
    """Encoded steps in a directory that other processes use at the same time.

    Args:
        directory: Made when absent.
        max_bytes: What all entries together may take after :meth:`trim`.
    """

    def __init__(self, directory: Path, *, max_bytes: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes

    @classmethod
    def at(cls, place: StepCachePlace) -> StepCache:
        """Return the cache at ``place``."""
        return cls(place.directory, max_bytes=place.max_mb * 1024 * 1024)

    def find(self, key: str) -> Stored | None:
        """Return the whole and undamaged entry of ``key``, or None; close what is returned."""
        path = self._path(key)
        try:
            file = path.open("rb")
        except OSError:
            return None
        stored = Stored(file, key)
        with contextlib.suppress(OSError):
            if stored.is_sound():
                os.utime(path)  # eviction takes what was not used for longest
                return stored
        stored.close()
        with contextlib.suppress(OSError):
            path.unlink()
        return None

    @contextlib.contextmanager
    def keeping(self, key: str) -> Iterator[Callable[[Coded], None]]:
        """Give a function to call with each frame of a step; keep them when all went well."""
        entry = _Entry(self._directory, key)
        try:
            yield entry.add
            entry.finish(self._path(key))
        finally:
            entry.discard()

    def trim(self) -> None:
        """Remove what was not used for longest, until the rest fits; leave it if another does."""
        with contextlib.suppress(OSError), (self._directory / ".lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove_leftovers(self._directory)
            self._evict()

    def _path(self, key: str) -> Path:
        return self._directory / f"{key}{_SUFFIX}"

    def _evict(self) -> None:
        found = []
        for entry in os.scandir(self._directory):
            if entry.name.endswith(_SUFFIX):
                with contextlib.suppress(OSError):  # another process may have removed it
                    found.append((entry.stat().st_mtime_ns, entry.stat().st_size, entry.path))
        total = sum(size for _, size, _ in found)
        if total <= self._max_bytes:
            return
        for _, size, path in sorted(found):
            with contextlib.suppress(OSError):
                Path(path).unlink()
                total -= size
            if total <= self._max_bytes * _LOW_WATER:
                return


class Stored:
    """An entry that was found: iterate over it once, for its frames."""

    def __init__(self, file: BinaryIO, key: str) -> None:
        self._file = file
        self._head = MAGIC + key.encode()
        self._left = os.fstat(file.fileno()).st_size - len(self._head) - _DIGEST_BYTES

    def is_sound(self) -> bool:
        """Return whether this is the entry of its key, to the last bit; leaves it at its frames."""
        head = self._file.read(len(self._head))
        if head != self._head or self._left < 0:
            return False
        digest, left = hashlib.sha256(head), self._left
        while left and (chunk := self._file.read(min(left, _CHUNK))):
            digest.update(chunk)
            left -= len(chunk)
        sound = self._file.read() == digest.digest()
        self._file.seek(len(self._head))
        return sound

    def __iter__(self) -> Iterator[Coded]:
        with self._file:
            while self._left:
                (mark,) = _SIZE.unpack(self._file.read(_SIZE.size))
                size = mark & ~_KEY_FRAME
                yield Coded(self._file.read(size), bool(mark & _KEY_FRAME))
                self._left -= _SIZE.size + size

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class _Entry:
    """An entry in the making. Given up, silently, at the first error of the disk."""

    def __init__(self, directory: Path, key: str) -> None:
        self._file: BinaryIO | None = None
        self._digest = hashlib.sha256()
        self._name = Path()
        with contextlib.suppress(OSError):
            self._name, descriptor = make_file(directory)
            self._file = os.fdopen(descriptor, "wb")
        self._write(MAGIC + key.encode())

    def add(self, coded: Coded) -> None:
        mark = len(coded.data) | (_KEY_FRAME if coded.keyframe else 0)
        self._write(_SIZE.pack(mark))
        self._write(coded.data)

    def finish(self, path: Path) -> None:
        """Give the entry its place."""
        self._write(self._digest.digest())
        if self._file is None:
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._name.replace(path)
            self._file.close()
            self._file = None
        except OSError:
            self.discard()

    def discard(self) -> None:
        """Leave nothing behind, if the entry has not found its place."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._file.close()
            with contextlib.suppress(OSError):
                self._name.unlink()
            self._file = None

    def _write(self, data: bytes) -> None:
        if self._file is None:
            return
        self._digest.update(data)
        try:
            self._file.write(data)
        except OSError:
            self.discard()
