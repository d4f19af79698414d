"""A server of the S3 protocol, and a store in a bucket of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.storage import ArtifactStore
from tests.support.proxy import Proxy
from tests.support.s3_server import S3Server


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    with S3Server(tmp_path_factory.mktemp("s3") / "server.log") as server:
        yield server


@pytest.fixture
def reach(s3: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The server, which the environment of this process leads to."""
    for name, value in s3.environment().items():
        monkeypatch.setenv(name, value)
    return s3


@pytest.fixture
def url(reach: S3Server) -> str:
    """A place in a bucket that nobody else uses."""
    return f"s3://{reach.make_bucket()}/some/prefix?allow-http=true"


@pytest.fixture
def store(url: str) -> ArtifactStore:
    return ArtifactStore(url)


@pytest.fixture
def proxy(reach: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Proxy]:
    """Between a store that is opened after this and its server."""
    with Proxy(reach.port) as proxy:
        for name, value in reach.environment(proxy.port).items():
            monkeypatch.setenv(name, value)
        yield proxy


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small file."""
    path = tmp_path / "source"
    path.write_bytes(b"0123456789")
    return path
