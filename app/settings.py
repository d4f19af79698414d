"""Settings: environment variables, read once into a frozen object.

``docs/configuration.md`` documents every variable, and a test compares it with
:class:`Settings`. No other module of ``app/`` reads the environment.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from app.redis_url import parse_redis_url
from app.setting_types import (
    AnyCase,
    BucketNames,
    Directories,
    Directory,
    EndpointUrl,
    HostNames,
    KeyDigests,
    QueueName,
    ReadableFile,
    RedisUrl,
    Schedule,
    StorageUrl,
    is_endpoint,
)


class SettingsError(Exception):
    """A variable has an invalid value. The message names the variable, the value and the remedy."""


class Settings(BaseSettings):
    """The settings of all processes. Immutable; pass them explicitly.

    Names of durations end in ``_seconds``, names of sizes in ``_mb`` (MiB).
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    redis_url: RedisUrl = Field(default="redis://127.0.0.1:6379", repr=False)
    redis_sentinel_username: str = ""
    redis_sentinel_password: str = Field(default="", repr=False)
    redis_tls_ca_file: ReadableFile | None = None
    redis_tls_cert_file: ReadableFile | None = None
    redis_tls_key_file: ReadableFile | None = Field(default=None, validate_default=True)
    app_env: Annotated[Literal["production", "staging", "development", "test"], AnyCase] = (
        "production"
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], AnyCase] = "info"
    log_format: Annotated[Literal["auto", "json", "console"], AnyCase] = "auto"
    data_dir: Directory = Path("./data")
    storage_url: StorageUrl = ""
    health_host: str = "0.0.0.0"  # noqa: S104 - probes and scrapes come from other hosts
    health_port: int = Field(default=3000, ge=0, le=65535)
    preview_queue_name: QueueName = "preview-jobs"
    preview_queue_max: int = Field(default=20, ge=1, le=10_000_000)
    preview_worker_concurrency: int = Field(default=2, ge=1, le=64)
    preview_max_attempts: int = Field(default=5, ge=1, le=50)
    preview_max_starts: int = Field(default=3, ge=1, le=50)
    preview_retry_base_seconds: float = Field(default=1.0, gt=0, le=60)
    preview_retry_max_seconds: float = Field(default=60.0, gt=0, le=3600)
    preview_fault_cooldown_seconds: float = Field(default=30.0, ge=0, le=300)
    preview_lease_seconds: float = Field(default=30.0, ge=2, le=600)
    preview_job_timeout_seconds: float = Field(default=600.0, ge=1, le=7200)
    preview_shutdown_grace_seconds: float = Field(default=20.0, ge=0, le=7200)
    preview_render_memory_mb: int = Field(default=1024, ge=128, le=65536)
    preview_render_threads: int = Field(default=1, ge=1, le=64)
    preview_renderer: str = "storyboard"
    preview_step_cache_dir: Directory | None = None
    preview_step_cache_mb: int = Field(default=1024, ge=0, le=1_048_576)
    preview_asset_root: Directory | None = None
    preview_asset_hosts: HostNames = frozenset()
    preview_asset_buckets: BucketNames = frozenset()
    preview_asset_cache_mb: int = Field(default=1024, ge=0, le=1_048_576)
    preview_font_dir: Directories | None = None
    preview_artifact_url_seconds: int = Field(default=0, ge=0, le=604_800)  # a week: SigV4's most
    preview_api_keys: KeyDigests = frozenset()
    preview_api_host: str = "127.0.0.1"
    preview_api_port: int = Field(default=8000, ge=0, le=65535)
    preview_result_ttl_hours: float = Field(default=72.0, gt=0, le=87600)
    preview_record_ttl_days: float = Field(default=30.0, gt=0, le=3650)
    preview_dlq_ttl_days: float = Field(default=30.0, gt=0, le=3650)
    preview_dlq_max: int = Field(default=10_000, ge=1, le=10_000_000)
    preview_dlq_replay_cron: Schedule = "*/10 * * * *"
    otel_exporter_otlp_endpoint: EndpointUrl = ""
    preview_revision: str = ""
    preview_track: Annotated[Literal["stable", "canary", "staging"], AnyCase] = "stable"

    @field_validator("redis_tls_ca_file", "redis_tls_cert_file", "redis_tls_key_file")
    @classmethod
    def _only_with_tls(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        """Refuse certificates without TLS: their owner expects an encrypted connection."""
        url = info.data.get("redis_url")
        if value is not None and url is not None and not parse_redis_url(url).tls:
            raise ValueError("requires a REDIS_URL with rediss:// or rediss+sentinel://")
        return value

    @field_validator("redis_tls_key_file")
    @classmethod
    def _with_its_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        cert = info.data.get("redis_tls_cert_file", value)
        if (value is None) != (cert is None):
            raise ValueError("set REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE, or neither")
        return value

    @property
    def asset_root(self) -> Path:
        """Directory of all assets; those of a project are in ``<projectId>/`` below it."""
        return self.preview_asset_root or self.data_dir / "assets"

    @property
    def asset_cache(self) -> Path:
        """Directory of fetched remote assets, on a local disk."""
        return self.data_dir / "cache" / "assets"

    @property
    def font_dirs(self) -> tuple[Path, ...]:
        """Directories of fonts in addition to the bundled ones."""
        return self.preview_font_dir or ()

    @property
    def step_cache(self) -> Path:
        """Directory of encoded steps. Workers on several machines may share it."""
        return self.preview_step_cache_dir or self.data_dir / "step-cache"

    @property
    def work_root(self) -> Path:
        """Directory of work in progress, on a local disk."""
        return self.data_dir / "work"

    @property
    def artifact_url(self) -> str:
        """URL of the artifact store: ``file:///directory`` or ``s3://bucket/prefix``."""
        return self.storage_url or (self.data_dir / "artifacts").as_uri()

    @property
    def development(self) -> bool:
        """Whether the API may run without keys."""
        return self.app_env in ("development", "test")


#: Variables whose values are never printed, not even in error messages.
_SECRET_VARIABLES = frozenset({"PREVIEW_API_KEYS", "REDIS_URL", "REDIS_SENTINEL_PASSWORD"})


def load_settings() -> Settings:
    """Read the environment.

    Raises:
        SettingsError: A value is invalid. The message names each variable, value and remedy.
    """
    _check_aws_variables()
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(error))) from None


def _check_aws_variables() -> None:
    """Check the variables that obstore reads; it crashes on empty values and invalid URLs."""
    for name in [name for name, value in os.environ.items() if not value]:
        if name.startswith("AWS_"):
            del os.environ[name]  # an empty value counts as not set
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        value = os.environ.get(name, "https://aws")
        if not is_endpoint(value):
            shown = "(hidden)" if "@" in value else repr(value)
            raise SettingsError(f"{name}={shown}: use https://host or https://host:port")


def _explain(error: ValidationError) -> list[str]:
    lines = []
    for item in error.errors():
        variable = str(item["loc"][0]).upper() if item["loc"] else "settings"
        value = repr(item["input"])
        if variable in _SECRET_VARIABLES or "@" in value:  # a password in a URL
            value = "(hidden)"
        lines.append(f"{variable}={value}: {item['msg'].removeprefix('Value error, ')}")
    return lines
