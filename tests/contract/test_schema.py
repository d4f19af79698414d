from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from app.contract import Contract, load_contract
from app.contract import schemas as files
from app.contract.contract import SCHEMA_FILE
from app.errors import ValidationFailed

from .payloads import ABSENT, edited, full, minimal

#: The first step of :func:`full`.
STEP = "/previewRequest/steps/0"
OPTIONS = "/previewRequest/options"
TRACK = "/previewRequest/audio/narration/0"
SHA = "/previewRequest/assets/0/sha256"

#: Where, what, and the code that refuses it: one row a rule of the schema.
MALFORMED = [
    ("/jobId", ABSENT, "required", ""),
    ("/projectId", ABSENT, "required", ""),
    ("/requestId", ABSENT, "required", ""),
    ("/previewRequest", ABSENT, "required", ""),
    ("/dryRun", ABSENT, "required", ""),
    ("/previewRequest/steps", ABSENT, "required", "/previewRequest"),
    ("/previewRequest/assets", ABSENT, "required", "/previewRequest"),
    ("/previewRequest/audio", ABSENT, "required", "/previewRequest"),
    ("/jobId", "", "pattern", None),
    ("/jobId", "a b", "pattern", None),
    ("/jobId", "a\n", "pattern", None),
    ("/jobId", "-a", "pattern", None),
    ("/jobId", "../a", "pattern", None),
    ("/jobId", "é", "pattern", None),
    ("/jobId", "a" * 129, "pattern", None),
    ("/jobId", 1, "wrong-type", None),
    ("/dryRun", 1, "wrong-type", None),
    ("/dryRun", "true", "wrong-type", None),
    ("/dryRun", None, "wrong-type", None),
    ("/priority", "urgent", "not-allowed", None),
    ("/attempts", -1, "too-small", None),
    ("/attempts", True, "wrong-type", None),
    ("/attempts", 1.5, "wrong-type", None),
    ("/createdAt", "2025-02-30T00:00:00Z", "bad-format", None),
    ("/createdAt", "2025-10-08", "bad-format", None),
    ("/createdAt", "2025-10-08T12:05:00", "bad-format", None),
    ("/createdAt", "2016-12-31T23:59:60Z", "bad-format", None),
    ("/updatedAt", "2023-02-29T12:00:00Z", "bad-format", None),
    ("/unknown", 1, "unknown-field", None),
    ("/previewRequest", [], "wrong-type", None),
    ("/previewRequest/title", "", "too-short", None),
    ("/previewRequest/title", "a" * 201, "too-long", None),
    ("/previewRequest/title", "a\0b", "pattern", None),
    ("/previewRequest/steps", {}, "wrong-type", None),
    ("/previewRequest/steps", [{}] * 201, "too-many", None),
    ("/previewRequest/assets", None, "wrong-type", None),
    ("/previewRequest/audio", [], "wrong-type", None),
    ("/previewRequest/metadata", {str(i): i for i in range(65)}, "too-many", None),
    ("/previewRequest/metadata/" + "k" * 65, 1, "too-long", None),
    (STEP, "Setup", "wrong-type", None),
    (STEP + "/type", "unheard-of", "not-allowed", None),
    (STEP + "/text", "both body and text", "conflict", STEP),
    (STEP + "/durationSec", 0, "too-small", None),
    (STEP + "/durationSec", 120.5, "too-large", None),
    (STEP + "/durationSec", "5", "wrong-type", None),
    (STEP + "/durationSec", None, "wrong-type", None),
    (STEP + "/background", {}, "too-few", None),
    (STEP + "/background/color", "red", "pattern", None),
    (STEP + "/background/color", "#12345", "pattern", None),
    (STEP + "/background/style", "stretch", "not-allowed", None),
    (STEP + "/overlays/0/text", ABSENT, "required", STEP + "/overlays/0"),
    (STEP + "/overlays/0/text", "", "too-short", None),
    (STEP + "/overlays/0/role", "footer", "not-allowed", None),
    (STEP + "/overlays/0/fontColor", "white", "unknown-field", None),
    (STEP + "/overlays/0/placement/x", 1.5, "too-large", None),
    (STEP + "/overlays/0/placement/x", -0.1, "too-small", None),
    (STEP + "/overlays/0/placement/width", 0, "too-small", None),
    (STEP + "/overlays/0/placement/height", ABSENT, "required", STEP + "/overlays/0/placement"),
    (STEP + "/visuals/0/assetId", ABSENT, "required", STEP + "/visuals/0"),
    (STEP + "/visuals/0/layer", 1.5, "wrong-type", None),
    (STEP + "/visuals/0/motions/0/type", "spin", "not-allowed", None),
    (STEP + "/visuals/0/motions/0/from", "left", "wrong-type", None),
    (STEP + "/visuals/0/motions/0/from", 5, "too-large", None),
    (STEP + "/visuals/0/motions/0/to/y", ABSENT, "required", STEP + "/visuals/0/motions/0/to"),
    (STEP + "/visuals/0/motions/0/easing", "easeInCubic", "not-allowed", None),
    (STEP + "/callouts/-", {"kind": "box"}, "required", STEP + "/callouts/0"),
    (STEP + "/sourcePages/0", 0, "too-small", None),
    ("/previewRequest/assets/0/type", "video", "not-allowed", None),
    ("/previewRequest/assets/0/path", ABSENT, "required", "/previewRequest/assets/0"),
    ("/previewRequest/assets/0/uri", "https://a/b", "conflict", "/previewRequest/assets/0"),
    ("/previewRequest/assets/0/path", "/etc/passwd", "pattern", None),
    ("/previewRequest/assets/0/path", "../secret", "pattern", None),
    ("/previewRequest/assets/0/path", "a/../../secret", "pattern", None),
    ("/previewRequest/assets/0/path", "a/..", "pattern", None),
    ("/previewRequest/assets/0/path", "C:\\secret", "pattern", None),
    ("/previewRequest/assets/0/path", "a\\..\\b", "pattern", None),
    ("/previewRequest/assets/0/path", "a\0.png", "pattern", None),
    (SHA, "0" * 63, "pattern", None),
    (SHA, "G" * 64, "pattern", None),
    ("/previewRequest/assets/0/bytes", 104_857_601, "too-large", None),
    ("/previewRequest/assets/0/language", "en_US", "pattern", None),
    (TRACK + "/gainDb", 13, "too-large", None),
    (TRACK + "/stepId", ABSENT, "required", TRACK),
    (OPTIONS + "/resolution", "1280X720", "pattern", None),
    (OPTIONS + "/resolution", "1280x720\n", "pattern", None),
    (OPTIONS + "/format", "gif", "not-allowed", None),
    (OPTIONS + "/fps", 31, "not-allowed", None),
    (OPTIONS + "/fps", "30", "not-allowed", None),
    (OPTIONS + "/maxDurationSec", 0.5, "too-small", None),
    (OPTIONS + "/thumbnails", 25, "too-large", None),
    (OPTIONS + "/resoluton", "1280x720", "unknown-field", None),
]  # fmt: skip


