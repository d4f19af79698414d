"""The alert rules as Prometheus loads them, and the names of metrics in PromQL."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.support.processes import ROOT

#: The rules, as the Prometheus Operator takes them.
RULE_FILE = ROOT / "kustomize" / "components" / "alerts" / "rule.yaml"
#: Unit tests of promtool.
UNIT_TESTS = Path(__file__).parent / "alerts"

_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
_SELECTOR = re.compile(r"\{[^{}]*\}")
_GROUPING = re.compile(r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\)")
_RANGE = re.compile(r"\[[^\]]*\]")
_NAME = re.compile(r"[A-Za-z_:][A-Za-z0-9_:]*(?!\s*\()\b")
_KEYWORDS = {"and", "or", "unless", "offset", "bool"}
_DURATION = re.compile(r"(\d+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def load() -> dict[str, Any]:
    """Return the rules in Prometheus's own format: the ``spec`` of the resource."""
    spec: dict[str, Any] = yaml.safe_load(RULE_FILE.read_text())["spec"]
    return spec


def rules(spec: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield all rules, recorded series and alerts."""
    for group in spec["groups"]:
        yield from group["rules"]


def alerts() -> dict[str, dict[str, Any]]:
    """Return the alerts by their names."""
    return {rule["alert"]: rule for rule in rules(load()) if "alert" in rule}


def without_links() -> dict[str, Any]:
    """Return the rules without links, which unit tests would have to repeat."""
    spec = load()
    for rule in rules(spec):
        rule.get("annotations", {}).pop("runbook_url", None)
    return spec


def faster(spec: dict[str, Any], factor: int) -> dict[str, Any]:
    """Return the same rules with every duration divided; thresholds stay as they are."""

    def shorter(text: str) -> str:
        return _DURATION.sub(lambda m: f"{int(m[1]) * _SECONDS[m[2]] * 1000 // factor}ms", text)

    scaled = copy.deepcopy(spec)
    for group in scaled["groups"]:
        group["interval"] = shorter(group["interval"])
    for rule in rules(scaled):
        rule["expr"] = _RANGE.sub(lambda m: shorter(m[0]), rule["expr"])
        for name in ("for", "keep_firing_for"):
            if name in rule:
                rule[name] = shorter(rule[name])
    return scaled


def write(spec: dict[str, Any], path: Path) -> Path:
    """Write rules for Prometheus or promtool."""
    path.write_text(yaml.safe_dump(spec, sort_keys=False))
    return path


def selectors(expr: str) -> Iterator[tuple[str, set[str]]]:
    """Yield each metric of an expression with the labels that its selector asks for."""
    for match in re.finditer(r"([A-Za-z_:][A-Za-z0-9_:]*)\s*(\{[^{}]*\})", expr):
        yield match[1], set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)\s*\"", match[2]))


def metrics(expr: str) -> set[str]:
    """Return the names of all series in an expression."""
    bare = _STRING.sub('""', expr)
    for part in (_SELECTOR, _GROUPING, _RANGE):
        bare = part.sub(" ", bare)
    return {name for name in _NAME.findall(bare) if name not in _KEYWORDS}
