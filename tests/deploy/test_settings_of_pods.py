"""What the manifests set is what the product reads, and their times fit into each other."""

from __future__ import annotations

import re

import pytest

from app.middleware.shutdown import LEEWAY_SECONDS
from app.settings import Settings, load_settings
from tests.deploy.image import config, deployment
from tests.deploy.overlays import KUSTOMIZE, OVERLAYS, parse
from tests.deploy.tools import ROOT

#: Variables that others read: gunicorn, and the library that speaks to buckets.
OF_OTHERS = {
    "AWS_ACCESS_KEY_ID",
    "AWS_ENDPOINT_URL",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "WEB_CONCURRENCY",
}
DEPLOYMENTS = ("worker", "api", "scheduler")


def literals(overlay: str) -> dict[str, str]:
    (document,) = parse((KUSTOMIZE / "overlays" / overlay / "kustomization.yaml").read_text())
    (generator,) = document["configMapGenerator"]
    return dict(line.split("=", 1) for line in generator["literals"])


def from_secret(name: str) -> dict[str, bool]:
    """Return the variables of a Deployment that come from the Secret: needed or not."""
    (container,) = deployment(name)["spec"]["template"]["spec"]["containers"]
    sources = {item["name"]: item["valueFrom"]["secretKeyRef"] for item in container["env"]}
    assert {item["name"] for item in sources.values()} == {"preview-secrets"}
    assert all(variable == item["key"] for variable, item in sources.items())
    return {variable: not item.get("optional", False) for variable, item in sources.items()}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_the_product_takes_the_settings_of_every_overlay(
    overlay: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = {**config(), **literals(overlay)}
    known = {name.upper() for name in Settings.model_fields}
    assert values.keys() <= known | OF_OTHERS
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert settings.preview_track == {"production": "stable"}.get(overlay, overlay)
    assert not settings.development
    assert settings.artifact_url.startswith("s3://")


def test_secrets_go_to_those_who_need_them() -> None:
    redis = {
        "REDIS_URL": True,
        "REDIS_SENTINEL_USERNAME": False,
        "REDIS_SENTINEL_PASSWORD": False,
    }
    bucket = {"AWS_ACCESS_KEY_ID": False, "AWS_SECRET_ACCESS_KEY": False}
    assert from_secret("scheduler") == redis
    assert from_secret("worker") == {**redis, **bucket}
    assert from_secret("api") == {**redis, **bucket, "PREVIEW_API_KEYS": True}


def test_the_example_of_the_secret_names_all_that_pods_ask_for_and_holds_nothing() -> None:
    secrets = parse((KUSTOMIZE / "base" / "secret.example.yaml").read_text())
    values = {item["metadata"]["name"]: item["stringData"] for item in secrets}
    asked = {name for deployed in DEPLOYMENTS for name in from_secret(deployed)}
    assert values["preview-secrets"].keys() == asked
    assert {value for data in values.values() for value in data.values()} == {""}
    (base,) = parse((KUSTOMIZE / "base" / "kustomization.yaml").read_text())
    assert not [name for name in base["resources"] if "example" in name]


def test_certificates_are_mounted_where_the_settings_say() -> None:
    text = (KUSTOMIZE / "base" / "config.env").read_text()
    for name in DEPLOYMENTS:
        pod = deployment(name)["spec"]["template"]["spec"]
        (volume,) = (item for item in pod["volumes"] if "secret" in item)
        assert volume["secret"]["optional"] is True
        mounts = {item["name"]: item["mountPath"] for item in pod["containers"][0]["volumeMounts"]}
        assert f"{mounts[volume['name']]}/ca.crt" in text


def test_a_render_ends_before_its_worker_and_its_worker_before_its_pod() -> None:
    settings = config()
    pod = deployment("worker")["spec"]["template"]["spec"]
    words = pod["containers"][0]["args"]
    job = float(settings["PREVIEW_JOB_TIMEOUT_SECONDS"])
    grace = float(settings["PREVIEW_SHUTDOWN_GRACE_SECONDS"])
    shutdown = int(words[words.index("--worker-shutdown-timeout") + 1]) / 1000
    assert job < grace
    assert grace + LEEWAY_SECONDS < shutdown < pod["terminationGracePeriodSeconds"]


def test_threads_suffice_for_renders_and_cron_tasks() -> None:
    words = deployment("worker")["spec"]["template"]["spec"]["containers"][0]["args"]
    assert words[words.index("--processes") + 1] == "1"
    threads = int(words[words.index("--threads") + 1])
    renders = [{**config(), **literals(name)}["PREVIEW_WORKER_CONCURRENCY"] for name in OVERLAYS]
    assert threads >= max(map(int, renders)) + 2


def test_caches_fit_onto_the_disk_that_a_pod_may_fill() -> None:
    pod = deployment("worker")["spec"]["template"]["spec"]
    sizes = {
        item["name"]: item["emptyDir"]["sizeLimit"] for item in pod["volumes"] if "emptyDir" in item
    }
    mebibytes = {name: _mebibytes(size) for name, size in sizes.items()}
    limit = pod["containers"][0]["resources"]["limits"]["ephemeral-storage"]
    assert sum(mebibytes.values()) < _mebibytes(limit)
    fields = Settings.model_fields
    caches = fields["preview_step_cache_mb"].default + fields["preview_asset_cache_mb"].default
    assert caches * 1.5 < mebibytes["data"]
    # Who uses more than was asked for is evicted first; caches fill up in the end.
    request = pod["containers"][0]["resources"]["requests"]["ephemeral-storage"]
    assert caches < _mebibytes(request)


def _mebibytes(quantity: str) -> int:
    return int(quantity[:-2]) * {"Mi": 1, "Gi": 1024}[quantity[-2:]]


def test_probes_never_ask_redis_whether_to_restart() -> None:
    for name in ("worker", "api"):
        (container,) = deployment(name)["spec"]["template"]["spec"]["containers"]
        paths = {
            probe: container[f"{probe}Probe"]["httpGet"]["path"]
            for probe in ("liveness", "readiness", "startup")
        }
        assert paths == {"liveness": "/livez", "readiness": "/readyz", "startup": "/livez"}


def test_the_dockerfile_installs_the_lock_and_runs_without_root_and_tools() -> None:
    build, _, final = (ROOT / "Dockerfile").read_text().partition("AS runtime")
    assert build.count("--require-hashes --only-binary :all:") == 2
    assert "USER 10001:10001" in final
    assert 'ENTRYPOINT ["tini", "--"]' in final
    installed = re.search(r"--no-install-recommends (.+) \\", final)
    assert installed is not None
    assert installed[1].split() == ["ca-certificates", "espeak-ng", "tini"]
    assert "pip uninstall" in final


def test_only_what_the_image_is_made_of_goes_to_its_builder() -> None:
    locks = "requirements.txt requirements-otel.txt"
    text = (ROOT / "Dockerfile").read_text().replace("${REQUIREMENTS}", locks)
    copied = [
        words.split()[:-1] for words in re.findall(r"^COPY (?!--from)(.+)$", text, re.MULTILINE)
    ]
    sources = {source for words in copied for source in words}
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    assert {line[1:] for line in lines if line.startswith("!")} == sources
