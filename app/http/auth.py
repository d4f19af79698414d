"""``ApiKeyAuth``: everything needs a key unless it is listed as open."""

from __future__ import annotations

import hashlib
import hmac

import falcon

from app.errors import Unauthorized
from app.http.paths import OPEN
from app.logs import bind
from app.settings import Settings, SettingsError

#: Header that the replaced system's clients send.
KEY_HEADER = "x-mobius-api-key"
#: Log lines identify the caller by this many hex digits of the SHA-256 of its key.
CALLER_DIGITS = 8
_BEARER = "bearer "


def require_keys(settings: Settings) -> None:
    """Refuse to serve strangers.

    Raises:
        SettingsError: There are no keys, and this is not development.
    """
    if not settings.preview_api_keys and not settings.development:
        raise SettingsError(
            f"PREVIEW_API_KEYS is empty and APP_ENV is {settings.app_env}: set at least one key "
            "of 16 characters or more (or sha256:<hex digest>), or APP_ENV=development."
        )


class ApiKeyAuth:
    """Middleware after ``RequestContext``: answers 401 to a request without a known key.

    It denies by default and compares whole paths: Falcon's router drops leading
    slashes, so that a rule by prefix would let ``//api/preview/job`` pass.

    Args:
        digests: SHA-256 of the keys, in hex. None at all (development) lets everybody in.
    """

    def __init__(self, digests: frozenset[str]) -> None:
        self._digests = tuple(digests)

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Check the key."""
        if not self._digests or req.path in OPEN:
            return
        # WSGI hands header bytes over as Latin-1.
        digest = hashlib.sha256(_presented(req).encode("latin-1", "replace")).hexdigest()
        if self._knows(digest):
            bind(caller=digest[:CALLER_DIGITS])
            return
        resp.set_header("WWW-Authenticate", 'Bearer realm="preview"')
        raise Unauthorized(f"Send a known API key as 'Authorization: Bearer …' or '{KEY_HEADER}'.")

    def _knows(self, digest: str) -> bool:
        # All of them, each in constant time: the time tells nothing about which one matched.
        return sum(hmac.compare_digest(digest, known) for known in self._digests) > 0


def _presented(req: falcon.Request) -> str:
    authorization = req.get_header("Authorization") or ""
    if authorization[: len(_BEARER)].lower() == _BEARER:
        return authorization[len(_BEARER) :].strip()
    return req.get_header(KEY_HEADER) or ""
