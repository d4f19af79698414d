"""Buckets, by the protocol itself: a server on loopback that checks every signature (SigV4)."""

from __future__ import annotations

import hashlib
import hmac
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.assets import AssetFetcher, S3Source
from app.assets.watch import Timeouts
from app.contract import RemoteAssets
from app.errors import AssetBlocked, AssetFailed, AssetUnavailable, PreviewError
from tests.assets.conftest import PNG, Desk, remote
from tests.support.https_server import Answer, HttpsServer, Request, answer

ACCESS, SECRET, REGION = "AKIDEXAMPLE", "a-secret-of-a-test", "eu-west-1"
MODIFIED: dict[str, Any] = {
    "etag": '"1"',
    "last_modified": "Wed, 21 Oct 2015 07:28:00 GMT",
    "connection": "close",
}


def signature(request: Request, secret: str) -> str:
    """Compute what AWS's documentation says a request must be signed with."""
    scope = request.headers["authorization"].split("Credential=")[1].split(",")[0].split("/", 1)[1]
    signed = request.headers["authorization"].split("SignedHeaders=")[1].split(",")[0]
    path, _, query = request.target.partition("?")
    headers = "".join(f"{name}:{request.headers[name]}\n" for name in signed.split(";"))
    body = request.headers["x-amz-content-sha256"]
    canonical = "\n".join([request.method, path, query, headers, signed, body])
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    to_sign = "\n".join(["AWS4-HMAC-SHA256", request.headers["x-amz-date"], scope, hashed])
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.new(key, to_sign.encode(), "sha256").hexdigest()


def signed(give: Answer) -> Answer:
    """Let only those in who know the secret."""

    def check(connection: socket.socket, request: Request) -> None:
        given = request.headers["authorization"]
        assert f"Credential={ACCESS}/" in given
        assert f"/{REGION}/s3/aws4_request" in given
        known = given.endswith(f"Signature={signature(request, SECRET)}")
        (give if known else answer(status=403))(connection, request)

    return check


@pytest.fixture
def store() -> Iterator[HttpsServer]:
    with HttpsServer(None).running() as running:
        yield running


def source(store: HttpsServer, secret: str = SECRET) -> S3Source:
    return S3Source(
        config={
            "endpoint": f"http://127.0.0.1:{store.port}",
            "access_key_id": ACCESS,
            "secret_access_key": secret,
            "region": REGION,
        },
        client={"allow_http": True},
    )


@pytest.fixture
def bucket(desk: Desk, store: HttpsServer) -> Callable[..., bytes]:
    desk.s3 = source(store)

    def get(uri: str = "s3://games/a.png", **declared: Any) -> bytes:
        return desk.get(uri, **declared)

    return get


def test_an_object_is_read_with_the_workers_own_signature(
    bucket: Callable[..., bytes], store: HttpsServer
) -> None:
    store.routes["/games/art/b%2520%C3%BC%3F.png"] = signed(
        answer(PNG, content_type="image/png", **MODIFIED)
    )
    digest = hashlib.sha256(PNG).hexdigest()
    uri = "s3://games/art/b%20ü?.png"
    assert bucket(uri, bytes=len(PNG), sha256=digest, mimeType="image/png") == PNG
    assert bucket(uri, sha256=digest) == PNG  # from the cache
    assert len(store.seen) == 1


def test_a_large_object_comes_in_pieces(bucket: Callable[..., bytes], store: HttpsServer) -> None:
    body = PNG + bytes(3_000_000)
    store.routes["/games/a.png"] = signed(answer(body, **MODIFIED))
    assert bucket() == body


