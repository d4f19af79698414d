"""Names and numbers that one object says of another: ports, peers, targets, waiting times."""

from __future__ import annotations

import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from app.settings import Settings
from tests.deploy import alert_rules
from tests.deploy.overlays import (
    KUSTOMIZE,
    OVERLAYS,
    Document,
    build,
    build_with_keda,
    config_map,
    matches,
    of_kind,
    parse,
)
from tests.deploy.tools import ROOT

pytestmark = pytest.mark.deploy_tools

COMPONENT = "app.kubernetes.io/component"
PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
Port = tuple[int | str, str]

#: What all of our pods may reach: names, and the queue by itself or by its Sentinels.
QUEUE: set[Port] = {(53, "UDP"), (53, "TCP"), (6379, "TCP"), (26379, "TCP")}
#: What each kind of pod may reach, and at which of its ports it may be reached.
ALLOWED: dict[str, tuple[set[Port], set[Port]]] = {
    "worker": (QUEUE | {(443, "TCP")}, {("metrics", "TCP")}),
    "api": (QUEUE | {(443, "TCP")}, {("http", "TCP")}),
    "scheduler": (QUEUE, set()),
}


def pods(overlay: str) -> Iterator[tuple[dict[str, str], Document]]:
    """Yield labels and container of each kind of pod."""
    for deployment in of_kind(build(overlay), "Deployment").values():
        template = deployment["spec"]["template"]
        (container,) = template["spec"]["containers"]
        yield template["metadata"]["labels"], container


def ports_of(container: Document) -> dict[str, int]:
    return {port["name"]: port["containerPort"] for port in container.get("ports", ())}


