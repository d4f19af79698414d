"""scripts/update_image.py: what it takes, and what it changes of a kustomization."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest
import yaml

from scripts.update_image import (
    IMAGE,
    OVERLAYS,
    EditError,
    Reference,
    UsageError,
    edit,
    main,
    parse_reference,
    update,
)
from tests.deploy.tools import ROOT, passes, tool

DIGEST = "sha256:" + "0123456789abcdef" * 4
NAMES = ("staging", "canary", "production")

GIVEN = f"""\
# Kept.
images: # of this overlay
- name: other
  newName: registry.example.com/other
  newTag: 1.0.0

# Also kept.
- newTag: 0.0.0 # set by the script
  name: {IMAGE}
  newName: registry.example.com/preview   # the registry
- name: last
  newName: registry.example.com/last
labels:
- pairs:
    newTag: untouched
"""


@pytest.fixture
def overlays(tmp_path: Path) -> Path:
    """A copy of the overlays' kustomizations."""
    for name in NAMES:
        (tmp_path / name).mkdir()
        shutil.copy(OVERLAYS / name / "kustomization.yaml", tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("ghcr.io/owner/preview:1.2.3", Reference("ghcr.io/owner/preview", "1.2.3", "")),
        (f"ghcr.io/owner/preview@{DIGEST}", Reference("ghcr.io/owner/preview", "", DIGEST)),
        (f"ghcr.io/o/p:v1@{DIGEST}", Reference("ghcr.io/o/p", "v1", DIGEST)),
        ("localhost/p:1", Reference("localhost/p", "1", "")),
        ("registry:5000/a__b/c-d.e:X_1.2-3", Reference("registry:5000/a__b/c-d.e", "X_1.2-3", "")),
        ("[2001:db8::1]:5000/p:1", Reference("[2001:db8::1]:5000/p", "1", "")),
    ],
)
def test_a_reference_is_read_as_registries_read_it(text: str, reference: Reference) -> None:
    assert parse_reference(text) == reference


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("preview:1", "is not an image reference"),
        ("owner/preview:1", "has no registry"),
        ("ghcr.io/owner/preview", "has no version"),
        ("ghcr.io/owner/preview:latest", "not a fixed version"),
        ("ghcr.io/Owner/preview:1", "is not an image reference"),
        ("ghcr.io/owner//preview:1", "is not an image reference"),
        ("ghcr.io/owner/-preview:1", "is not an image reference"),
        ("ghcr.io/owner/preview:", "is not an image reference"),
        ("ghcr.io/owner/preview:-1", "is not an image reference"),
        (f"ghcr.io/owner/preview:{'x' * 129}", "is not an image reference"),
        (f"ghcr.io/{'x' * 250}:1", "is not an image reference"),
        ("https://ghcr.io/owner/preview:1", "is not an image reference"),
        ("ghcr.io/owner/preview:1\n", "is not an image reference"),
        ("ghcr.io/o/p:1 newTag: 2", "is not an image reference"),
        ("ghcr.io/o/p@sha256:abc", "is not an image reference"),
        ("ghcr.io/o/p@" + DIGEST.upper().replace("SHA256", "sha256"), "is not a valid digest"),
        ("ghcr.io/o/p@sha512:" + "0" * 128, "is not a valid digest"),
        ("ghcr.io/o/p@sha256:" + "0" * 64, "placeholder"),
    ],
)
def test_what_is_no_version_of_an_image_is_refused_with_the_remedy(text: str, told: str) -> None:
    with pytest.raises(UsageError, match=told):
        parse_reference(text)


@pytest.mark.parametrize(
    ("reference", "version"),
    [
        (Reference("ghcr.io/o/p", "1.10", ""), {"newTag": "1.10"}),
        (Reference("ghcr.io/o/p", "1.10", DIGEST), {"digest": DIGEST}),
    ],
)
def test_only_the_entry_changes_and_everything_else_stays(
    reference: Reference, version: dict[str, str]
) -> None:
    after = edit(GIVEN, reference)
    expected = yaml.safe_load(GIVEN)
    expected["images"][1] = {"name": IMAGE, "newName": "ghcr.io/o/p", **version}
    assert yaml.safe_load(after) == expected
    changed = [
        (old, new)
        for old, new in zip(GIVEN.splitlines(), after.splitlines(), strict=True)
        if old != new
    ]
    assert [old for old, _ in changed] == GIVEN.splitlines()[7:10:2]
    assert changed[0][1].endswith(" # set by the script")
    assert changed[1][1] == "  newName: ghcr.io/o/p   # the registry"
    assert edit(after, reference) == after


