"""The files of ``schemas/``: in the repository, and in an installed wheel."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import orjson

#: Where the files are in an installed wheel, and in the repository.
DIRECTORIES = (
    Path(__file__).parents[1] / "schemas",
    Path(__file__).parents[2] / "schemas",
)


@functools.cache
def read_schema(name: str) -> dict[str, Any]:
    """Return the JSON of the file ``name``, read once per process. Do not change it."""
    paths = (directory / name for directory in DIRECTORIES)
    path = next(path for path in paths if path.is_file())
    schema: dict[str, Any] = orjson.loads(path.read_bytes())
    return schema
