from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from app.cli.output.files import save
from app.storage import ArtifactStore

CONTENT = b"video"
ARTIFACT: dict[str, Any] = {
    "name": "preview.mp4", "key": "job/1/preview.mp4", "bytes": len(CONTENT),
    "sha256": hashlib.sha256(CONTENT).hexdigest(),
}  # fmt: skip


class Overtaken(ArtifactStore):
    """A store whose file is fetched by another, to the same place, while it is read."""

    target: Path

    def read(self, key: str, *, start: int, end: int) -> Iterator[bytes]:
        for chunk in super().read(key, start=start, end=end):
            yield chunk
            save(ArtifactStore(self.target.parent.as_uri()), ARTIFACT, self.target)


def test_two_may_fetch_the_same_file_to_the_same_place(tmp_path: Path) -> None:
    source = tmp_path / "source"
    source.write_bytes(CONTENT)
    store = Overtaken(tmp_path.as_uri())
    store.put(ARTIFACT["key"], source)
    store.target = tmp_path / "out.mp4"
    save(store, ARTIFACT, store.target)
    assert store.target.read_bytes() == CONTENT
    assert {path.name for path in tmp_path.iterdir()} == {"source", "job", "out.mp4"}
