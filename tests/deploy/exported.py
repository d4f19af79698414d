"""What a scrape of the product shows: every series with its labels."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from app.broker import WorkerLife
from app.ledger import Ledger
from app.probes import SCHEDULER_TICK
from app.settings import Settings
from tests.support.probe_app import serving

#: Labels that Prometheus and its operator add to what they scrape.
TARGET_LABELS = {"namespace", "pod", "container", "service", "endpoint", "instance", "job"}
#: Of kube-state-metrics, with the labels that rules and dashboard use
#: (https://github.com/kubernetes/kube-state-metrics/tree/main/docs/metrics/workload).
KUBE_STATE = {
    "kube_deployment_spec_replicas": {"namespace", "deployment"},
    "kube_deployment_status_replicas_available": {"namespace", "deployment"},
    "kube_pod_container_resource_limits": {"namespace", "pod", "container", "resource"},
    "kube_pod_container_status_last_terminated_reason": {
        "namespace", "pod", "container", "reason",
    },
    "kube_pod_container_status_restarts_total": {"namespace", "pod", "container"},
}  # fmt: skip
#: Of the kubelet (cAdvisor).
KUBELET = {
    "container_cpu_usage_seconds_total": {"namespace", "pod", "container"},
    "container_memory_working_set_bytes": {"namespace", "pod", "container"},
}


def exported(settings: Settings, ledger: Ledger) -> dict[str, set[str]]:
    """Return the labels of each series that a worker shows, after the scheduler has ticked."""
    ledger.record_tick(SCHEDULER_TICK)
    with serving(settings, life=WorkerLife) as probes:
        text = probes.simulate_get("/metrics").text
    return {
        sample.name: set(sample.labels)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def known(settings: Settings, ledger: Ledger) -> dict[str, set[str]]:
    """Return the labels of all series that rules and dashboard may ask for."""
    own = {name: labels | TARGET_LABELS for name, labels in exported(settings, ledger).items()}
    return {**own, **KUBE_STATE, **KUBELET}
