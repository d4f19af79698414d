"""What is known to be unsafe in manifests and Dockerfile: Checkov, Pod Security Standards."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.overlays import OVERLAYS, build, built_text, of_kind
from tests.deploy.tools import ROOT, run, tool

pytestmark = pytest.mark.deploy_tools

#: Checks that do not hold, by overlay ("" is each) and Deployment ("" is each), with the reason.
EXCEPTIONS = {
    ("CKV_K8S_35", "", ""): "settings are environment variables; secrets are referred to there",
    ("CKV_K8S_8", "", "preview-scheduler"): "it listens nowhere; an alert watches its ticks",
    ("CKV_K8S_9", "", "preview-scheduler"): "as above",
    ("CKV_K8S_15", "", ""): "tags are never moved, digests cannot be: a node need not ask again",
    ("CKV_K8S_43", "staging", ""): "staging runs tags; canary and production run digests",
}


def excused(overlay: str, check: str, resource: str) -> tuple[str, str, str] | None:
    for key in EXCEPTIONS:
        same, of, name = key
        if same == check and of in ("", overlay) and name in ("", resource.rpartition(".")[2]):
            return key
    return None


@pytest.fixture(scope="module")
def failures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[dict[str, Any]]]:
    """What Checkov finds, by framework; one run, because it takes long to start."""
    directory = tmp_path_factory.mktemp("policy")
    for overlay in OVERLAYS:
        (directory / f"{overlay}.yaml").write_text(built_text(overlay))
    shutil.copy(ROOT / "Dockerfile", directory)
    quiet = ("--skip-download", "--quiet", "--compact", "--output", "json")
    frameworks = ("--framework", "kubernetes", "dockerfile")
    done = run(tool("checkov"), *quiet, "--directory", directory, *frameworks)
    reports = {report["check_type"]: report for report in json.loads(done.stdout)}
    assert reports.keys() == {"kubernetes", "dockerfile"}
    for report in reports.values():
        assert report["summary"]["passed"] > 0, "nothing was checked"
        assert not report["summary"]["parsing_errors"]
    return {name: report["results"]["failed_checks"] for name, report in reports.items()}


def test_manifests_keep_to_what_is_known_to_be_safe(
    failures: dict[str, list[dict[str, Any]]],
) -> None:
    used = set()
    wrong = []
    for item in failures["kubernetes"]:
        overlay = Path(item["file_path"]).stem
        key = excused(overlay, item["check_id"], item["resource"])
        used.add(key)
        if key is None:
            wrong.append(f"{overlay} {item['resource']}: {item['check_id']} {item['check_name']}")
    assert not wrong
    assert used == set(EXCEPTIONS), "an exception is needed no more"


def test_the_dockerfile_keeps_to_what_is_known_to_be_safe(
    failures: dict[str, list[dict[str, Any]]],
) -> None:
    assert failures["dockerfile"] == []


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_pods_keep_to_the_restricted_standard_and_more(overlay: str) -> None:
    """https://kubernetes.io/docs/concepts/security/pod-security-standards/."""
    for deployment in of_kind(build(overlay), "Deployment").values():
        pod = deployment["spec"]["template"]["spec"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == pod["securityContext"]["fsGroup"] == 10001
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert not {"hostNetwork", "hostPID", "hostIPC"} & pod.keys()
        for volume in pod["volumes"]:
            assert volume.keys() <= {"name", "emptyDir", "secret"}
            assert "emptyDir" not in volume or volume["emptyDir"].keys() == {"sizeLimit"}
        for container in pod["containers"]:
            assert container["securityContext"] == {
                "allowPrivilegeEscalation": False,
                "readOnlyRootFilesystem": True,
                "capabilities": {"drop": ["ALL"]},
            }
            for kind in ("requests", "limits"):
                assert container["resources"][kind].keys() == {"cpu", "memory", "ephemeral-storage"}
            # The image's entry point is tini; a command would replace it.
            assert "command" not in container
