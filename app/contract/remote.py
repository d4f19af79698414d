"""Remote assets: the addresses that a payload may name. This module uses no network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from app.settings import Settings

#: Characters that may be sent in a request line. Redirects can contain others.
_GRAPHIC: Final = re.compile(r"[\x21-\x5b\x5d-\x7e]+")
_HTTPS: Final = re.compile(
    r"(?i:https)://(?P<authority>[^/?#]*)(?P<target>[^#]*)(?:#.*)?", re.DOTALL
)
_AUTHORITY: Final = re.compile(r"(?P<host>[A-Za-z0-9.-]+)(?::443)?")
_S3: Final = re.compile(r"s3://(?P<bucket>[^/]*)/(?P<key>.+)", re.DOTALL)


#: User name and password of an address.
_USERINFO: Final = re.compile(r"(?<=://)[^/?#]*@")


def public_uri(uri: str) -> str:
    """Return the address of an asset without what may be secret: user name, password, query."""
    address = _USERINFO.sub("", uri, count=1)
    # A presigned URL has its signature in the query. In s3:// there is no query: keys are literal.
    return address if address.startswith("s3:") else re.split(r"[?#]", address, maxsplit=1)[0]


@dataclass(frozen=True, slots=True)
class HttpsAddress:
    """A file on a web server. ``target`` is the path and query, as sent in the request."""

    host: str
    target: str


@dataclass(frozen=True, slots=True)
class S3Address:
    """An object in a bucket. ``key`` is literal: ``%20`` is not decoded."""

    bucket: str
    key: str


class AddressRefused(ValueError):
    """An address may not be fetched. The message says why and contains no secrets."""


@dataclass(frozen=True, slots=True)
class RemoteAssets:
    """The hosts and buckets that remote assets may come from, by default none.

    Attributes:
        hosts: Host names for ``https://``, in lower case.
        buckets: Bucket names for ``s3://``.
    """

    hosts: frozenset[str] = frozenset()
    buckets: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: Settings) -> RemoteAssets:
        """Return what the settings allow."""
        return cls(settings.preview_asset_hosts, settings.preview_asset_buckets)

    def enabled(self, uri: str) -> bool:
        """Return whether any address with this scheme may be fetched."""
        return bool(self.buckets if uri.startswith("s3:") else self.hosts)

    def parse(self, uri: str) -> HttpsAddress | S3Address:
        """Parse an address.

        Raises:
            AddressRefused: The address is malformed, or its host or bucket is not allowed.
        """
        return self._s3(uri) if uri.startswith("s3:") else self.https(uri)

    def https(self, uri: str) -> HttpsAddress:
        """Parse the URL of an asset or of a redirect.

        Requests are built from the parsed parts, so that no second parser can disagree.

        Raises:
            AddressRefused: As for :meth:`parse`.
        """
        match = _HTTPS.fullmatch(uri)
        if not match:
            raise AddressRefused("only https:// URLs are fetched")
        if not _GRAPHIC.fullmatch(uri):
            raise AddressRefused("percent-encode spaces, backslashes and non-ASCII characters")
        if "@" in match["authority"]:
            raise AddressRefused("a URL must not contain a user name or password")
        authority = _AUTHORITY.fullmatch(match["authority"])
        if not authority:
            raise AddressRefused("a URL must name a host, and no port other than 443")
        host = authority["host"].lower()
        if host not in self.hosts:
            raise AddressRefused(f"the host {host!r} is not in PREVIEW_ASSET_HOSTS")
        target = match["target"]
        return HttpsAddress(host, target if target.startswith("/") else f"/{target}")

    def _s3(self, uri: str) -> S3Address:
        match = _S3.fullmatch(uri)
        if not match:
            raise AddressRefused("use s3://bucket/key")
        if match["bucket"] not in self.buckets:
            raise AddressRefused(f"the bucket {match['bucket']!r} is not in PREVIEW_ASSET_BUCKETS")
        if not {"", ".", ".."}.isdisjoint(match["key"].split("/")):
            raise AddressRefused("the key has an empty segment, or a segment . or ..")
        return S3Address(match["bucket"], match["key"])
