"""Buckets that are absent, closed to us, away, slow or cut off in the middle."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from app.errors import StorageUnavailable
from app.storage import ArtifactStore
from app.storage.places import PART_BYTES, S3_CHUNK_BYTES
from tests.conftest import wait_until
from tests.support.proxy import Proxy
from tests.support.s3_server import S3Server

#: Each call of a store, on an empty bucket.
CALLS: dict[str, Callable[[ArtifactStore, Path], object]] = {
    "put": lambda store, source: store.put("job/1/a", source),
    "size": lambda store, _: store.size("job/1/a"),
    "read": lambda store, _: list(store.read("job/1/a", start=0, end=1)),
    "attempts": lambda store, _: list(store.attempts()),
    "delete": lambda store, _: store.delete_prefix("job/1"),
    "probe": lambda store, _: store.probe(),
}


def refusals(store: ArtifactStore, source: Path) -> dict[str, str]:
    """Fail unless every call says that the store is unavailable; return in which words."""
    said = {}
    for name, call in CALLS.items():
        with pytest.raises(StorageUnavailable) as caught:
            call(store, source)
        said[name] = caught.value.detail
    return said


def test_an_absent_bucket_is_trouble_and_no_expired_file(reach: S3Server, source: Path) -> None:
    said = refusals(ArtifactStore("s3://absent?allow-http=true"), source)
    assert all("(NoSuchBucket)" in text for text in said.values()), said


def test_wrong_credentials_are_named_and_never_shown(
    url: str, source: Path, reach: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "hunter2")
    with reach.checking_signatures():
        said = refusals(ArtifactStore(url), source)
        with pytest.raises(StorageUnavailable) as caught:
            ArtifactStore(url).probe()
    assert "SignatureDoesNotMatch" in said["put"]
    assert "hunter2" not in f"{said} {caught.value.__cause__!r}"


def test_unknown_credentials_are_refused(
    url: str, source: Path, reach: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAUNKNOWN")
    with reach.checking_signatures():
        assert "InvalidAccessKeyId" in refusals(ArtifactStore(url), source)["put"]


def test_an_endpoint_without_tls_must_be_allowed(url: str, source: Path) -> None:
    refusals(ArtifactStore(url.partition("?")[0]), source)


def test_a_server_that_is_away_is_told_soon(
    url: str, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL_S3", address)
        began = time.monotonic()
        refusals(ArtifactStore(url, request_seconds=0.2), source)
    assert time.monotonic() - began < 10


def test_a_server_that_answers_too_slowly_is_given_up(url: str, proxy: Proxy, source: Path) -> None:
    store = ArtifactStore(url, request_seconds=0.4)
    store.put("job/1/a", source)
    proxy.delay_seconds = 30
    began = time.monotonic()
    for name in ("put", "size", "attempts"):
        with pytest.raises(StorageUnavailable):
            CALLS[name](store, source)
    assert time.monotonic() - began < 10
    proxy.heal()
    assert store.size("job/1/a") == 10


def test_a_large_file_is_not_in_view_when_the_server_goes_away_in_the_middle(
    url: str, proxy: Proxy, source: Path, reach: S3Server
) -> None:
    source.write_bytes(bytes(6 * PART_BYTES))
    store = ArtifactStore(url, request_seconds=5)
    bucket = url.split("/")[2]
    proxy.delay_seconds = 0.3  # the first parts are there before the last ones are sent
    with ThreadPoolExecutor(1) as pool:
        put = pool.submit(store.put, "job/1/preview.mp4", source)
        first = f"PUT /{bucket}/some/prefix/job/1/preview.mp4?partNumber="
        wait_until(lambda: first in reach.log.read_text(), "a part is there")
        proxy.target = 1
        proxy.cut_off()
        with pytest.raises(StorageUnavailable):
            put.result(60)
    proxy.target = reach.port
    proxy.heal()
    assert list(store.attempts()) == []
    source.write_bytes(b"0123456789")
    store.put("job/2/preview.mp4", source)
    assert store.size("job/2/preview.mp4") == 10


def test_a_file_that_breaks_off_while_it_is_sent_is_no_whole_file(
    url: str, proxy: Proxy, source: Path
) -> None:
    size = 3 * S3_CHUNK_BYTES
    source.write_bytes(bytes(size))
    store = ArtifactStore(url, request_seconds=1)
    store.put("job/1/preview.mp4", source)
    parts = store.read("job/1/preview.mp4", start=0, end=size)
    assert len(next(parts)) == S3_CHUNK_BYTES
    proxy.target = 1
    proxy.cut_off()
    with pytest.raises(StorageUnavailable):
        next(parts)
