"""Every built object against the schema of its kind, unknown fields included."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.deploy.overlays import (
    OVERLAYS,
    Document,
    build,
    build_with_keda,
    built_text,
    containers,
    parse,
)
from tests.deploy.tools import npm_package, passes, run, tool

pytestmark = pytest.mark.deploy_tools

#: The oldest version that the manifests are for, and the newest whose schemas are here.
KUBERNETES = ("1.32", "1.37")
#: Groups whose objects are defined by operators.
CUSTOM = ("keda.sh", "monitoring.coreos.com")
SCRIPT = Path(__file__).parent / "custom_resources.mjs"


def is_custom(document: Document) -> bool:
    return document["apiVersion"].split("/")[0] in CUSTOM


def check_custom(documents: list[Document]) -> tuple[int, str]:
    modules = npm_package("@kubernetes-models/keda").parents[1]
    done = run(tool("node"), SCRIPT, modules, stdin=json.dumps(documents))
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_all_objects_are_what_kubernetes_defines_them_to_be(overlay: str, tmp_path: Path) -> None:
    plain = [item for item in build(overlay) if not is_custom(item)]
    for number, item in enumerate(plain):
        (tmp_path / f"{number:02}.json").write_text(json.dumps(item))
    files = sorted(tmp_path.iterdir())
    for version in KUBERNETES:
        passes(tool("kubernetes-validate"), "-k", version, "--strict", "--quiet", *files)


def test_the_examples_are_valid_as_well(tmp_path: Path) -> None:
    for name in ("secret", "ingress"):
        source = Path("kustomize/base") / f"{name}.example.yaml"
        passes(tool("kubernetes-validate"), "-k", KUBERNETES[0], "--strict", "--quiet", source)


def test_an_unknown_field_is_found(tmp_path: Path) -> None:
    deployment = next(item for item in build("staging") if item["kind"] == "Deployment")
    file = tmp_path / "deployment.json"
    file.write_text(json.dumps({**deployment, "spec": {**deployment["spec"], "replica": 1}}))
    done = run(tool("kubernetes-validate"), "-k", KUBERNETES[0], "--strict", file)
    assert done.returncode
    assert "replica" in done.stdout + done.stderr


def test_custom_resources_are_what_their_operators_define_them_to_be(tmp_path: Path) -> None:
    streams = [*map(build, OVERLAYS), parse(build_with_keda(tmp_path))]
    custom = [item for documents in streams for item in documents if is_custom(item)]
    kinds = {item["kind"] for item in custom}
    assert kinds == {"PrometheusRule", "ScaledObject", "ServiceMonitor"}
    assert check_custom(custom) == (0, "")


def test_wrong_values_and_unknown_fields_of_custom_resources_are_found() -> None:
    monitor = next(item for item in build("staging") if item["kind"] == "ServiceMonitor")
    endpoint = {**monitor["spec"]["endpoints"][0]}
    for change, complaint in (
        ({"interval": "30 s"}, "interval"),
        ({"intervall": "30s"}, "no such field"),
    ):
        spec = {**monitor["spec"], "endpoints": [{**endpoint, **change}]}
        code, said = check_custom([{**monitor, "spec": spec}])
        assert code == 1
        assert complaint in said


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_numbers_in_quotes_stay_strings(overlay: str) -> None:
    """Arguments and settings are strings; a number there is refused by the API server."""
    assert all(
        isinstance(word, str) for item in containers(build(overlay)) for word in item["args"]
    )
    assert "!!" not in built_text(overlay)
