from __future__ import annotations

import hashlib
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from app.assets.https import HttpsSource
from app.assets.watch import Timeouts
from app.contract import RemoteAssets
from app.errors import AssetBlocked, AssetFailed, AssetUnavailable, PreviewError
from tests.assets.conftest import PNG, Desk, remote
from tests.support.certificates import Authority
from tests.support.https_server import HttpsServer, answer

POINTER = "/previewRequest/assets/0"


def refused(
    desk: Desk, kind: type[PreviewError], uri: str = "https://assets.test/a.png", **declared: Any
) -> tuple[str, str]:
    """Return code and pointer of the one reason for which an asset is not fetched."""
    with pytest.raises(kind) as caught:
        desk.get(uri, **declared)
    assert type(caught.value) is kind
    (item,) = caught.value.errors
    assert "board" in item.detail
    assert list((desk.directory / "cache").glob("*")) == []
    return item.code, item.pointer.removeprefix(POINTER)


def redirect(to: str, status: int = 302) -> Any:
    return answer(status=status, location=to)


def test_a_file_is_fetched_as_it_is(desk: Desk, server: HttpsServer) -> None:
    server.routes["/a%20b.png?size=1"] = answer(PNG, content_type="image/png")
    digest = hashlib.sha256(PNG).hexdigest()
    uri = "https://ASSETS.test:443/a%20b.png?size=1#part"
    assert desk.get(uri, bytes=len(PNG), sha256=digest, mimeType="image/png") == PNG
    (request,) = server.seen
    assert request.method == "GET"
    assert request.headers["host"] == "assets.test"
    assert request.headers["accept-encoding"] == "identity"
    assert {"authorization", "cookie", "range"}.isdisjoint(request.headers)
    assert server.names == ["assets.test"]


def test_an_address_without_a_path_means_the_root(desk: Desk, server: HttpsServer) -> None:
    server.routes["/?a"] = answer(PNG)
    assert desk.get("https://assets.test?a") == PNG


def test_several_files_are_fetched_each_to_its_own_place(desk: Desk, server: HttpsServer) -> None:
    names = [f"n{number}" for number in range(9)]
    for name in names:
        server.routes[f"/{name}"] = answer(PNG + name.encode())
    found = desk.fetch(*[remote(f"https://other.test/{n}") | {"id": n} for n in names])
    assert {name: path.read_bytes()[len(PNG) :].decode() for name, path in found.items()} == {
        name: name for name in names
    }
    assert len(set(found.values())) == 9


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize(
    "to", ["/b.png", "b.png", "//other.test/b.png", "https://other.test/b.png"]
)
def test_a_redirect_among_allowed_hosts_is_followed(
    desk: Desk, server: HttpsServer, status: int, to: str
) -> None:
    server.routes |= {"/a.png": redirect(to, status), "/b.png": answer(PNG)}
    assert desk.get() == PNG
    assert server.seen[1].headers["host"] == ("other.test" if "other" in to else "assets.test")


@pytest.mark.parametrize(
    "to",
    [
        "https://far.test/b.png",
        "http://assets.test/b.png",
        "https://127.0.0.1/b.png",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/b.png",
        "https://[broken/b.png",
        "https://assets.test:8443/b.png",
        "https://user:word@assets.test/b.png",
        "https://assets.test\\@far.test/b.png",
        "https://assets.test.far.test/b.png",
        "https://assets.test%2efar.test/b.png",
        "file:///etc/passwd",
        "data:image/png;base64,AAAA",
        "https://assets.test/b c.png",
        "https://assets.test/\xe4.png",
    ],
)
def test_a_redirect_to_anywhere_else_is_blocked(desk: Desk, server: HttpsServer, to: str) -> None:
    server.routes |= {"/a.png": redirect(to), "/b.png": answer(PNG)}
    assert refused(desk, AssetBlocked) == ("asset-blocked", "/uri")
    assert len(server.seen) == 1
    assert desk.lookups == ["assets.test"]


def test_a_redirect_to_an_allowed_host_with_a_private_address_is_blocked(
    desk: Desk, server: HttpsServer
) -> None:
    desk.endpoints["other.test"] = [[("10.0.0.1", server.port)]]
    server.routes |= {"/a.png": redirect("https://other.test/b.png"), "/b.png": answer(PNG)}
    assert refused(desk, AssetBlocked) == ("asset-blocked", "/uri")
    assert len(server.seen) == 1


def test_endless_redirects_come_to_an_end(desk: Desk, server: HttpsServer) -> None:
    server.routes["/a.png"] = redirect("/a.png")
    assert refused(desk, AssetFailed) == ("asset-refused", "/uri")
    assert len(server.seen) == 6


@pytest.mark.parametrize(
    "uri",
    [
        "https://far.test/a.png",
        "https://user@assets.test/a.png",
        "https://user:word@assets.test/a.png",
        "https://assets.test:444/a.png",
        "https://127.0.0.1/a.png",
    ],
)
def test_an_address_that_is_not_allowed_is_not_even_looked_up(desk: Desk, uri: str) -> None:
    assert refused(desk, AssetBlocked, uri) == ("asset-blocked", "/uri")
    assert desk.lookups == []


