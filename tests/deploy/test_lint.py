"""The form of YAML and of the Dockerfile."""

from __future__ import annotations

import pytest

from tests.deploy.tools import ROOT, passes, tool

pytestmark = pytest.mark.deploy_tools

#: Indented lists are a matter of taste; lines may be as long as prose is here.
YAML_RULES = """
extends: default
rules:
  braces: {max-spaces-inside: 1}
  comments: {min-spaces-from-content: 1}
  document-start: disable
  indentation: {indent-sequences: consistent}
  line-length: {max: 160}
  truthy: {check-keys: false}
"""


def test_all_yaml_is_well_formed() -> None:
    places = [ROOT / name for name in ("kustomize", "tests/deploy", ".github")]
    present = [place for place in places if place.exists()]
    passes(tool("yamllint"), "--strict", "--config-data", YAML_RULES, *present)


def test_the_dockerfile_follows_the_rules_of_its_linter() -> None:
    passes(tool("hadolint"), "--failure-threshold", "style", ROOT / "Dockerfile")
