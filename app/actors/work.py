"""Work directories, to which attempts write before their files are published."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from app.errors import StorageUnavailable
from app.temporary import temporary_directory


@contextlib.contextmanager
def work_directory(root: Path, *, name: str) -> Iterator[Path]:
    """Create a directory for one attempt, and delete it afterwards.

    Raises:
        StorageUnavailable: It cannot be created.
    """
    with contextlib.ExitStack() as opened:
        try:
            directory = opened.enter_context(temporary_directory(root, name=name))
        except OSError as error:
            raise StorageUnavailable("The work directory cannot be written to.") from error
        yield directory
