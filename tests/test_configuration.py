from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from app.settings import Settings, SettingsError, load_settings

TABLE = Path(__file__).parents[1] / "docs" / "configuration.md"
ROW = re.compile(r"^\| `([A-Z_]+)` \| (?:`([^`]*)`|\*\(empty\)\*) \|", re.MULTILINE)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(name.upper(), raising=False)


def documented() -> dict[str, str]:
    return dict(ROW.findall(TABLE.read_text()))


def test_the_table_names_every_variable_and_no_other() -> None:
    assert set(documented()) == {name.upper() for name in Settings.model_fields}


def test_the_table_gives_the_defaults_of_the_code() -> None:
    for name, field in Settings.model_fields.items():
        default = field.default
        told = documented()[name.upper()]
        if name == "data_dir":
            assert (told, default) == ("./data", Path("./data"))
        else:
            assert told == (str(default) if default not in (None, frozenset(), "") else ""), name


def test_without_an_environment_the_defaults_are_valid() -> None:
    settings = load_settings()
    assert settings.app_env == "production"
    assert settings.asset_root == Path.cwd() / "data" / "assets"
    assert settings.artifact_url == (Path.cwd() / "data" / "artifacts").as_uri()
    assert not settings.development


@pytest.mark.parametrize(
    ("variable", "value", "remedy"),
    [
        ("HEALTH_PORT", "70000", "65535"),
        ("HEALTH_PORT", "http", "integer"),
        ("APP_ENV", "prod", "'production'"),
        ("PREVIEW_QUEUE_MAX", "0", "greater than or equal to 1"),
        ("PREVIEW_WORKER_CONCURRENCY", "-1", "greater than or equal to 1"),
        ("PREVIEW_QUEUE_NAME", "a b", "letters"),
        ("PREVIEW_QUEUE_NAME", "x" * 65, "64"),
        ("PREVIEW_LEASE_SECONDS", "nan", "600"),
        ("PREVIEW_RETRY_BASE_SECONDS", "0", "greater than 0"),
        ("LOG_LEVEL", "loud", "'info'"),
        ("STORAGE_URL", "/srv/artifacts", "file:///directory or s3://bucket/prefix"),
        ("STORAGE_URL", "s3://Bucket", "s3://bucket/prefix"),
        ("STORAGE_URL", "s3://bucket/a b", "s3://bucket/prefix"),
        ("STORAGE_URL", "s3://bucket?region=eu-west-1", "AWS_*"),
        ("STORAGE_URL", "https://bucket.example.com", "s3://bucket/prefix"),
        ("PREVIEW_ARTIFACT_URL_SECONDS", "700000", "604800"),
        ("PREVIEW_ASSET_HOSTS", "https://assets.example.com", "assets.example.com"),
        ("PREVIEW_ASSET_HOSTS", "a.example, *.b.example", "'*.b.example' is not a host name"),
        ("PREVIEW_ASSET_HOSTS", "10.0.0.1", "not a host name"),
        ("PREVIEW_ASSET_HOSTS", "localhost", "not a host name"),
        ("PREVIEW_ASSET_BUCKETS", "s3://games", "not a bucket name"),
        ("PREVIEW_DLQ_REPLAY_CRON", "every hour", "five fields"),
        ("PREVIEW_DLQ_REPLAY_CRON", "61 * * * *", "use 0 to 59"),
    ],
)
def test_a_bad_value_is_named_with_its_variable_and_the_remedy(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, remedy: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert variable in str(caught.value)
    assert repr(value) in str(caught.value)
    assert remedy in str(caught.value)


def test_all_bad_values_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTH_PORT", "x")
    monkeypatch.setenv("LOG_LEVEL", "y")
    with pytest.raises(SettingsError, match=r"LOG_LEVEL.*; HEALTH_PORT|HEALTH_PORT.*; LOG_LEVEL"):
        load_settings()


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("PREVIEW_API_KEYS", "short-secret"),
        ("REDIS_URL", "http://user:hunter2@host"),
        ("STORAGE_URL", "s3://AKID:hunter2@bucket/prefix"),
    ],
)
def test_a_bad_secret_is_never_printed(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert variable in str(caught.value)
    assert value not in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_keys_are_held_as_digests_whether_given_plain_or_hashed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    digest = "b" * 64
    monkeypatch.setenv("PREVIEW_API_KEYS", f"a-key-of-enough-length, sha256:{digest},")
    settings = load_settings()
    assert digest in settings.preview_api_keys
    assert len(settings.preview_api_keys) == 2
    assert "a-key-of-enough-length" not in repr(settings)


def test_lists_of_hosts_are_split_and_in_lower_case(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PREVIEW_ASSET_HOSTS", "Assets.Example.com, b.example,")
    assert load_settings().preview_asset_hosts == {"assets.example.com", "b.example"}
    assert load_settings().preview_asset_buckets == frozenset()


@pytest.mark.parametrize(
    "url", ["s3://bucket", "s3://my.bucket-1/a/b.c_d/", "s3://bucket/p?allow-http=true"]
)
def test_artifacts_may_be_in_a_bucket(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    monkeypatch.setenv("STORAGE_URL", url)
    assert load_settings().artifact_url == url


@pytest.mark.parametrize(
    "value",
    ["minio:9000", "https://", "https://a b", "http://h:99999", "ftp://h", "https://[::1",
     "https://h/?x", "https://user:hunter2@h"],
)  # fmt: skip
def test_an_endpoint_that_is_none_is_named(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", value)
    with pytest.raises(SettingsError, match=r"AWS_ENDPOINT_URL_S3=.*https://host") as caught:
        load_settings()
    assert "hunter2" not in str(caught.value)


def test_variables_of_aws_count_as_not_set_when_they_are_empty(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://[::1]:9000")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "")
    load_settings()
    assert {"AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID"}.isdisjoint(os.environ)
    assert os.environ["AWS_ENDPOINT_URL_S3"] == "http://[::1]:9000"


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().health_port = 1


def test_an_empty_value_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEALTH_PORT", "")
    assert load_settings().health_port == 3000
    assert os.environ["HEALTH_PORT"] == ""