def test_one_private_address_among_public_ones_is_enough_to_be_blocked(
    desk: Desk, server: HttpsServer
) -> None:
    desk.endpoints["assets.test"] = [[("127.0.0.1", server.port), ("10.0.0.1", 443)]]
    server.routes["/a.png"] = answer(PNG)
    with pytest.raises(AssetBlocked) as caught:
        desk.get()
    assert server.names == []
    assert "10.0.0.1" not in str(caught.value.to_problem())


def test_a_name_that_means_another_address_a_moment_later_changes_nothing(
    desk: Desk, server: HttpsServer
) -> None:
    """DNS rebinding: what was checked is what is connected to, within one request."""
    server.routes |= {"/a.png": answer(PNG), "/again": redirect("/a.png")}
    desk.endpoints["assets.test"] = [[("127.0.0.1", server.port)], [("10.0.0.1", server.port)]]
    assert desk.get() == PNG
    assert desk.lookups == ["assets.test"]
    # The next request looks again, and finds what may not be read.
    desk.endpoints["assets.test"] = [[("127.0.0.1", server.port)], [("10.0.0.1", server.port)]]
    with pytest.raises(AssetBlocked):
        desk.get("https://assets.test/again")
    assert [request.target for request in server.seen] == ["/a.png", "/again"]


def test_the_next_address_is_tried_when_one_does_not_answer(
    desk: Desk, server: HttpsServer
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        dead = closed.getsockname()[1]
    desk.endpoints["assets.test"] = [[("127.0.0.1", dead), ("127.0.0.1", server.port)]]
    server.routes["/a.png"] = answer(PNG)
    assert desk.get() == PNG
    desk.endpoints["assets.test"] = [[("127.0.0.1", dead)]]
    with pytest.raises(AssetUnavailable):
        desk.get()
    desk.endpoints["assets.test"] = [[]]
    with pytest.raises(AssetUnavailable):
        desk.get()


def test_a_name_without_an_address_may_have_one_later(desk: Desk) -> None:
    def fail(host: str) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    desk.resolve = fail  # type: ignore[method-assign] # what the system's resolver does
    assert refused(desk, AssetUnavailable) == ("asset-unavailable", "/uri")


@pytest.mark.parametrize(
    ("status", "kind", "code"),
    [
        (204, AssetFailed, "asset-refused"),
        (206, AssetFailed, "asset-refused"),
        (304, AssetFailed, "asset-refused"),
        (400, AssetFailed, "asset-refused"),
        (401, AssetFailed, "asset-forbidden"),
        (403, AssetFailed, "asset-forbidden"),
        (404, AssetFailed, "asset-absent"),
        (408, AssetUnavailable, "asset-unavailable"),
        (410, AssetFailed, "asset-absent"),
        (418, AssetFailed, "asset-refused"),
        (429, AssetUnavailable, "asset-unavailable"),
        (500, AssetUnavailable, "asset-unavailable"),
        (503, AssetUnavailable, "asset-unavailable"),
    ],
)
def test_every_other_status_has_its_meaning(
    desk: Desk, server: HttpsServer, status: int, kind: type[PreviewError], code: str
) -> None:
    server.routes["/a.png"] = answer(status=status, content_length=None, connection="close")
    assert refused(desk, kind) == (code, "/uri")


@pytest.mark.parametrize("names", ["DNS:elsewhere.test", "IP:127.0.0.1"])
def test_a_certificate_for_another_name_is_blocked(
    desk: Desk, authority: Authority, names: str
) -> None:
    with HttpsServer(authority.issue("wrong", names=names)).running() as wrong:
        wrong.routes["/a.png"] = answer(PNG)
        desk.endpoints["assets.test"] = [[("127.0.0.1", wrong.port)]]
        assert refused(desk, AssetBlocked) == ("asset-untrusted", "/uri")
        assert wrong.seen == []


def test_a_certificate_of_an_unknown_authority_is_blocked(desk: Desk, tmp_path: Path) -> None:
    stranger = Authority(tmp_path / "stranger").issue("server", names="DNS:assets.test")
    with HttpsServer(stranger).running() as wrong:
        desk.endpoints["assets.test"] = [[("127.0.0.1", wrong.port)]]
        assert refused(desk, AssetBlocked) == ("asset-untrusted", "/uri")


def test_a_server_that_speaks_no_tls_is_not_believed(desk: Desk) -> None:
    desk.timeouts = Timeouts(connect=0.5, idle=5, total=20)
    with HttpsServer(None).running() as plain:
        plain.routes["/a.png"] = answer(PNG)
        desk.endpoints["assets.test"] = [[("127.0.0.1", plain.port)]]
        assert refused(desk, AssetUnavailable) == ("asset-unavailable", "/uri")


def test_what_is_no_http_is_told_as_a_broken_server(desk: Desk, server: HttpsServer) -> None:
    server.routes["/a.png"] = lambda connection, _: connection.sendall(b"220 mail.test\r\n\r\n")
    assert refused(desk, AssetUnavailable) == ("asset-unavailable", "/uri")


def test_an_error_tells_the_host_and_no_secret_of_the_address(
    desk: Desk, server: HttpsServer
) -> None:
    server.routes["/a.png?signature=hunter2"] = answer(status=403)
    with pytest.raises(AssetFailed) as caught:
        desk.get("https://assets.test/a.png?signature=hunter2")
    assert "assets.test" in caught.value.detail
    assert "hunter2" not in str(caught.value.to_problem())


def test_the_systems_authorities_are_trusted_by_default() -> None:
    context = HttpsSource(RemoteAssets())._ssl_context
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
