"""Fetches ``https://`` assets from allowed hosts with public IP addresses."""

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

#: Most redirects per file.
MAX_REDIRECTS: Final = 5

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
#: Statuses that may be temporary, in addition to 5xx.
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
    """Reads files from web servers. Thread-safe.

    Each request resolves the host name once. All of its addresses must be public. The request
    connects to one of them, and TLS verifies the host name. Proxies from the environment are not
    used, because they would resolve the name again.

    Args:
        remote: The allowed hosts.
        resolver: Resolves host names. Tests replace it.
        is_allowed: Decides which addresses may be connected to. Tests replace it, because their
            servers are not public; no setting does.
        ssl_context: Trusted authorities, by default the system's.
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
            AssetBlocked: The address, or one that it redirects to, may not be read.
            AssetFailed: The file is missing, forbidden or not as declared.
            AssetUnavailable: The server is unreachable, fails or closes the connection.
        """
        for _ in range(MAX_REDIRECTS + 1):
            location = self._get(asset, address, intake, watch)
            if location is None:
                return
            address = self._redirected(asset, address, location)
        raise asset.failed("asset-refused", f"its server redirects more than {MAX_REDIRECTS} times")

    @functools.cached_property
    def _ssl_context(self) -> ssl.SSLContext:
        # Loading the system's authorities takes a while, and most workers do not need them.
        return self._given_context or ssl.create_default_context()

    def _redirected(self, asset: RemoteAsset, base: HttpsAddress, location: str) -> HttpsAddress:
        try:
            return self._remote.https(urljoin(f"https://{base.host}{base.target}", location))
        except AddressRefused as error:
            raise asset.blocked("asset-blocked", f"its server redirects: {error}") from None
        except ValueError:  # from urljoin, for brackets without an IPv6 address
            detail = "its server redirects to an invalid URL"
            raise asset.blocked("asset-blocked", detail) from None

    def _get(
        self, asset: RemoteAsset, address: HttpsAddress, intake: Intake, watch: Watch
    ) -> str | None:
        """Send one request; return the target of a redirect, None if the file was read."""
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
                detail = f"the certificate of {address.host!r} is not trusted"
                raise asset.blocked("asset-untrusted", detail) from error
            detail = f"{address.host!r} did not respond properly; try again later"
            raise asset.unavailable(detail) from error
        return None

    def _endpoints(self, asset: RemoteAsset, host: str) -> list[Endpoint]:
        try:
            found = list(self._resolver(host))
        except OSError as error:
            raise asset.unavailable(f"the host name {host!r} cannot be resolved") from error
        if not all(self._is_allowed(address) for address, _ in found):
            # The message does not name the address, which would reveal the worker's network.
            detail = f"the host {host!r} has an IP address that is not public"
            raise asset.blocked("asset-blocked", detail)
        return found


def _is_untrusted(error: BaseException | None) -> bool:
    """Return whether a certificate was the cause; libraries wrap that error several times."""
    while error is not None and not isinstance(error, ssl.SSLCertVerificationError):
        error = error.__cause__ or error.__context__
    return error is not None


def _refusal(asset: RemoteAsset, host: str, status: int) -> PreviewError:
    answer = f"{host!r} responded with status {status}"
    if status >= _SERVER_ERROR or status in _LATER:
        return asset.unavailable(f"{answer}; try again later")
    if status in _ABSENT:
        return asset.failed("asset-absent", f"{answer}: the file does not exist")
    if status in _FORBIDDEN:
        return asset.failed("asset-forbidden", f"{answer}: the file is not public")
    return asset.failed("asset-refused", answer)