@pytest.mark.parametrize(("at", "value", "code", "pointer"), MALFORMED)
@pytest.mark.parametrize("dry_run", [True, False])
def test_a_malformed_payload_is_refused_at_its_place(
    at: str, value: object, code: str, pointer: str | None, *, dry_run: bool
) -> None:
    payload = edited(edited(full(), "/dryRun", dry_run), at, value)
    with pytest.raises(ValidationFailed) as caught:
        load_contract().check(payload)
    assert [(item.pointer, item.code) for item in caught.value.errors] == [
        (at if pointer is None else pointer, code)
    ]


@pytest.mark.parametrize("payload", [None, [], "a", 1, True, {}])
def test_what_is_no_job_is_refused(payload: object) -> None:
    with pytest.raises(ValidationFailed):
        load_contract().check(payload)


def test_the_least_and_the_most_are_accepted() -> None:
    load_contract().check(minimal())
    load_contract().check(full())


@pytest.mark.parametrize(
    "step",
    [
        {"id": "s1", "title": "Setup", "body": "Place the board."},
        {"id": "s1", "text": "Place the board."},
        {"id": "s1", "text": "Place the board.", "type": "numbered"},
        {"text": "A step needs no id.\n\tIt may have lines."},
        {
            "id": "scene",
            "durationSec": 6.333333333333333,
            "background": {"color": "#0f172a"},
            "overlays": [{"role": "title", "text": "T", "position": "center", "color": "#38bdf8"}],
            "narration": "T",
        },
        {
            "id": "scene",
            "type": "setup_step",
            "durationSec": 3.6666666666666665,
            "overlays": [
                {
                    "id": "o",
                    "text": "T",
                    "placement": {"x": 0.1, "y": 0.375, "width": 0.8, "height": 0.25},
                    "startSec": 0,
                    "endSec": 3.6666666666666665,
                }
            ],
            "visuals": [],
        },
    ],
)
def test_the_known_shapes_of_steps_are_accepted(step: dict[str, Any]) -> None:
    payload = edited(minimal(), "/previewRequest/steps", [step])
    load_contract().check(edited(payload, "/dryRun", value=False))


