"""What the overlays come to, as built: images, tracks, numbers, and who selects whom."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest

from tests.deploy.overlays import (
    IMAGE,
    OVERLAYS,
    Document,
    build,
    build_with_keda,
    built_text,
    config_map,
    containers,
    identity,
    matches,
    of_kind,
    parse,
    selectors,
)

pytestmark = pytest.mark.deploy_tools

#: Names of variables whose values are secrets.
SECRET = re.compile(r"PASSWORD|SECRET|KEYS?$|TOKEN|REDIS_URL")


def settings_of(overlay: str) -> dict[str, str]:
    values: dict[str, str] = config_map(overlay)["data"]
    return values


def labels_of_pods(documents: list[Document]) -> list[dict[str, str]]:
    deployments = of_kind(documents, "Deployment").values()
    return [item["spec"]["template"]["metadata"]["labels"] for item in deployments]


def labels_of_services(documents: list[Document]) -> list[dict[str, str]]:
    return [item["metadata"]["labels"] for item in of_kind(documents, "Service").values()]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_overlay_replaces_the_image_of_every_container(overlay: str) -> None:
    images = {container["image"] for container in containers(build(overlay))}
    assert len(images) == 1
    (image,) = images
    assert re.match(r"^[a-z0-9.-]+(:[0-9]+)?/", image), f"{image} names no registry"
    assert not image.startswith(IMAGE)
    pinned = r":[A-Za-z0-9._-]+$" if overlay == "staging" else r"@sha256:[0-9a-f]{64}$"
    assert re.search(pinned, image)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_all_pods_carry_the_track_that_their_settings_name(overlay: str) -> None:
    track = settings_of(overlay)["PREVIEW_TRACK"]
    assert track == {"production": "stable"}.get(overlay, overlay)
    assert [labels["track"] for labels in labels_of_pods(build(overlay))] == [track] * (
        2 if overlay == "canary" else 3
    )


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_selector_finds_something_of_its_own_overlay(overlay: str) -> None:
    documents = build(overlay)
    for document in documents:
        services = document["kind"] == "ServiceMonitor"
        there = labels_of_services(documents) if services else labels_of_pods(documents)
        for selector in selectors(document):
            assert any(matches(selector, labels) for labels in there), identity(document)


def test_production_and_canary_have_no_object_in_common() -> None:
    production, canary = build("production"), build("canary")
    assert {item["metadata"]["namespace"] for item in canary} == {"mobius-preview"}
    assert not {identity(item) for item in production} & {identity(item) for item in canary}


@pytest.mark.parametrize("pair", [("production", "canary"), ("canary", "production")])
def test_no_selector_of_one_track_takes_pods_or_services_of_the_other(
    pair: tuple[str, str],
) -> None:
    ours, theirs = (build(overlay) for overlay in pair)
    for document in ours:
        services = document["kind"] == "ServiceMonitor"
        there = labels_of_services(theirs) if services else labels_of_pods(theirs)
        for selector, labels in product(selectors(document), there):
            assert not matches(selector, labels), (identity(document), selector, labels)


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_way_to_redis_does_not_lead_by_our_own_labels(overlay: str) -> None:
    (policy,) = (
        item
        for name, item in of_kind(build(overlay), "NetworkPolicy").items()
        if name.startswith("preview-redis")
    )
    peers = [peer for rule in policy["spec"]["egress"] for peer in rule["to"]]
    assert any(
        matches(peer["podSelector"], {"app.kubernetes.io/name": name})
        for peer in peers
        for name in ("redis", "valkey")
        if "podSelector" in peer
    )


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_is_denied_by_default_are_all_our_pods(overlay: str) -> None:
    documents = build(overlay)
    (deny,) = (
        item
        for name, item in of_kind(documents, "NetworkPolicy").items()
        if name.startswith("preview-default-deny")
    )
    assert deny["spec"].keys() == {"podSelector", "policyTypes"}
    assert set(deny["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    assert all(matches(deny["spec"]["podSelector"], pod) for pod in labels_of_pods(documents))


def test_the_numbers_are_the_owners() -> None:
    replicas: dict[str, dict[str, int | None]] = {
        overlay: {
            name: item["spec"].get("replicas")
            for name, item in of_kind(build(overlay), "Deployment").items()
        }
        for overlay in OVERLAYS
    }
    assert replicas == {
        "staging": {"preview-worker": 1, "preview-api": 1, "preview-scheduler": 1},
        "canary": {"preview-worker-canary": 1, "preview-api-canary": 1},
        # The autoscaler sets those of the worker, from two on.
        "production": {"preview-worker": None, "preview-api": 2, "preview-scheduler": 1},
    }
    (hpa,) = of_kind(build("production"), "HorizontalPodAutoscaler").values()
    assert hpa["spec"]["minReplicas"] == 2
    concurrency = {name: settings_of(name)["PREVIEW_WORKER_CONCURRENCY"] for name in OVERLAYS}
    assert concurrency == {"staging": "1", "canary": "1", "production": "2"}
    worker = next(item for item in containers(build("production")) if item["name"] == "worker")
    sizes = {
        kind: {name: worker["resources"][kind][name] for name in ("cpu", "memory")}
        for kind in ("requests", "limits")
    }
    assert sizes == {
        "requests": {"cpu": "150m", "memory": "256Mi"},
        "limits": {"cpu": "500m", "memory": "512Mi"},
    }


def test_canary_and_staging_have_what_is_theirs_alone() -> None:
    production = {item["kind"] for item in build("production")}
    canary = {item["kind"] for item in build("canary")}
    absent = {"HorizontalPodAutoscaler", "PodDisruptionBudget", "PrometheusRule", "Namespace"}
    assert absent <= production
    assert not absent & canary
    assert (
        settings_of("canary")["PREVIEW_QUEUE_NAME"]
        == (settings_of("production")["PREVIEW_QUEUE_NAME"])
    )
    spaces = {name: of_kind(build(name), "Namespace") for name in ("staging", "production")}
    assert [list(item) for item in spaces.values()] == [
        ["mobius-preview-staging"],
        ["mobius-preview"],
    ]


def test_only_one_autoscaler_sets_the_replicas(tmp_path: Path) -> None:
    for overlay in OVERLAYS:
        kinds = [item["kind"] for item in build(overlay)]
        assert not {"HorizontalPodAutoscaler", "ScaledObject"} <= set(kinds)
    keda = parse(build_with_keda(tmp_path))
    (scaled,) = of_kind(keda, "ScaledObject").values()
    target = of_kind(keda, "Deployment")[scaled["spec"]["scaleTargetRef"]["name"]]
    assert "replicas" not in target["spec"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_secrets_come_from_the_secret_and_are_nowhere_in_the_manifests(overlay: str) -> None:
    documents = build(overlay)
    assert not of_kind(documents, "Secret")
    assert not [name for name in settings_of(overlay) if SECRET.search(name) and "FILE" not in name]
    for container in containers(documents):
        for variable in container["env"]:
            assert "value" not in variable or not SECRET.search(variable["name"])
    assert not re.search(r"://[^/\s:@]+:[^/\s@]+@", built_text(overlay)), "a URL with a password"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_read_the_settings_of_their_own_overlay(overlay: str) -> None:
    config = config_map(overlay)["metadata"]["name"]
    for container in containers(build(overlay)):
        assert container["envFrom"] == [{"configMapRef": {"name": config}}]