def container_of(overlay: str, component: str) -> Document:
    (found,) = (one for labels, one in pods(overlay) if labels[COMPONENT] == component)
    return found


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_port_that_is_named_is_a_port_of_every_pod_that_is_meant(overlay: str) -> None:
    for labels, container in pods(overlay):
        names = ports_of(container).keys()
        for probe in PROBES:
            assert container.get(probe, {}).get("httpGet", {}).get("port") in {None, *names}
        for document in build(overlay):
            selector = {"matchLabels": document.get("spec", {}).get("selector")}
            if document["kind"] == "Service" and matches(selector, labels):
                targets = {port["targetPort"] for port in document["spec"]["ports"]}
                assert targets == names, document["metadata"]["name"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_port_of_every_service_is_scraped(overlay: str) -> None:
    documents = build(overlay)
    (monitor,) = of_kind(documents, "ServiceMonitor").values()
    offered = {
        port["name"]
        for service in of_kind(documents, "Service").values()
        if matches(monitor["spec"]["selector"], service["metadata"]["labels"])
        for port in service["spec"]["ports"]
    }
    assert {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} == offered
    assert {endpoint["path"] for endpoint in monitor["spec"]["endpoints"]} == {"/metrics"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_product_listens_where_its_pods_say(overlay: str) -> None:
    settings, fields = config_map(overlay)["data"], Settings.model_fields
    worker = settings.get("HEALTH_PORT", fields["health_port"].default)
    api = settings.get("PREVIEW_API_PORT", fields["preview_api_port"].default)
    assert ports_of(container_of(overlay, "worker")) == {"metrics": int(worker)}
    assert ports_of(container_of(overlay, "api")) == {"http": int(api)}
    assert settings["PREVIEW_API_HOST"] == "0.0.0.0"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_kubernetes_sets_no_variable_that_is_a_setting_and_tmp_can_be_written(
    overlay: str,
) -> None:
    # For a Service preview-api every pod would get PREVIEW_API_PORT=tcp://10.0.0.1:8000.
    services = of_kind(build(overlay), "Service")
    variables = {f"{name.upper().replace('-', '_')}_PORT".lower() for name in services}
    assert overlay == "canary" or variables & Settings.model_fields.keys()
    for deployment in of_kind(build(overlay), "Deployment").values():
        pod = deployment["spec"]["template"]["spec"]
        assert pod["enableServiceLinks"] is False
        disks = {volume["name"] for volume in pod["volumes"] if "emptyDir" in volume}
        (container,) = pod["containers"]
        assert {
            mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] in disks
        } >= {"/tmp"}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_pod_reaches_and_is_reached_as_it_needs_and_not_otherwise(overlay: str) -> None:
    policies = of_kind(build(overlay), "NetworkPolicy").values()
    for labels, _ in pods(overlay):
        found: dict[str, set[Port]] = {"egress": set(), "ingress": set()}
        for policy in policies:
            if not matches(policy["spec"]["podSelector"], labels):
                continue
            for way, peers in (("egress", "to"), ("ingress", "from")):
                for rule in policy["spec"].get(way, ()):
                    assert rule[peers], "an empty list of peers is everybody"
                    found[way] |= {(port["port"], port["protocol"]) for port in rule["ports"]}
        assert (found["egress"], found["ingress"]) == ALLOWED[labels[COMPONENT]]


def test_the_autoscalers_scale_the_workers_of_production(tmp_path: Path) -> None:
    workers = {
        name
        for name, item in of_kind(build("production"), "Deployment").items()
        if item["spec"]["template"]["metadata"]["labels"][COMPONENT] == "worker"
    }
    (hpa,) = of_kind(build("production"), "HorizontalPodAutoscaler").values()
    (scaled,) = of_kind(parse(build_with_keda(tmp_path)), "ScaledObject").values()
    assert {hpa["spec"]["scaleTargetRef"]["name"]} == workers
    assert {scaled["spec"]["scaleTargetRef"]["name"]} == workers


def test_keda_counts_the_jobs_of_production_and_takes_no_answer_for_no_zero(
    tmp_path: Path,
) -> None:
    (scaled,) = of_kind(parse(build_with_keda(tmp_path)), "ScaledObject").values()
    (trigger,) = scaled["spec"]["triggers"]
    told, settings = trigger["metadata"], config_map("production")
    assert told["threshold"] == settings["data"]["PREVIEW_WORKER_CONCURRENCY"]
    for name, value in (
        ("namespace", settings["metadata"]["namespace"]),
        ("queue", settings["data"]["PREVIEW_QUEUE_NAME"]),
    ):
        assert f'{name}="{value}"' in told["query"]
    ((metric, labels),) = alert_rules.selectors(told["query"])
    assert (metric, labels) == ("preview_queue_depth", {"namespace", "queue", "state"})
    # A fallback sets the replicas to a number, and so takes busy workers away.
    assert "fallback" not in scaled["spec"]
    assert told["ignoreNullValues"] == "false"


def test_the_example_of_the_ingress_leads_to_the_api_and_keeps_slow_clients_off_it() -> None:
    ingress = yaml.safe_load((KUSTOMIZE / "base" / "ingress.example.yaml").read_text())
    (rule,) = ingress["spec"]["rules"]
    (path,) = rule["http"]["paths"]
    target = path["backend"]["service"]
    service = of_kind(build("production"), "Service")[target["name"]]
    assert target["port"]["name"] in {port["name"] for port in service["spec"]["ports"]}
    assert path["path"] == "/api/preview"
    annotations = ingress["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/proxy-buffering"] == "on"


def test_the_api_may_end_its_requests_and_is_not_restarted_for_slow_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("APP_ENV", "test")
    conf = runpy.run_path(str(ROOT / "gunicorn.conf.py"))
    pod = of_kind(build("production"), "Deployment")["preview-api"]["spec"]["template"]["spec"]
    container = container_of("production", "api")
    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pause + conf["graceful_timeout"] < pod["terminationGracePeriodSeconds"]
    liveness = container["livenessProbe"]
    patience = liveness["periodSeconds"] * liveness["failureThreshold"]
    # gunicorn replaces a process that hangs first; a restart would end every download.
    assert patience >= 4 * conf["timeout"]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_rollout_gives_a_new_worker_time_to_die(overlay: str) -> None:
    for name, deployment in of_kind(build(overlay), "Deployment").items():
        if name.startswith("preview-worker"):
            readiness = deployment["spec"]["template"]["spec"]["containers"][0]["readinessProbe"]
            noticed = readiness["periodSeconds"] * (readiness["failureThreshold"] - 1)
            assert deployment["spec"]["minReadySeconds"] > noticed
            rolling = deployment["spec"]["strategy"]["rollingUpdate"]
            assert rolling == {"maxSurge": 1, "maxUnavailable": 0}


def test_there_is_one_scheduler_at_a_time() -> None:
    for overlay in ("staging", "production"):
        scheduler = of_kind(build(overlay), "Deployment")["preview-scheduler"]["spec"]
        assert (scheduler["replicas"], scheduler["strategy"]) == (1, {"type": "Recreate"})
