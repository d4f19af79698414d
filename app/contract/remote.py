"""Remote assets: which addresses a payload may name. Nothing is looked up or fetched here."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from app.settings import Settings

#: The whole of an address that is sent: a redirect may bring any.
_GRAPHIC: Final = re.compile(r"[\x21-\x5b\x5d-\x7e]+")
_HTTPS: Final = re.compile(
    r"(?i:https)://(?P<authority>[^/?#]*)(?P<target>[^#]*)(?:#.*)?", re.DOTALL
)
_AUTHORITY: Final = re.compile(r"(?P<host>[A-Za-z0-9.-]+)(?::443)?")
_S3: Final = re.compile(r"s3://(?P<bucket>[^/]*)/(?P<key>.+)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class HttpsAddress:
    """A file on a web server. ``target`` is path and query, as they are sent."""

    host: str
    target: str


@dataclass(frozen=True, slots=True)
class S3Address:
    """An object in a bucket. ``key`` is literal: ``%20`` stands for itself."""

    bucket: str
    key: str


class AddressRefused(ValueError):
    """An address that may not be fetched; the message says why, without its secrets."""


@dataclass(frozen=True, slots=True)
class RemoteAssets:
    """Where remote assets may come from; by default from nowhere.

    Attributes:
        hosts: Names of hosts for ``https://``, in lower case.
        buckets: Names of buckets for ``s3://``.
    """

    hosts: frozenset[str] = frozenset()
    buckets: frozenset[str] = frozenset()

    @classmethod
    def of(cls, settings: Settings) -> RemoteAssets:
        """Return what the settings allow."""
        return cls(settings.preview_asset_hosts, settings.preview_asset_buckets)

    def enabled(self, uri: str) -> bool:
        """Return whether any address of this scheme may be fetched."""
        return bool(self.buckets if uri.startswith("s3:") else self.hosts)

    def parse(self, uri: str) -> HttpsAddress | S3Address:
        """Take an address apart.

        Raises:
            AddressRefused: It is no plain address of an allowed host or bucket.
        """
        return self._s3(uri) if uri.startswith("s3:") else self.https(uri)

    def https(self, uri: str) -> HttpsAddress:
        """Take the address of a web server apart, of an asset or of a redirect.

        There is one reading of an address, this one: what is fetched is made of its parts.

        Raises:
            AddressRefused: As :meth:`parse`.
        """
        match = _HTTPS.fullmatch(uri)
        if not match:
            raise AddressRefused("only https:// is fetched")
        if not _GRAPHIC.fullmatch(uri):
            raise AddressRefused("percent-encode whatever is not ASCII, spaces and backslashes")
        if "@" in match["authority"]:
            raise AddressRefused("an address must not hold a user name or a password")
        authority = _AUTHORITY.fullmatch(match["authority"])
        if not authority:
            raise AddressRefused("an address names a host, and no port but 443")
        host = authority["host"].lower()
        if host not in self.hosts:
            raise AddressRefused(f"the host {host!r} is not in PREVIEW_ASSET_HOSTS")
        target = match["target"]
        return HttpsAddress(host, target if target.startswith("/") else f"/{target}")

    def _s3(self, uri: str) -> S3Address:
        match = _S3.fullmatch(uri)
        if not match:
            raise AddressRefused("give s3://bucket/key")
        if match["bucket"] not in self.buckets:
            raise AddressRefused(f"the bucket {match['bucket']!r} is not in PREVIEW_ASSET_BUCKETS")
        if not {"", ".", ".."}.isdisjoint(match["key"].split("/")):
            raise AddressRefused("the key has an empty part, or one of dots alone")
        return S3Address(match["bucket"], match["key"])
