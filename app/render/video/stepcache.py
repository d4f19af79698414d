"""The step cache: encoded steps under the hash of everything that determines them.

Workers share its directory. An entry is written under a temporary name and renamed, so no process
sees a part of it. Its checksum is verified before it is used, so nothing waits for the disk: an
entry that a power failure has torn is deleted and made again. An error of the disk loses the
entry, not the render.

An entry is ``MAGIC``, the key, and for each frame a 4-byte big-endian size and the packet. The
highest bit of the size marks a keyframe. After the frames of a step, one more holds its measures as
JSON. An entry ends with the SHA-256 of everything before it.
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

#: First bytes of an entry. They change with the format.
MAGIC: Final = b"mobius-step-2\n"
#: Fraction of the limit down to which entries are evicted, so that the next eviction is not soon.
_LOW_WATER: Final = 0.9
_SIZE: Final = struct.Struct(">I")
_KEY_FRAME: Final = 1 << 31
_DIGEST_BYTES: Final = 32
_CHUNK: Final = 256 * 1024
_SUFFIX: Final = ".step"


class StepCache:
    """Encoded steps in a directory that other processes may use at the same time.

    Args:
        directory: Directory of the cache. Created if it does not exist.
        max_bytes: Largest size of all entries after :meth:`trim`, in bytes.
    """

    def __init__(self, directory: Path, *, max_bytes: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes

    @classmethod
    def at(cls, place: StepCachePlace) -> StepCache:
        """Return the cache at ``place``."""
        return cls(place.directory, max_bytes=place.max_mb * 1024 * 1024)

    def find(self, key: str) -> Stored | None:
        """Return the entry of ``key``, or None. Delete a damaged entry.

        The caller iterates over the entry to its end, or closes it.
        """
        path = self._path(key)
        try:
            file = path.open("rb")
        except OSError:
            return None
        stored = Stored(file, key)
        with contextlib.suppress(OSError):
            if stored.is_sound():
                os.utime(path)  # marks it as recently used
                return stored
        stored.close()
        with contextlib.suppress(OSError):
            path.unlink()
        return None

    @contextlib.contextmanager
    def keeping(self, key: str) -> Iterator[Callable[[Coded], None]]:
        """Context manager that stores a step. It gives a function to call with each frame.

        The entry appears on a clean exit. On an exception, nothing is stored.
        """
        entry = _Entry(self._directory, key)
        try:
            yield entry.add
            entry.finish(self._path(key))
        finally:
            entry.discard()

    def trim(self) -> None:
        """Evict least recently used entries until the cache fits.

        Does nothing if another process is trimming the cache.
        """
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
    """An entry of the cache. Iterate over it once, for its frames."""

    def __init__(self, file: BinaryIO, key: str) -> None:
        self._file = file
        self._head = MAGIC + key.encode()
        self._left = os.fstat(file.fileno()).st_size - len(self._head) - _DIGEST_BYTES

    def is_sound(self) -> bool:
        """Return whether key and checksum are right. Leave the file at the first frame."""
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
        """Close the file."""
        self._file.close()


class _Entry:
    """An entry that is being written. It is dropped silently at the first error of the disk."""

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
        """Complete the entry and move it to ``path``."""
        self._write(self._digest.digest())
        if self._file is None:
            return
        try:
            self._file.flush()
            self._name.replace(path)
            self._file.close()
            self._file = None
        except OSError:
            self.discard()

    def discard(self) -> None:
        """Delete the entry, unless it is complete."""
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
