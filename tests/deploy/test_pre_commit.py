"""The hooks of a commit: local, and as the checklist describes them."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.tools import ROOT

CHECKLIST = ROOT / "docs" / "pre-commit-checklist.md"


def hooks() -> list[dict[str, Any]]:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    (repository,) = config["repos"]
    assert repository["repo"] == "local", "a hook of another repository would be fetched"
    found: list[dict[str, Any]] = repository["hooks"]
    return found


def test_no_hook_brings_an_environment_of_its_own() -> None:
    for hook in hooks():
        assert hook["language"] in ("system", "pygrep"), hook["id"]
        assert "additional_dependencies" not in hook


def test_the_checklist_has_every_hook_and_no_other() -> None:
    rows = [
        line.split("|")[1] for line in CHECKLIST.read_text().splitlines() if line.startswith("| `")
    ]
    documented = [name for row in rows for name in re.findall(r"`([a-z-]+)`", row)]
    assert documented == [hook["id"] for hook in hooks()]


def test_the_tests_that_hooks_run_exist() -> None:
    run = [
        Path(word)
        for hook in hooks()
        if hook["language"] == "system"
        for word in shlex.split(hook["entry"])
        if word.startswith("tests/")
    ]
    assert len(run) >= 6
    assert [path for path in run if not (ROOT / path).is_file()] == []


def test_a_private_key_is_recognised() -> None:
    (hook,) = (hook for hook in hooks() if hook["id"] == "private-key")
    for kind in ("", "RSA ", "EC ", "OPENSSH "):
        assert re.search(hook["entry"], f"-----BEGIN {kind}" + "PRIVATE KEY-----")
    assert not re.search(hook["entry"], "-----BEGIN CERTIFICATE-----")
