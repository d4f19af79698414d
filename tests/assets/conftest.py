"""A web server with a certificate of its own, and a fetcher that may talk to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from app.assets import AssetCache, AssetFetcher, S3Source
from app.assets.addresses import Endpoint
from app.assets.https import HttpsSource
from app.assets.watch import Timeouts
from app.contract import RemoteAssets
from tests.support.certificates import Authority
from tests.support.https_server import HttpsServer, trusting
from tests.support.redis_servers import Tls

#: Hosts that the server's certificate names; "far.test" is not in the list of allowed ones.
NAMES = ("assets.test", "other.test", "far.test")
#: A picture, as far as a fetcher looks at it.
PNG = b"\x89PNG\r\n\x1a\n" + b"pixels" * 50
#: Short enough for a test, long enough for a loaded machine to answer within.
TIMEOUTS = Timeouts(connect=5, idle=5, total=20)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def tls(authority: Authority) -> Tls:
    return authority.issue("server", names=",".join(f"DNS:{name}" for name in NAMES))


@pytest.fixture
def server(tls: Tls) -> Iterator[HttpsServer]:
    with HttpsServer(tls).running() as running:
        yield running


def remote(uri: str, **declared: Any) -> dict[str, Any]:
    return {"id": "board", "type": "image", "uri": uri, **declared}


@dataclass
class Desk:
    """Where a test asks for assets.

    Attributes:
        endpoints: What each look-up of a host gives, in turn; the last is kept.
        lookups: Hosts that were looked up.
        private: Addresses that are treated as not public, as 127.0.0.1 truly is.
    """

    directory: Path
    authority: Path
    endpoints: dict[str, list[list[Endpoint]]] = field(default_factory=dict)
    lookups: list[str] = field(default_factory=list)
    cache_bytes: int = 10**6
    timeouts: Timeouts = TIMEOUTS
    s3: S3Source | None = None
    fetches: int = 0

    def resolve(self, host: str) -> list[Endpoint]:
        self.lookups.append(host)
        answers = self.endpoints[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    @property
    def cache(self) -> AssetCache:
        return AssetCache(self.directory / "cache", max_bytes=self.cache_bytes)

    def fetcher(self) -> AssetFetcher:
        allowed = RemoteAssets(frozenset(NAMES[:2]), frozenset({"games"}))
        https = HttpsSource(
            allowed,
            resolver=self.resolve,
            is_allowed=lambda address: address == "127.0.0.1",
            ssl_context=trusting(self.authority),
        )
        return AssetFetcher(allowed, self.cache, https=https, s3=self.s3, timeouts=self.timeouts)

    def fetch(
        self, *assets: dict[str, Any], on_tick: Callable[[], None] = lambda: None
    ) -> dict[str, Path]:
        self.fetches += 1
        request = {"previewRequest": {"assets": list(assets)}}
        into = self.directory / f"job-{self.fetches}"
        return self.fetcher().fetch(request, into=into, on_tick=on_tick)

    def get(self, uri: str = "https://assets.test/a.png", **declared: Any) -> bytes:
        return self.fetch(remote(uri, **declared))["board"].read_bytes()


@pytest.fixture
def desk(tmp_path: Path, authority: Authority, server: HttpsServer) -> Desk:
    here = [[("127.0.0.1", server.port)]]
    return Desk(tmp_path, authority.cert, {name: list(here) for name in NAMES})