@pytest.mark.parametrize(
    ("give", "declared", "kind", "code"),
    [
        (answer(status=404), {}, AssetFailed, "asset-absent"),
        (answer(status=401), {}, AssetFailed, "asset-forbidden"),
        (answer(status=503, connection="close"), {}, AssetUnavailable, "asset-unavailable"),
        (answer(PNG, content_type="text/html", **MODIFIED), {}, AssetFailed, "asset-wrong-type"),
        (answer(PNG, content_encoding="gzip", **MODIFIED), {}, AssetFailed, "asset-encoded"),
        (answer(b"", **MODIFIED), {}, AssetFailed, "asset-empty"),
        (answer(b"<html></html>    ", **MODIFIED), {}, AssetFailed, "asset-wrong-type"),
        (answer(PNG, **MODIFIED), {"bytes": 9}, AssetFailed, "asset-too-large"),
        (answer(PNG, **MODIFIED), {"bytes": 9000}, AssetFailed, "asset-changed"),
        (answer(PNG, **MODIFIED), {"sha256": "0" * 64}, AssetFailed, "asset-changed"),
    ],
)
def test_an_object_is_held_to_the_same_limits(
    bucket: Callable[..., bytes],
    store: HttpsServer,
    *,
    give: Answer,
    declared: dict[str, Any],
    kind: type[PreviewError],
    code: str,
) -> None:
    store.routes["/games/a.png"] = give
    with pytest.raises(kind) as caught:
        bucket(**declared)
    assert caught.value.errors[0].code == code
    assert str(store.port) not in str(caught.value.to_problem())


def test_credentials_that_are_not_known_are_forbidden(desk: Desk, store: HttpsServer) -> None:
    desk.s3 = source(store, secret="another")
    store.routes["/games/a.png"] = signed(answer(PNG, **MODIFIED))
    with pytest.raises(AssetFailed) as caught:
        desk.get("s3://games/a.png")
    assert caught.value.errors[0].code == "asset-forbidden"


def test_a_bucket_that_is_not_listed_is_not_asked(
    bucket: Callable[..., bytes], store: HttpsServer
) -> None:
    with pytest.raises(AssetBlocked, match="PREVIEW_ASSET_BUCKETS"):
        bucket("s3://others/a.png")
    assert store.seen == []


def test_a_store_that_drips_or_is_away_may_do_better_later(
    desk: Desk, bucket: Callable[..., bytes], store: HttpsServer
) -> None:
    def drip(connection: socket.socket, _: Request) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nETag: 1\r\nContent-Length: 100000\r\n")
        connection.sendall(b"Last-Modified: Wed, 21 Oct 2015 07:28:00 GMT\r\n\r\n\x89PNG\r\n\x1a\n")
        while not store.leaving.wait(0.05):
            connection.sendall(b"x")

    desk.timeouts = Timeouts(connect=1, total=1)
    store.routes["/games/a.png"] = drip
    began = time.monotonic()
    with pytest.raises(AssetUnavailable):
        bucket()
    assert time.monotonic() - began < 15
    with socket.create_server(("127.0.0.1", 0)) as closed:
        store.port, open_port = closed.getsockname()[1], store.port
    desk.s3 = source(store)
    store.port = open_port
    with pytest.raises(AssetUnavailable):
        bucket()


def test_endpoint_and_credentials_are_those_of_the_environment(
    desk: Desk, store: HttpsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.routes["/games/a.png"] = signed(answer(PNG, **MODIFIED))
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{store.port}")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_REGION", REGION)
    desk.s3 = S3Source(client={"allow_http": True})
    assert desk.get("s3://games/a.png") == PNG


def test_whoever_waits_for_a_bucket_may_leave(desk: Desk, store: HttpsServer) -> None:
    asked = threading.Event()

    def hang(*_: object) -> None:
        asked.set()
        store.leaving.wait(30)

    def leave() -> None:
        if asked.is_set():
            raise KeyboardInterrupt

    store.routes["/games/a.png"] = hang
    desk.s3 = source(store)
    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        desk.fetch(remote("s3://games/a.png"), on_tick=leave)
    assert time.monotonic() - began < 8


def test_a_fetcher_of_the_settings_alone_is_whole(tmp_path: Path, desk: Desk) -> None:
    fetcher = AssetFetcher(RemoteAssets(), desk.cache)
    request = {"previewRequest": {"assets": [remote("https://assets.test/a.png")]}}
    with pytest.raises(AssetBlocked):
        fetcher.fetch(request, into=tmp_path / "job", on_tick=lambda: None)
