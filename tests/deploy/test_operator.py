"""The role preview-operator: as much as the pages ask of an operator, and no more."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

import yaml

from tests.deploy.overlays import KUSTOMIZE
from tests.deploy.tools import ROOT

DOCS = ROOT / "docs"
PAGES = [
    DOCS / "rollback.md", DOCS / "troubleshooting.md", *sorted((DOCS / "runbooks").glob("*.md")),
]  # fmt: skip
#: What a command needs besides: resources and verbs.
NEEDS: dict[str, set[tuple[str, str]]] = {
    "exec": {("pods", "get"), ("pods", "list"), ("pods/exec", "create"), ("pods/exec", "get")},
    "port-forward": {("pods", "get"), ("pods/portforward", "create")},
    "logs": {("pods", "list"), ("pods/log", "get")},
    "describe": {("events", "list")},
    "rollout status": {("deployments", "watch")},
    "rollout history": {("replicasets", "list")},
    "rollout undo": {("replicasets", "list"), ("deployments", "patch")},
    "rollout restart": {("deployments", "patch")},
    "scale": {("deployments/scale", "get"), ("deployments/scale", "patch")},
    "delete": {("pods", "delete")},
    "get": set(),
    "top": {("pods", "get"), ("pods", "list")},
}
#: Short names that the pages use.
SHORT = {"deploy": "deployments", "pod": "pods", "hpa": "horizontalpodautoscalers",
         "rs": "replicasets", "servicemonitor": "servicemonitors",
         "configmap": "configmaps"}  # fmt: skip
#: Asked of whoever deploys; the role is not to read Secrets.
NOT_THEIRS = {"secret"}


@functools.cache
def rules() -> list[dict[str, Any]]:
    role = next(yaml.safe_load_all((KUSTOMIZE / "base" / "operator.yaml").read_text()))
    assert role["kind"] == "Role"
    found: list[dict[str, Any]] = role["rules"]
    return found


def may(verb: str, resource: str, name: str = "") -> bool:
    return any(
        verb in rule["verbs"]
        and resource in rule["resources"]
        and ("resourceNames" not in rule or name in rule["resourceNames"])
        for rule in rules()
    )


def asked() -> Iterator[tuple[str, str, str, str]]:
    """Yield each right that a command of a page needs: command, verb, resource, name."""
    for page in PAGES:
        for match in re.finditer(r'kubectl -n "\$NS" ([^`|\n]+)', page.read_text()):
            words = match[1].split()
            verb = " ".join(words[: 2 if words[0] == "rollout" else 1])
            targets = [word.partition("/") for word in words if re.match(r"deploy/", word)]
            for resource, need in NEEDS[verb]:
                for name in [target[2] for target in targets] or [""]:
                    yield match[1], need, resource, name
            if verb in ("get", "describe"):
                kind = words[1]
                if kind not in NOT_THEIRS:
                    yield match[1], "get", SHORT.get(kind, kind), ""
                    yield match[1], "list", SHORT.get(kind, kind), ""


def test_the_role_suffices_for_every_command_of_the_pages() -> None:
    needed = list(asked())
    assert {verb for _, verb, _, _ in needed} == {
        "create",
        "delete",
        "get",
        "list",
        "patch",
        "watch",
    }
    assert [one for one in needed if not may(*one[1:])] == []


def test_the_role_reads_no_secret_makes_no_pod_and_changes_our_deployments_alone() -> None:
    for rule in rules():
        assert not {"secrets", "serviceaccounts/token", "*"} & {*rule["resources"], *rule["verbs"]}
        if {"patch", "update"} & set(rule["verbs"]):
            assert set(rule["resources"]) == {"deployments", "deployments/scale"}
            assert all(name.startswith("preview-") for name in rule["resourceNames"])
    assert not may("create", "pods")
    assert not may("create", "deployments", "preview-worker")
