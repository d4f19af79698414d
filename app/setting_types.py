"""Types of settings: each parses the text of a variable and explains what is wrong with it."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator
from pydantic_settings import NoDecode

from app.redis_url import parse_redis_url
from app.schedule import spelt_out

_QUEUE_NAME = re.compile(r"^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$")
#: Host names as in certificates. The last label is not a number, which excludes IP addresses.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"^(?=.{{1,253}}$)(?:{_LABEL}\.)+(?![0-9]+$){_LABEL}$")
_BUCKET = re.compile(r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
#: A directory, or a bucket with or without a prefix.
_STORAGE = re.compile(
    r"file:///.*|s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](?:/[A-Za-z0-9._-]+)*/?(?:\?allow-http=true)?"
)
_ENDPOINT_HOST = re.compile(r"[A-Za-z0-9._:-]+")
_SHA256 = re.compile(r"^sha256:([0-9a-f]{64})$")
#: Shorter API keys can be guessed.
MIN_API_KEY_LENGTH = 16


def _lower(value: object) -> object:
    return value.strip().lower() if isinstance(value, str) else value


def _absolute(path: Path) -> Path:
    return path.expanduser().absolute()


def _readable(path: Path) -> Path:
    if not path.is_file() or not os.access(path, os.R_OK):
        raise ValueError("the file does not exist or cannot be read")
    return path


def _directories(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = tuple(_absolute(Path(part)) for part in value.split(os.pathsep) if part)
    for directory in found:
        if not directory.is_dir() or not os.access(directory, os.R_OK | os.X_OK):
            raise ValueError(f"{directory} is not a directory, or cannot be read")
    return found


def _queue_name(value: str) -> str:
    if not _QUEUE_NAME.match(value):
        raise ValueError("use 1 to 64 letters, digits, dots, dashes or underscores")
    return value


def _schedule(value: str) -> str:
    return value if value == "never" else spelt_out(value)


def _redis_url(value: str) -> str:
    parse_redis_url(value)
    return value


def _storage_url(value: str) -> str:
    if value and not _STORAGE.fullmatch(value):
        raise ValueError(
            "use file:///directory or s3://bucket/prefix, with a bucket name of 3 to 63 "
            "lower-case letters, digits, dots and dashes; set credentials and endpoint in "
            "AWS_* variables; append ?allow-http=true to allow an endpoint without TLS"
        )
    return value


def is_endpoint(value: str) -> bool:
    """Return whether ``value`` is the URL of a server and contains no credentials."""
    try:
        parts = urlsplit(value)
        _ = parts.port  # raises ValueError if it is not a number
    except ValueError:
        return False
    known = parts.scheme in ("http", "https") and _ENDPOINT_HOST.fullmatch(parts.hostname or "")
    return bool(known) and not (parts.username or parts.query or parts.fragment)


def _endpoint(value: str) -> str:
    if value and not is_endpoint(value):
        raise ValueError("use http://host:4318 or https://host")
    return value


def _listed(value: object, pattern: re.Pattern[str], complaint: str) -> object:
    """Split a comma-separated list of names and convert them to lower case."""
    if not isinstance(value, str):
        return value
    names = [name.strip().lower() for name in value.split(",") if name.strip()]
    for name in names:
        if not pattern.match(name):
            raise ValueError(f"{name!r} {complaint}")
    return frozenset(names)


def _hosts(value: object) -> object:
    return _listed(value, _HOST, "is not a host name; list names such as assets.example.com")


def _buckets(value: object) -> object:
    return _listed(value, _BUCKET, "is not a bucket name; list names only")


def _key_digest(entry: str) -> str:
    match = _SHA256.match(entry)
    if match:
        return match.group(1)
    if len(entry) < MIN_API_KEY_LENGTH:
        raise ValueError(f"an API key must have at least {MIN_API_KEY_LENGTH} characters")
    return hashlib.sha256(entry.encode()).hexdigest()


def _key_digests(value: object) -> object:
    if not isinstance(value, str):
        return value
    return frozenset(_key_digest(entry.strip()) for entry in value.split(",") if entry.strip())


#: One of several words, in upper or lower case.
AnyCase = BeforeValidator(_lower)
#: A path, made absolute.
Directory = Annotated[Path, AfterValidator(_absolute)]
#: A file that must exist.
ReadableFile = Annotated[Path, AfterValidator(_absolute), AfterValidator(_readable)]
#: Directories that must exist, separated as in ``PATH``.
Directories = Annotated[tuple[Path, ...], NoDecode, BeforeValidator(_directories)]
QueueName = Annotated[str, AfterValidator(_queue_name)]
#: Five cron fields, or ``never``.
Schedule = Annotated[str, AfterValidator(_schedule)]
RedisUrl = Annotated[str, AfterValidator(_redis_url)]
#: Empty, ``file:///…`` or ``s3://…``.
StorageUrl = Annotated[str, AfterValidator(_storage_url)]
#: Empty, or the URL of a server.
EndpointUrl = Annotated[str, AfterValidator(_endpoint)]
HostNames = Annotated[frozenset[str], NoDecode, BeforeValidator(_hosts)]
BucketNames = Annotated[frozenset[str], NoDecode, BeforeValidator(_buckets)]
#: API keys, stored as SHA-256 only, so that a dump of the settings leaks nothing.
KeyDigests = Annotated[frozenset[str], NoDecode, BeforeValidator(_key_digests)]
