"""Servers that send too much, too slowly, something else, or not what they said."""

from __future__ import annotations

import gzip
import itertools
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.assets import intake
from app.assets.watch import Timeouts
from app.errors import AssetBlocked, AssetFailed, AssetUnavailable, PreviewError
from tests.assets.conftest import PNG, Desk, remote
from tests.assets.test_https import refused
from tests.support.https_server import HttpsServer, Request, answer

#: A test that must see a limit of a second gives it so much for a loaded machine.
SOON = 8.0


@pytest.fixture
def soon() -> Iterator[None]:
    began = time.monotonic()
    yield
    assert time.monotonic() - began < SOON


def drip(
    head: bytes, piece: bytes, server: HttpsServer
) -> Callable[[socket.socket, Request], None]:
    """Send a piece every 50 ms, for as long as someone listens."""

    def send(connection: socket.socket, _: Request) -> None:
        connection.sendall(head)
        while not server.leaving.wait(0.05):
            connection.sendall(piece)

    return send


@pytest.mark.parametrize(
    ("head", "piece"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n\x89PNG\r\n\x1a\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n"),
        (b"HTTP/1.1 200 OK\r\n", b"X: y\r\n"),
        (b"HTTP/1.1 200 O", b"K"),
    ],
)
def test_a_drip_ends_with_the_time_of_a_file_wherever_it_drips(
    desk: Desk, server: HttpsServer, soon: None, head: bytes, piece: bytes
) -> None:
    desk.timeouts = Timeouts(connect=5, idle=5, total=1)
    server.routes["/a.png"] = drip(head, piece, server)
    # A body of one "x" after another is no picture: it is refused even sooner.
    kind = AssetFailed if b"chunked" in head else AssetUnavailable
    refused(desk, kind)


def test_a_server_that_falls_silent_is_left(desk: Desk, server: HttpsServer, soon: None) -> None:
    desk.timeouts = Timeouts(connect=5, idle=0.5, total=60)

    def silence(*_: object) -> None:
        server.leaving.wait(30)

    server.routes["/a.png"] = silence
    assert refused(desk, AssetUnavailable) == ("asset-unavailable", "/uri")


def test_a_server_that_never_says_hello_is_left(desk: Desk, soon: None) -> None:
    desk.timeouts = Timeouts(connect=0.5, idle=60, total=60)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        desk.endpoints["assets.test"] = [[silent.getsockname()]]
        assert refused(desk, AssetUnavailable) == ("asset-unavailable", "/uri")


@pytest.mark.parametrize("where", ["body", "look-up"])
def test_whoever_waits_may_leave_at_any_moment(
    desk: Desk, server: HttpsServer, soon: None, where: str
) -> None:
    class Cancelled(Exception):
        pass

    asked = threading.Event()

    def hang(*_: object) -> Any:
        asked.set()
        server.leaving.wait(30)
        return []

    def leave_when_asked() -> None:
        if asked.is_set():
            raise Cancelled

    if where == "body":
        server.routes["/a.png"] = hang
    else:
        desk.resolve = hang  # type: ignore[method-assign, assignment] # a look-up cannot be interrupted
    with pytest.raises(Cancelled):
        desk.fetch(remote("https://assets.test/a.png"), on_tick=leave_when_asked)
    if where == "body":  # the thread sees it too, and leaves nothing behind
        deadline = time.monotonic() + 5
        while list((desk.directory / "cache").glob("*")) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert list((desk.directory / "cache").glob("*")) == []


def endless(connection: socket.socket, _: Request) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for piece in itertools.chain([PNG], itertools.repeat(bytes(1 << 16))):
        connection.sendall(b"%x\r\n%s\r\n" % (len(piece), piece))


def test_an_endless_body_is_left_at_the_limit(desk: Desk, server: HttpsServer) -> None:
    server.routes["/a.png"] = endless
    assert refused(desk, AssetFailed, bytes=5_000_000) == ("asset-too-large", "/uri")


def test_endless_headers_are_left(desk: Desk, server: HttpsServer) -> None:
    def send(connection: socket.socket, _: Request) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in itertools.count():
            connection.sendall(b"X-%d: %s\r\n" % (number, b"y" * 1000))

    server.routes["/a.png"] = send
    assert refused(desk, AssetUnavailable) == ("asset-unavailable", "/uri")


def test_a_length_above_the_limit_is_refused_before_a_byte_is_read(
    desk: Desk, server: HttpsServer
) -> None:
    server.routes["/a.png"] = answer(content_length=100 * 2**20 + 1)
    assert refused(desk, AssetFailed) == ("asset-too-large", "/uri")


@pytest.mark.parametrize(
    ("stated", "declared", "kind", "reason"),
    [
        (len(PNG) + 1, {}, AssetUnavailable, ("asset-unavailable", "/uri")),
        (len(PNG) - 1, {"bytes": len(PNG)}, AssetFailed, ("asset-changed", "/bytes")),
        (len(PNG) - 1, {"sha256": "0" * 64}, AssetFailed, ("asset-changed", "/sha256")),
        (None, {"bytes": len(PNG) + 1}, AssetFailed, ("asset-changed", "/bytes")),
        (None, {"bytes": len(PNG) - 1}, AssetFailed, ("asset-too-large", "/uri")),
        ("-1", {}, AssetUnavailable, ("asset-unavailable", "/uri")),
        ("9" * 4000, {}, AssetUnavailable, ("asset-unavailable", "/uri")),
        ("5, 6", {}, AssetUnavailable, ("asset-unavailable", "/uri")),
    ],
)
def test_a_length_that_lies_is_found_out(
    desk: Desk,
    server: HttpsServer,
    *,
    stated: int | str | None,
    declared: dict[str, Any],
    kind: type[PreviewError],
    reason: tuple[str, str],
) -> None:
    server.routes["/a.png"] = answer(PNG, content_length=stated, connection="close")
    assert refused(desk, kind, **declared) == reason


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "identity, gzip"])
def test_a_packed_body_is_not_unpacked(desk: Desk, server: HttpsServer, encoding: str) -> None:
    bomb = gzip.compress(bytes(10_000_000))
    server.routes["/a.png"] = answer(bomb, content_encoding=encoding)
    assert refused(desk, AssetFailed) == ("asset-encoded", "/uri")


