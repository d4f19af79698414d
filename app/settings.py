"""Settings: environment variables, read once into a frozen object.

``docs/configuration.md`` documents every variable; a test holds it against
:class:`Settings`. Nothing else in ``app/`` reads the environment.
"""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.redis_url import parse_redis_url

_QUEUE_NAME = re.compile(r"^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$")
#: Host names as certificates have them; an address, whose last label is a number, is none.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"^(?=.{{1,253}}$)(?:{_LABEL}\.)+(?![0-9]+$){_LABEL}$")
_BUCKET = re.compile(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
#: Where artifacts may be: a directory, or a bucket with or without a prefix.
_STORAGE = re.compile(
    r"file:///.*|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[A-Za-z0-9._-]+)*/?(?:\?allow-http=true)?"
)
_ENDPOINT_HOST = re.compile(r"[A-Za-z0-9._:-]+")
_SHA256 = re.compile(r"^sha256:([0-9a-f]{64})$")
_CRON_PART = r"(?:\*|[0-9]{1,2}(?:-[0-9]{1,2})?)(?:/[0-9]{1,2})?"
_CRON = re.compile(rf"^(?:{_CRON_PART}(?:,{_CRON_PART})*(?: (?=\S)|$)){{5}}$")
#: Shorter keys could be guessed.
MIN_API_KEY_LENGTH = 16


class SettingsError(Exception):
    """A variable has a bad value; the message names it, the value and the remedy."""


def _key_digest(entry: str) -> str:
    match = _SHA256.match(entry)
    if match:
        return match.group(1)
    if len(entry) < MIN_API_KEY_LENGTH:
        raise ValueError(f"an API key needs at least {MIN_API_KEY_LENGTH} characters")
    return hashlib.sha256(entry.encode()).hexdigest()


def _listed(value: object, pattern: re.Pattern[str], complaint: str) -> object:
    """Split a comma-separated list of names in any case."""
    if not isinstance(value, str):
        return value
    names = [name.strip().lower() for name in value.split(",") if name.strip()]
    for name in names:
        if not pattern.match(name):
            raise ValueError(f"{name!r} {complaint}")
    return frozenset(names)


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _readable(path: Path) -> Path:
    if not path.is_file() or not os.access(path, os.R_OK):
        raise ValueError("there is no such file, or it cannot be read")
    return path


#: A file that must be there; None where it is not set.
_File = Annotated[Path, AfterValidator(_absolute), AfterValidator(_readable)] | None


class Settings(BaseSettings):
    """All settings of all processes. Frozen; pass it explicitly.

    Durations end in ``_seconds``, sizes in ``_mb`` (MiB).
    """

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True)

    redis_url: str = Field(default="redis://127.0.0.1:6379", repr=False)
    redis_sentinel_username: str = ""
    redis_sentinel_password: str = Field(default="", repr=False)
    redis_tls_ca_file: _File = None
    redis_tls_cert_file: _File = None
    redis_tls_key_file: _File = Field(default=None, validate_default=True)
    app_env: Literal["production", "staging", "development", "test"] = "production"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["auto", "json", "console"] = "auto"
    data_dir: Annotated[Path, AfterValidator(_absolute)] = Path("./data")
    storage_url: str = ""
    health_host: str = "0.0.0.0"  # noqa: S104 - probes and scrapes come from other hosts
    health_port: int = Field(default=3000, ge=0, le=65535)
    preview_queue_name: str = "preview-jobs"
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
    preview_step_cache_dir: Annotated[Path, AfterValidator(_absolute)] | None = None
    preview_step_cache_mb: int = Field(default=1024, ge=0, le=1_048_576)
    preview_asset_root: Annotated[Path, AfterValidator(_absolute)] | None = None
    preview_asset_hosts: Annotated[frozenset[str], NoDecode] = frozenset()
    preview_asset_buckets: Annotated[frozenset[str], NoDecode] = frozenset()
    preview_asset_cache_mb: int = Field(default=1024, ge=0, le=1_048_576)
    preview_font_dir: Annotated[tuple[Path, ...], NoDecode] | None = None
    preview_artifact_url_seconds: int = Field(default=0, ge=0, le=604_800)  # a week: SigV4's most
    preview_api_keys: Annotated[frozenset[str], NoDecode] = frozenset()
    preview_api_host: str = "127.0.0.1"
    preview_api_port: int = Field(default=8000, ge=0, le=65535)
    preview_result_ttl_hours: float = Field(default=72.0, gt=0, le=87600)
    preview_record_ttl_days: float = Field(default=30.0, gt=0, le=3650)
    preview_dlq_ttl_days: float = Field(default=30.0, gt=0, le=3650)
    preview_dlq_max: int = Field(default=10_000, ge=1, le=10_000_000)
    preview_dlq_replay_cron: str = "*/10 * * * *"
    otel_exporter_otlp_endpoint: str = ""
    preview_track: Literal["stable", "canary", "staging"] = "stable"

    @field_validator("app_env", "log_level", "log_format", "preview_track", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.strip().lower() if isinstance(value, str) else value

    @field_validator("preview_queue_name")
    @classmethod
    def _valid_queue_name(cls, value: str) -> str:
        if not _QUEUE_NAME.match(value):
            raise ValueError("use 1 to 64 letters, digits, dots, dashes or underscores")
        return value

    @field_validator("preview_dlq_replay_cron")
    @classmethod
    def _valid_cron(cls, value: str) -> str:
        if value != "never" and not _CRON.match(value):
            raise ValueError("use five fields as in cron (numbers, *, -, / and commas), or never")
        if re.search(r"(^|[,-])0*0([,/-]|$)", value.rsplit(maxsplit=1)[-1]):
            raise ValueError("write Sunday as 7: periodiq never fires on 0")
        return value

    @field_validator("redis_url")
    @classmethod
    def _valid_redis_url(cls, value: str) -> str:
        parse_redis_url(value)
        return value

    @field_validator("redis_tls_ca_file", "redis_tls_cert_file", "redis_tls_key_file")
    @classmethod
    def _only_with_tls(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        """Whoever sets a certificate means TLS, and must not go without by an oversight."""
        url = info.data.get("redis_url")
        if value is not None and url is not None and not parse_redis_url(url).tls:
            raise ValueError("REDIS_URL must then be rediss:// or rediss+sentinel://")
        return value

    @field_validator("redis_tls_key_file")
    @classmethod
    def _with_its_certificate(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        cert = info.data.get("redis_tls_cert_file", value)
        if (value is None) != (cert is None):
            raise ValueError("set REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE, or neither")
        return value

    @field_validator("storage_url")
    @classmethod
    def _valid_storage_url(cls, value: str) -> str:
        if value and not _STORAGE.fullmatch(value):
            raise ValueError(
                "use file:///directory or s3://bucket/prefix; credentials and endpoint go into "
                "AWS_* variables, and ?allow-http=true behind the prefix allows one without TLS"
            )
        return value

    @field_validator("preview_font_dir", mode="before")
    @classmethod
    def _valid_directories(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        found = tuple(_absolute(Path(part)) for part in value.split(os.pathsep) if part)
        for directory in found:
            if not directory.is_dir() or not os.access(directory, os.R_OK | os.X_OK):
                raise ValueError(f"{directory} is no directory, or cannot be read")
        return found

    @field_validator("preview_asset_hosts", mode="before")
    @classmethod
    def _valid_hosts(cls, value: object) -> object:
        return _listed(value, _HOST, "is no host name; list names as assets.example.com")

    @field_validator("preview_asset_buckets", mode="before")
    @classmethod
    def _valid_buckets(cls, value: object) -> object:
        return _listed(value, _BUCKET, "is no name of a bucket; list names alone")

    @field_validator("preview_api_keys", mode="before")
    @classmethod
    def _digest_keys(cls, value: object) -> object:
        """Keys are held as SHA-256 only: a dump of the settings leaks nothing."""
        if not isinstance(value, str):
            return value
        return frozenset(_key_digest(entry.strip()) for entry in value.split(",") if entry.strip())

    @property
    def asset_root(self) -> Path:
        """Directory whose child ``<projectId>/`` holds a project's assets."""
        return self.preview_asset_root or self.data_dir / "assets"

    @property
    def asset_cache(self) -> Path:
        """Directory of remote assets that were fetched, on this machine's own disk."""
        return self.data_dir / "cache" / "assets"

    @property
    def font_dirs(self) -> tuple[Path, ...]:
        """Directories of fonts beside the vendored ones."""
        return self.preview_font_dir or ()

    @property
    def step_cache(self) -> Path:
        """Directory of encoded steps; workers on several machines may share it."""
        return self.preview_step_cache_dir or self.data_dir / "step-cache"

    @property
    def work_root(self) -> Path:
        """Directory of work in progress, on this machine's own disk."""
        return self.data_dir / "work"

    @property
    def artifact_url(self) -> str:
        """URL of the artifact store: ``file:///directory`` or ``s3://bucket/prefix``."""
        return self.storage_url or (self.data_dir / "artifacts").as_uri()

    @property
    def development(self) -> bool:
        """Whether API keys may be absent and logs are meant for a person."""
        return self.app_env in ("development", "test")


#: Values that must never be printed, not even in an error message.
_SECRET_VARIABLES = frozenset({"PREVIEW_API_KEYS", "REDIS_URL", "REDIS_SENTINEL_PASSWORD"})


def load_settings() -> Settings:
    """Read the environment.

    Raises:
        SettingsError: A value is bad; names each variable, value and remedy.
    """
    _check_aws_variables()
    try:
        return Settings()
    except ValidationError as error:
        raise SettingsError("; ".join(_explain(error))) from None


def _check_aws_variables() -> None:
    """Check what obstore reads by itself: it breaks on empty values and on what is no URL."""
    for name in [name for name, value in os.environ.items() if not value]:
        if name.startswith("AWS_"):
            del os.environ[name]  # an empty value counts as not set
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"):
        value = os.environ.get(name, "https://aws")
        if not _is_endpoint(value):
            shown = "(hidden)" if "@" in value else repr(value)
            raise SettingsError(f"{name}={shown}: use https://host, with :port where need be")


def _is_endpoint(value: str) -> bool:
    try:
        parts = urlsplit(value)
        _ = parts.port  # which may be none
    except ValueError:
        return False
    known = parts.scheme in ("http", "https") and _ENDPOINT_HOST.fullmatch(parts.hostname or "")
    return bool(known) and not (parts.username or parts.query or parts.fragment)


def _explain(error: ValidationError) -> list[str]:
    lines = []
    for item in error.errors():
        variable = str(item["loc"][0]).upper() if item["loc"] else "settings"
        value = repr(item["input"])
        if variable in _SECRET_VARIABLES or "@" in value:  # a password in a URL
            value = "(hidden)"
        lines.append(f"{variable}={value}: {item['msg'].removeprefix('Value error, ')}")
    return lines
