"""The built overlays, as objects."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.deploy.tools import ROOT, passes, tool

#: Directory of all manifests.
KUSTOMIZE = ROOT / "kustomize"
#: What is applied to clusters.
OVERLAYS = ("staging", "canary", "production")
#: What the base calls the image; every overlay replaces it.
IMAGE = "mobius-preview-worker"

Document = dict[str, Any]


@functools.cache
def built_text(overlay: str) -> str:
    """Return what ``kustomize build`` prints."""
    return passes(tool("kustomize"), "build", KUSTOMIZE / "overlays" / overlay)


@functools.cache
def build(overlay: str) -> list[Document]:
    """Return the objects of an overlay; nobody may change them."""
    return parse(built_text(overlay))


def config_map(overlay: str) -> Document:
    """Return the settings of all pods."""
    maps = of_kind(build(overlay), "ConfigMap")
    (config,) = (item for name, item in maps.items() if name.startswith("preview-config-"))
    return config


def build_with_keda(directory: Path) -> str:
    """Return base and KEDA's component as YAML, which no overlay builds, from ``directory``."""
    parts = {name: os.path.relpath(KUSTOMIZE / name, directory) for name in ("base", "components")}
    (directory / "kustomization.yaml").write_text(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\n"
        f"namespace: mobius-preview\nresources: [{parts['base']}]\n"
        f"components: [{parts['components']}/keda]\n"
    )
    return passes(tool("kustomize"), "build", directory)


def parse(text: str) -> list[Document]:
    """Return the objects of a stream."""
    return [document for document in yaml.safe_load_all(text) if document]


def identity(document: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return kind, namespace and name."""
    metadata = document["metadata"]
    return document["kind"], metadata.get("namespace", ""), metadata["name"]


def of_kind(documents: list[Document], kind: str) -> dict[str, Document]:
    """Return the objects of a kind by name."""
    return {item["metadata"]["name"]: item for item in documents if item["kind"] == kind}


def containers(documents: list[Document]) -> Iterator[Document]:
    """Yield all containers of Deployments."""
    for deployment in of_kind(documents, "Deployment").values():
        yield from deployment["spec"]["template"]["spec"]["containers"]


def selectors(document: Mapping[str, Any]) -> Iterator[Document]:
    """Yield all selectors of pods or Services that an object's spec has of its own.

    Peers of network policies count only where they look into the policy's own namespace.
    """
    spec = document.get("spec", {})
    kind = document["kind"]
    if kind == "Service":
        yield {"matchLabels": spec.get("selector", {})}
    elif kind in ("Deployment", "PodDisruptionBudget", "ServiceMonitor"):
        yield spec["selector"]
    elif kind == "NetworkPolicy":
        yield spec["podSelector"]
        rules = [*spec.get("ingress", []), *spec.get("egress", [])]
        for peer in (
            peer for rule in rules for peer in [*rule.get("from", []), *rule.get("to", [])]
        ):
            if "podSelector" in peer and "namespaceSelector" not in peer:
                yield peer["podSelector"]


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    """Return whether a selector takes what has these labels."""
    wanted = selector.get("matchLabels", {}).items()
    return all(labels.get(key) == value for key, value in wanted) and all(
        _holds(expression, labels) for expression in selector.get("matchExpressions", [])
    )


def _holds(expression: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    value = labels.get(expression["key"])
    held = {
        "In": value is not None and value in expression.get("values", []),
        "NotIn": value is None or value not in expression.get("values", []),
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }
    return held[expression["operator"]]