@pytest.mark.parametrize(
    "moment",
    ["2024-02-29T23:59:59Z", "2025-10-08t12:05:00.123456789z", "0001-01-01T00:00:00+23:59"],
)
def test_dates_of_the_calendar_are_accepted(moment: str) -> None:
    load_contract().check(edited(full(), "/createdAt", moment))


@pytest.mark.parametrize("path", ["a.png", "a/b.png", "ü/… (1).png", "..a/b..", "a/.b"])
def test_paths_inside_the_project_are_accepted(path: str) -> None:
    load_contract().check(edited(full(), "/previewRequest/assets/0/path", path))


def schemas(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for child in node.values():
            yield from schemas(child)
    elif isinstance(node, list):
        for child in node:
            yield from schemas(child)


def test_the_schema_is_a_valid_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(load_contract().schema)


def test_the_examples_in_the_schema_are_valid() -> None:
    schema = load_contract().schema
    for example in schema["examples"]:
        load_contract().check(example)
    for name, part in schema["$defs"].items():
        validator = jsonschema.Draft202012Validator({"$defs": schema["$defs"], **part})
        for example in part.get("examples", ()):
            assert validator.is_valid(example), (name, example)


def test_nothing_in_the_schema_is_unbounded() -> None:
    defs = load_contract().schema["$defs"]
    found = 0
    for node in schemas(load_contract().schema):
        kind = node.get("type")
        whole = {**defs.get(str(node.get("$ref", "")).removeprefix("#/$defs/"), {}), **node}
        if kind == "array":
            assert "maxItems" in node, node
        if kind == "object" and "properties" in node:
            assert node["additionalProperties"] is False, node
        if kind in ("number", "integer"):
            assert "maximum" in node, node
        if node.get("$ref") == "#/$defs/text" or (kind == "string" and node is not defs["text"]):
            found += 1
            fixed = {"maxLength", "enum"} & set(whole) or "*" not in whole["pattern"]
            assert fixed, node
    assert found > 20


def test_every_field_is_described() -> None:
    defs = load_contract().schema["$defs"]
    for node in schemas(load_contract().schema):
        for name, field in node.get("properties", {}).items():
            target = defs.get(str(field.get("$ref", "")).removeprefix("#/$defs/"), {})
            assert {**target, **field}.get("description") or "properties" in node, name


def test_the_schema_is_found_in_the_repository_and_in_a_wheel(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wheel = {**files.read_schema(SCHEMA_FILE), "title": "From a wheel"}
    (tmp_path / SCHEMA_FILE).write_text(json.dumps(wheel))
    monkeypatch.setattr(files, "DIRECTORIES", (tmp_path, *files.DIRECTORIES))
    assert files.read_schema.__wrapped__(SCHEMA_FILE)["title"] == "From a wheel"


def test_the_contract_is_compiled_once() -> None:
    assert load_contract() is load_contract()


def test_what_the_gate_refuses_stays_refused_when_nothing_explains_it() -> None:
    # In Python, $ also matches before a trailing line break.
    with pytest.raises(ValidationFailed, match="does not match the schema"):
        Contract({"type": "string", "pattern": "^a$"}).check("a\n")