def test_a_tag_and_a_digest_become_one_line() -> None:
    both = GIVEN.replace(
        "  newName: registry.example.com/preview", f"  digest: {DIGEST}\n  newName: x"
    )
    after = yaml.safe_load(edit(both, Reference("ghcr.io/o/p", "2", "")))["images"][1]
    assert after == {"name": IMAGE, "newName": "ghcr.io/o/p", "newTag": "2"}


def test_a_registry_with_an_ipv6_address_stays_one_string() -> None:
    name = "[2001:db8::1]:5000/p"
    (entry,) = (
        item
        for item in yaml.safe_load(edit(GIVEN, Reference(name, "2", "")))["images"]
        if item["name"] == IMAGE
    )
    assert entry["newName"] == name


def test_indented_entries_and_the_line_ends_of_windows_stay() -> None:
    text = f"images:\r\n  - name: {IMAGE}\r\n    newName: a.b/c\r\n    newTag: '1'\r\nkind: K\r\n"
    expected = text.replace("a.b/c", "ghcr.io/o/p").replace("'1'", '"2"')
    assert edit(text, Reference("ghcr.io/o/p", "2", "")) == expected


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("kind: K\n", "one list `images:`, found 0"),
        ("images: []\n", "one list `images:`, found 0"),
        (f"images:\n- name: {IMAGE}x\n  newName: a.b/c\n", "found 0"),
        (f"images:\n- name: {IMAGE}\n- name: {IMAGE}\n", "found 2"),
        (f"images:\n- name: {IMAGE}\n  newName: a.b/c\n", "lacks newTag"),
        (f"images:\n- name: {IMAGE}\n  newTag: '1'\n", "lacks newName"),
    ],
)
def test_a_file_that_is_not_as_expected_is_left_alone(text: str, told: str) -> None:
    with pytest.raises(EditError, match=told):
        edit(text, Reference("ghcr.io/o/p", "2", ""))


@pytest.mark.parametrize("name", NAMES)
def test_every_overlay_takes_a_digest(name: str, overlays: Path) -> None:
    path = overlays / name / "kustomization.yaml"
    path.chmod(0o640)
    before = yaml.safe_load(path.read_text())
    difference = update(name, f"ghcr.io/o/p@{DIGEST}", dry_run=False, overlays=overlays)
    after = yaml.safe_load(path.read_text())
    (entry,) = after.pop("images")
    assert entry == {"name": IMAGE, "newName": "ghcr.io/o/p", "digest": DIGEST}
    assert after == {key: value for key, value in before.items() if key != "images"}
    assert f"+  digest: {DIGEST}" in difference.splitlines()
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [file.name for file in path.parent.iterdir()] == ["kustomization.yaml"]
    again = update(name, f"ghcr.io/o/p@{DIGEST}", dry_run=False, overlays=overlays)
    assert again == ""


def test_only_staging_takes_a_tag(overlays: Path) -> None:
    assert update("staging", "ghcr.io/o/p:1", dry_run=False, overlays=overlays)
    for name in ("canary", "production"):
        with pytest.raises(UsageError, match=f"{name} requires a digest"):
            update(name, "ghcr.io/o/p:1", dry_run=False, overlays=overlays)
    with pytest.raises(UsageError, match="use one of canary, production, staging"):
        update("../base", "ghcr.io/o/p:1", dry_run=False, overlays=overlays)


def test_a_dry_run_shows_the_change_and_writes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    path = OVERLAYS / "staging" / "kustomization.yaml"
    before = path.read_bytes()
    assert main(["--dry-run", "staging", f"ghcr.io/o/p@{DIGEST}"]) == 0
    shown = capsys.readouterr().out
    assert f"+  digest: {DIGEST}" in shown
    assert "nothing was written" in shown
    assert path.read_bytes() == before


@pytest.mark.parametrize("words", [[], ["-ImageTag"], ["staging", "-ImageTag"]])
def test_an_image_alone_is_one_for_staging(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--dry-run", *words, "ghcr.io/o/p:1"]) == 0
    shown = capsys.readouterr().out
    assert "b/kustomize/overlays/staging/kustomization.yaml" in shown
    assert '+  newTag: "1"' in shown


def test_a_refusal_is_one_line_and_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["production", "ghcr.io/o/p:1"]) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: production requires a digest")
    assert len(told.splitlines()) == 1


@pytest.mark.deploy_tools
def test_kustomize_puts_the_edited_image_into_every_pod(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "kustomize", tmp_path / "kustomize")
    overlays = tmp_path / "kustomize" / "overlays"
    for name in NAMES:
        update(name, f"ghcr.io/o/p@{DIGEST}", dry_run=False, overlays=overlays)
        built = passes(tool("kustomize"), "build", overlays / name)
        images = {line.strip() for line in built.splitlines() if line.strip().startswith("image:")}
        assert images == {f"image: ghcr.io/o/p@{DIGEST}"}
