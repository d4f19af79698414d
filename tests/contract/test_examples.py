"""The examples and docs/payload.md say what the contract says."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import orjson
import pytest
from PIL import Image

from app.contract import load_contract, parse_json
from app.contract.explain import CODES

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "examples"
ASSETS = EXAMPLES / "assets" / "demo"
DOCUMENT = (ROOT / "docs" / "payload.md").read_text(encoding="utf-8")
PICTURES = sorted((ASSETS / "pictures").iterdir())
NARRATION = sorted((ASSETS / "narration").iterdir())


def example(name: str) -> dict[str, Any]:
    payload: Any = parse_json((EXAMPLES / name).read_bytes())
    return dict(payload)


def sound(path: Path) -> np.ndarray[Any, np.dtype[np.float32]]:
    with av.open(str(path), "r") as container:
        assert container.streams.audio[0].rate == 48_000
        frames = [frame.to_ndarray()[0] for frame in container.decode(audio=0)]
    samples: np.ndarray[Any, np.dtype[np.float32]] = np.concatenate(frames)
    return samples


@pytest.mark.parametrize(
    ("name", "dry_run"),
    [("payload-minimal.json", True), ("payload-full.json", False), ("tutorial.json", False)],
)
def test_an_example_fulfils_the_contract(name: str, *, dry_run: bool) -> None:
    payload = example(name)
    load_contract().check(payload)
    assert payload["dryRun"] is dry_run
    assert load_contract().unsupported(payload) == ()


def test_nothing_can_be_taken_out_of_the_minimal_payload() -> None:
    def members(node: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
        for key, value in node.items():
            yield (*path, key)
            if isinstance(value, dict):
                yield from members(value, (*path, key))

    gate = load_contract()._gate
    for path in members(example("payload-minimal.json")):
        payload = node = example("payload-minimal.json")
        for key in path[:-1]:
            node = node[key]
        del node[path[-1]]
        assert not gate.is_valid(payload), path


def test_the_full_payload_uses_every_field_that_is_rendered() -> None:
    defs = load_contract().schema["$defs"]
    used: set[str] = set()

    def walk(schema: dict[str, Any], value: Any, name: str) -> None:
        if "$ref" in schema:
            name = schema["$ref"].removeprefix("#/$defs/")
            schema = defs[name]
        for key, field in schema.get("properties", {}).items():
            if isinstance(value, dict) and key in value:
                used.add(f"{name}.{key}")
                walk(field, value[key], key)
        for item in value if isinstance(value, list) else ():
            walk(schema["items"], item, name)

    walk(load_contract().schema, example("payload-full.json"), "job")
    fields = {f"job.{key}" for key in load_contract().schema["properties"]}
    fields |= {f"{name}.{key}" for name, part in defs.items() for key in part.get("properties", ())}
    unused = {field.partition(".")[0] for field in fields - used}
    # What is not rendered, places that only such fields hold, and a second name of body.
    assert unused <= {
        "callout",
        "point",
        "region",
        "numberOrPoint",
        "motion",
        "layout",
        "asset",
        "audio",
        "voice",
    }
    # Its files are at hand.
    assert {field for field in fields - used if field.startswith(("asset.", "audio."))} == {
        "asset.uri"
    }


@pytest.mark.parametrize("name", ["payload-full.json", "tutorial.json"])
def test_every_asset_of_an_example_is_there_as_declared(name: str) -> None:
    for asset in example(name)["previewRequest"]["assets"]:
        data = (ASSETS / asset["path"]).read_bytes()
        assert asset["bytes"] == len(data), asset["id"]
        assert asset["sha256"] == hashlib.sha256(data).hexdigest(), asset["id"]


def test_every_file_among_the_assets_is_used_by_the_tutorial() -> None:
    used = {asset["path"] for asset in example("tutorial.json")["previewRequest"]["assets"]}
    assert used == {str(path.relative_to(ASSETS)) for path in (*PICTURES, *NARRATION)}


@pytest.mark.parametrize("path", PICTURES, ids=lambda path: path.name)
def test_a_picture_is_large_enough_to_fill_a_frame_and_small_enough_to_keep(path: Path) -> None:
    with Image.open(path) as picture:
        assert 1280 <= picture.width <= 1600
        assert len(picture.convert("RGB").resize((64, 64)).getcolors(4096) or ()) > 100
    assert path.stat().st_size < 250_000


@pytest.mark.parametrize("path", NARRATION, ids=lambda path: path.name)
def test_a_recording_is_heard_at_once_and_not_clipped(path: Path) -> None:
    samples = sound(path)
    assert 0.5 < np.abs(samples).max() < 0.98
    assert np.sqrt(np.mean(samples**2)) > 0.04
    assert np.flatnonzero(np.abs(samples) > 0.02)[0] < 0.010 * 48_000


def test_the_recordings_are_small() -> None:
    assert sum(path.stat().st_size for path in NARRATION) < 1_500_000


def test_the_tutorial_lasts_about_a_minute_and_has_proper_chapters() -> None:
    request = example("tutorial.json")["previewRequest"]
    paths = {asset["id"]: asset["path"] for asset in request["assets"]}
    seconds = {
        track["stepId"]: track["offsetSec"] + len(sound(ASSETS / paths[track["assetId"]])) / 48_000
        for track in request["audio"]["narration"]
    }
    assert list(seconds) == [step["id"] for step in request["steps"]]
    assert 50 < sum(seconds.values()) < 75
    chapters: list[float] = []
    for step in request["steps"]:
        if "chapterTitle" in step:
            chapters.append(0)
        chapters[-1] += seconds[step["id"]]
    assert len(chapters) >= 3
    assert min(chapters) >= 10


def test_the_document_names_every_field_and_every_value() -> None:
    missing: set[str] = set()
    for node in nodes(load_contract().schema):
        names = [*node.get("properties", ()), *map(str, node.get("enum", ()))]
        missing |= {name for name in names if not re.search(rf"\b{re.escape(name)}\b", DOCUMENT)}
    assert missing == set()


def test_the_document_names_every_code() -> None:
    codes = set(CODES.values())
    for path in (ROOT / "app" / "contract").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "ErrorItem":
                codes |= {
                    arg.value
                    for arg in node.args[1:2]
                    if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
                }
    assert len(codes) > 25
    assert {code for code in codes if f"`{code}`" not in DOCUMENT} == set()


def snippets() -> list[dict[str, Any]]:
    """Return what the blocks of JSON in the document hold, in their order."""
    return [orjson.loads(block) for block in re.findall(r"```json\n(.*?)```", DOCUMENT, re.DOTALL)]


def test_the_payloads_in_the_document_fulfil_the_contract() -> None:
    payloads = [snippet for snippet in snippets() if "jobId" in snippet]
    assert len(payloads) >= 2
    assert example("payload-minimal.json") in payloads
    for payload in payloads:
        load_contract().check(payload)
        for asset in payload["previewRequest"]["assets"]:
            assert (ASSETS / asset["path"]).is_file()


def test_the_steps_in_the_document_fulfil_the_contract() -> None:
    film = next(snippet for snippet in snippets() if "jobId" in snippet)
    steps = [snippet for snippet in snippets() if "id" in snippet]
    assert len(steps) >= 3
    film["previewRequest"]["steps"] += steps
    load_contract().check(film)


def nodes(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node:
        if isinstance(child, dict | list):
            yield from nodes(child)