def test_a_file_of_0_bytes_is_refused(desk: Desk, server: HttpsServer) -> None:
    server.routes["/a.png"] = answer(b"")
    assert refused(desk, AssetFailed) == ("asset-empty", "/uri")


@pytest.mark.parametrize(
    "content_type", ["text/html; charset=utf-8", "application/json", "audio/mpeg", "IMAGE"]
)
def test_a_page_instead_of_a_picture_is_refused_by_its_type(
    desk: Desk, server: HttpsServer, content_type: str
) -> None:
    server.routes["/a.png"] = answer(PNG, content_type=content_type)
    assert refused(desk, AssetFailed) == ("asset-wrong-type", "/uri")


@pytest.mark.parametrize(
    ("kind", "body", "declared", "pointer"),
    [
        ("image", b"<html>no such page</html>", "", "/uri"),
        ("image", b"ID3\x04", "", "/uri"),
        ("image", b"x", "", "/uri"),
        ("audio", PNG, "", "/uri"),
        ("image", PNG, "image/jpeg", "/mimeType"),
        ("image", PNG, "a picture", "/mimeType"),
        ("audio", b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/ogg", "/mimeType"),
    ],
)
def test_the_first_bytes_tell_what_a_file_is(
    desk: Desk, server: HttpsServer, *, kind: str, body: bytes, declared: str, pointer: str
) -> None:
    server.routes["/a.png"] = answer(body, content_type="application/octet-stream")
    reason = refused(desk, AssetFailed, type=kind, mimeType=declared)
    assert reason == ("asset-wrong-type", pointer)


@pytest.mark.parametrize(
    ("kind", "body", "declared", "sent_as"),
    [
        ("image", PNG, "Image/PNG", "image/png"),
        ("image", b"\xff\xd8\xff\xe0" + bytes(20), "image/jpg", "image/jpeg"),
        ("image", b"RIFF\x00\x00\x00\x00WEBPVP8 ", "image/webp", "image/webp"),
        ("image", b"\x00\x00\x00\x1cftypavif", "image/avif; x=y", ""),
        ("audio", b"RIFF\x00\x00\x00\x00WAVEfmt ", "audio/x-wav", "audio/wav"),
        ("audio", b"RF64\xff\xff\xff\xffWAVEds64", "audio/wav", "audio/wav"),
        ("audio", b"\xff\xfb\x90\x00" + bytes(20), "audio/mpeg", "audio/mpeg"),
        ("audio", b"\x00\x00\x00\x1cftypM4A ", "audio/x-m4a", "video/mp4"),
        ("audio", b"OggS" + bytes(20), "audio/ogg", "application/ogg"),
        ("audio", b"who knows", "audio/ogg", "binary/octet-stream"),
        ("captions", b"WEBVTT\n", "text/vtt", "text/vtt"),
        ("font", b"\0\1\0\0", "font/ttf", "font/ttf"),
        ("font", b"OTTO", "", "application/x-font-otf"),
        ("captions", b"1\n00:00", "application/x-subrip", "text/plain; charset=utf-8"),
    ],
)
def test_files_of_the_right_type_pass_whatever_their_servers_call_them(
    desk: Desk, server: HttpsServer, *, kind: str, body: bytes, declared: str, sent_as: str
) -> None:
    server.routes["/a.png"] = answer(body, content_type=sent_as)
    assert desk.get(type=kind, mimeType=declared) == body


def test_the_files_of_one_job_have_a_limit_together(
    desk: Desk, server: HttpsServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.routes["/a.png"] = answer(PNG)
    budget = intake.Budget(len(PNG) + 1)
    assert budget.take(len(PNG))
    assert budget.take(1)
    assert not budget.take(1)
    monkeypatch.setattr("app.assets.fetcher.Budget", lambda: intake.Budget(len(PNG) + 1))
    given = [remote("https://assets.test/a.png") | {"id": name} for name in ("one", "two")]
    with pytest.raises(AssetFailed, match=" in total"):
        desk.fetch(*given)


def test_every_asset_that_fails_is_told_at_once_the_worst_first(
    desk: Desk, server: HttpsServer
) -> None:
    server.routes |= {
        "/ok": answer(PNG),
        "/none": answer(status=404),
        "/later": answer(status=503),
        "/away": answer(status=302, location="https://far.test/"),
    }
    given = [
        remote(f"https://assets.test/{n}") | {"id": n} for n in ("ok", "later", "none", "away")
    ]
    with pytest.raises(AssetBlocked) as blocked:
        desk.fetch(*given)
    assert [item.pointer[-5] for item in blocked.value.errors] == ["2", "3"]
    with pytest.raises(AssetFailed) as failed:
        desk.fetch(*given[:3])
    assert [item.code for item in failed.value.errors] == ["asset-absent"]
    with pytest.raises(AssetUnavailable) as later:
        desk.fetch(*given[:2])
    assert later.value.retryable
    assert later.value.errors[0].pointer == "/previewRequest/assets/1/uri"
