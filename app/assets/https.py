"""``https://`` assets: only allowed hosts, only public addresses, only what was asked for."""

from __future__ import annotations

import functools
import ssl
from http import HTTPStatus
from typing import Final
from urllib.parse import urljoin

import httpcore2

from app import __version__
from app.assets.addresses import AddressPolicy, Endpoint, Resolver, is_public, resolve
from app.assets.intake import Intake
from app.assets.network import PinnedBackend
from app.assets.remote_asset import RemoteAsset
from app.assets.watch import Watch
from app.contract import AddressRefused, HttpsAddress, RemoteAssets
from app.errors import PreviewError

#: Redirects that are followed for one file.
MAX_REDIRECTS: Final = 5

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
#: The server may do better later; so may one that fails with 5xx.
_LATER: Final = frozenset({408, 421, 425, 429})
_ABSENT: Final = frozenset({404, 410})
_FORBIDDEN: Final = frozenset({401, 402, 403, 407, 451})
_SERVER_ERROR: Final = 500
_HEADERS: Final = [
    (b"User-Agent", f"mobius-preview-worker/{__version__}".encode()),
    (b"Accept", b"*/*"),
    (b"Accept-Encoding", b"identity"),
]


class HttpsSource:
    """Reads files from web servers. Threads share it.

    A host's name is looked up once for each request; every address found must be
    public, and the connection goes to one of these, while TLS verifies the name.
    Proxies of the environment are not used: they would look names up again.

    Args:
        remote: The hosts that are allowed.
        resolver: From a name to endpoints. A collaborator, for tests.
        is_allowed: Which addresses may be connected to. A collaborator too: servers of tests
            are not public. No setting changes it.
        ssl_context: Whom to trust; by default the system's authorities.
    """

    def __init__(
        self,
        remote: RemoteAssets,
        *,
        resolver: Resolver = resolve,
        is_allowed: AddressPolicy = is_public,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self._remote = remote
        self._resolver = resolver
        self._is_allowed = is_allowed
        self._given_context = ssl_context

    def read(self, asset: RemoteAsset, address: HttpsAddress, intake: Intake, watch: Watch) -> None:
        """Read the file at ``address`` into ``intake``.

        Raises:
            AssetBlocked: It, or where it is redirected to, may not be read.
            AssetFailed: It is absent, forbidden or not the one declared.
            AssetUnavailable: The server cannot be reached, fails or breaks off.
        """
        for _ in range(MAX_REDIRECTS + 1):
            location = self._get(asset, address, intake, watch)
            if location is None:
                return
            address = self._redirected(asset, address, location)
        raise asset.failed("asset-refused", f"its server redirects more than {MAX_REDIRECTS} times")

    @functools.cached_property
    def _ssl_context(self) -> ssl.SSLContext:
        # Reading the system's authorities takes a while, and most workers need none.
        return self._given_context or ssl.create_default_context()

    def _redirected(self, asset: RemoteAsset, base: HttpsAddress, location: str) -> HttpsAddress:
        try:
            return self._remote.https(urljoin(f"https://{base.host}{base.target}", location))
        except AddressRefused as error:
            raise asset.blocked("asset-blocked", f"its server redirects: {error}") from None
        except ValueError:  # urljoin's own, of brackets that hold no address
            raise asset.blocked("asset-blocked", "its server redirects to no address") from None

    def _get(
        self, asset: RemoteAsset, address: HttpsAddress, intake: Intake, watch: Watch
    ) -> str | None:
        """Ask once; return where the server sends us instead, None when the file was read."""
        endpoints = self._endpoints(asset, address.host)
        url = httpcore2.URL(
            scheme=b"https", host=address.host.encode(), target=address.target.encode()
        )
        backend = PinnedBackend(endpoints, watch)
        try:
            with (
                httpcore2.ConnectionPool(self._ssl_context, network_backend=backend) as pool,
                pool.stream("GET", url, headers=_HEADERS) as response,
            ):
                headers = {
                    name.lower(): value.decode("latin-1") for name, value in response.headers
                }
                if response.status in _REDIRECTS and b"location" in headers:
                    return headers[b"location"]
                if response.status != HTTPStatus.OK:
                    raise _refusal(asset, address.host, response.status)
                length = headers.get(b"content-length")
                intake.announce(
                    content_type=headers.get(b"content-type", ""),
                    encoding=headers.get(b"content-encoding", ""),
                    length=None if length is None else int(length),
                )
                for chunk in response.iter_stream():
                    intake.write(chunk)
        except (
            httpcore2.TimeoutException,
            httpcore2.NetworkError,
            httpcore2.ProtocolError,
        ) as error:
            if _is_untrusted(error):
                detail = f"the certificate of {address.host!r} is not valid for it"
                raise asset.blocked("asset-untrusted", detail) from error
            detail = f"{address.host!r} did not answer as it should; try again later"
            raise asset.unavailable(detail) from error
        return None

    def _endpoints(self, asset: RemoteAsset, host: str) -> list[Endpoint]:
        try:
            found = list(self._resolver(host))
        except OSError as error:
            raise asset.unavailable(f"the name {host!r} cannot be looked up") from error
        if not all(self._is_allowed(address) for address, _ in found):
            # Which address it is would tell of the network that the worker is in.
            detail = f"the host {host!r} has an address that is not public"
            raise asset.blocked("asset-blocked", detail)
        return found


def _is_untrusted(error: BaseException | None) -> bool:
    """Return whether a certificate was the reason; libraries wrap it more than once."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


def _refusal(asset: RemoteAsset, host: str, status: int) -> PreviewError:
    answer = f"{host!r} answers {status}"
    if status >= _SERVER_ERROR or status in _LATER:
        return asset.unavailable(f"{answer}; try again later")
    if status in _ABSENT:
        return asset.failed("asset-absent", f"{answer}: there is no such file")
    if status in _FORBIDDEN:
        return asset.failed("asset-forbidden", f"{answer}: the file is not for everyone")
    return asset.failed("asset-refused", answer)
