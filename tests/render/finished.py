"""Finished previews to inspect, and ways to damage them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import av

from app.render.engine import render
from app.render.inspect.preview import preview_checks
from tests.render.films import make_payload, write_wav

STEPS: list[dict[str, Any]] = [
    {"id": "one", "title": "Set up", "body": "Put the board down."},
    {"id": "two", "title": "Play", "body": "Take a card, then play one."},
    {"id": "three", "title": "Score", "body": "Count the points."},
]


def finish(directory: Path, *, seconds: float = 3.0, spoken: bool = True, **options: Any) -> Path:
    """Render a film of three steps of ``seconds`` each, with a tone in the second."""
    directory.mkdir(parents=True, exist_ok=True)
    write_wav(directory / "voice.wav", seconds=2.5)
    payload = make_payload(
        *({**step, "durationSec": seconds} for step in STEPS),
        assets=[{"id": "voice", "type": "audio", "path": "voice.wav"}],
        audio={"narration": [{"stepId": "two", "assetId": "voice"}]} if spoken else {},
        options={"resolution": "320x180", "quality": "draft", "thumbnails": 1, **options},
    )
    render(
        payload,
        asset_dir=directory,
        out_dir=directory / "film",
        threads=1,
        on_progress=lambda _: None,
    )
    return directory / "film"


def outcomes(directory: Path) -> dict[str, str]:
    """Return the outcome of each rule."""
    return {check.rule: check.outcome for check in preview_checks(directory, lambda _: None)}


def broken(directory: Path) -> set[str]:
    """Return the rules that are broken."""
    return {rule for rule, outcome in outcomes(directory).items() if outcome == "broken"}


def edit_manifest(directory: Path, **changes: Any) -> None:
    """Change values of the manifest. Two underscores separate the names of a path."""
    path = directory / "manifest.json"
    document = json.loads(path.read_bytes())
    for place, value in changes.items():
        *parents, name = place.split("__")
        part = document
        for parent in parents:
            part = part[parent]
        part[name] = value
    path.write_text(json.dumps(document))


def replace(directory: Path, name: str, content: bytes) -> None:
    """Replace a file and update its entry in the manifest."""
    (directory / name).write_bytes(content)
    path = directory / "manifest.json"
    document = json.loads(path.read_bytes())
    for entry in document["files"]:
        if entry["name"] == name:
            entry |= {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    path.write_text(json.dumps(document))


def with_index_at_the_end(film: Path) -> bytes:
    """Return the film with moov after mdat, as a muxer writes it to a pipe."""
    target = film.with_name("other.mp4")
    with av.open(str(film)) as source, av.open(str(target), "w", format="mp4") as sink:
        streams = {
            stream.index: sink.add_stream_from_template(stream)
            for stream in (source.streams.video[0], source.streams.audio[0])
        }
        for packet in source.demux(list(source.streams)):
            if packet.dts is not None and packet.stream.index in streams:
                packet.stream = streams[packet.stream.index]
                sink.mux(packet)
    content = target.read_bytes()
    target.unlink()
    return content
