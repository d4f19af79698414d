"""The HTTP API as the commands see it that look at an installation from outside."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urljoin, urlsplit

import orjson

from app.cli.output.exits import CommandFailed, ExitCode

if TYPE_CHECKING:  # every command imports this module
    import httpcore2

#: Longest wait for a connection, and for each part of an answer.
REQUEST_SECONDS: Final = 15.0
#: No answer that is kept in memory is longer: a status has some kB, metrics some 100.
MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
#: A store on S3 takes one: the file is fetched from a signed URL.
MAX_REDIRECTS: Final = 3
#: Longest first line of a key file.
_MAX_KEY_BYTES = 4096

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
#: Exit codes by HTTP status; every other status is FAILED.
_CODES = {
    400: ExitCode.INVALID,
    401: ExitCode.INVALID,
    404: ExitCode.NO_SUCH_JOB,
    409: ExitCode.CONFLICT,
    413: ExitCode.INVALID,
    422: ExitCode.INVALID,
    429: ExitCode.QUEUE_FULL,
    503: ExitCode.QUEUE_UNAVAILABLE,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, whatever its status."""

    status: int
    body: bytes

    def json(self) -> Any:
        """Return the body's JSON value, None where it is none."""
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None


class Api:
    """A server of this product: an API, or the probes of a worker.

    No proxy is asked. Certificates are verified against the system's authorities, or
    ``SSL_CERT_FILE``.

    Args:
        url: ``http://`` or ``https://``, a host and perhaps a path.
        key: API key; sent to this server alone, not to where it redirects.

    Raises:
        CommandFailed: The URL is none; from every method: nothing answers there.
    """

    def __init__(self, url: str, *, key: str = "") -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CommandFailed(f"{url!r} is not an http:// or https:// URL", ExitCode.INVALID)
        if parts.username or parts.password:
            raise CommandFailed(
                "give the API key with --key-file, not in the URL", ExitCode.INVALID
            )
        self.url = url.rstrip("/")
        self._key = key
        import httpcore2

        self._pool = httpcore2.ConnectionPool(max_connections=1)

    def close(self) -> None:
        """Close the connections."""
        self._pool.close()

    def ask(self, method: str, path: str, *, body: object = None) -> Answer:
        """Return the answer to a request, its body as JSON."""
        content = None if body is None else orjson.dumps(body)
        with self._open(method, path, content=content) as response:
            kept = b""
            for chunk in response.iter_stream():
                kept += chunk
                if len(kept) > MAX_ANSWER_BYTES:
                    raise CommandFailed(f"{self.url}{path}: the answer is too long")
            return Answer(response.status, kept)

    def get(self, path: str) -> Any:
        """Return the JSON that is at ``path``.

        Raises:
            CommandFailed: It is not there; names the reason that the server gives.
        """
        return _expected(self.ask("GET", path), f"GET {self.url}{path}")

    def post(self, path: str, body: object) -> Any:
        """Return the JSON answer to ``body``.

        Raises:
            CommandFailed: It was refused; names the reason that the server gives.
        """
        return _expected(self.ask("POST", path, body=body), f"POST {self.url}{path}")

    def digest(self, path: str) -> tuple[int, str]:
        """Return length and SHA-256 (hex) of the file at ``path``, which is not kept.

        Raises:
            CommandFailed: It is not there.
        """
        with self._open("GET", path) as response:
            if response.status != 200:  # noqa: PLR2004 - HTTP's OK
                raise CommandFailed(f"{path} answers {response.status}")
            size, digest = 0, hashlib.sha256()
            for chunk in response.iter_stream():
                size += len(chunk)
                digest.update(chunk)
            return size, digest.hexdigest()

    @contextmanager
    def _open(
        self, method: str, path: str, *, content: bytes | None = None
    ) -> Iterator[httpcore2.Response]:
        """Yield the answer, that of another server where this one leads a GET to it."""
        url = self.url + path
        for _ in range(MAX_REDIRECTS + 1):
            with self._stream(method, url, content=content) as response:
                if method != "GET" or response.status not in _REDIRECTS:
                    yield response
                    return
                headers = {name.lower(): value for name, value in response.headers}
                url = urljoin(url, headers.get(b"location", b"").decode("latin-1"))
        raise CommandFailed(f"{path} redirects more than {MAX_REDIRECTS} times")

    @contextmanager
    def _stream(
        self, method: str, url: str, *, content: bytes | None = None
    ) -> Iterator[httpcore2.Response]:
        headers: dict[str, str] = {"Accept": "*/*", "User-Agent": "preview-cli"}
        if content is not None:
            headers["Content-Type"] = "application/json"
        if self._key and urlsplit(url)[:2] == urlsplit(self.url)[:2]:
            headers["Authorization"] = f"Bearer {self._key}"
        waits: Mapping[str, float] = dict.fromkeys(
            ("connect", "read", "write", "pool"), REQUEST_SECONDS
        )
        place = urlsplit(url)
        try:
            with self._pool.stream(
                method,
                url,
                headers=list(headers.items()),
                content=content,
                extensions={"timeout": waits},
            ) as response:
                yield response
        except _no_answer() as error:
            raise CommandFailed(
                f"{place.scheme}://{place.netloc} does not answer: {_reason(error)}; "
                "is it running, and is the address right?",
                ExitCode.QUEUE_UNAVAILABLE,
            ) from error


def _reason(error: Exception) -> str:
    """Return why a server does not answer, in words; the libraries say ``[Errno 111] …``."""
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror.lower()
        cause = cause.__cause__ or cause.__context__
    return str(error).rstrip(".") or "no answer in time"


def _expected(answer: Answer, request: str) -> Any:
    document = answer.json()
    if 200 <= answer.status < 300 and document is not None:  # noqa: PLR2004 - HTTP's successes
        return document
    detail = "the answer is not JSON"
    if isinstance(document, dict):
        detail = str(document.get("detail") or document.get("title") or detail)
    raise CommandFailed(
        f"{request} answers {answer.status}: {detail}",
        _CODES.get(answer.status, ExitCode.FAILED),
    )


def _no_answer() -> tuple[type[Exception], ...]:
    """Return the errors of a server that does not answer, or does not speak HTTP."""
    import httpcore2

    return (
        httpcore2.NetworkError,
        httpcore2.TimeoutException,
        httpcore2.ProtocolError,
        httpcore2.UnsupportedProtocol,
    )


def read_key(path: Path | None) -> str:
    """Return the API key in the first line of a file; "" where none is named.

    A file, because command lines are seen by every user of a machine.

    Raises:
        CommandFailed: It cannot be read, or is empty.
    """
    if path is None:
        return ""
    try:
        with path.open("rb") as file:
            key = file.readline(_MAX_KEY_BYTES).decode("latin-1").strip()
    except OSError as error:
        raise CommandFailed(
            f"cannot read {path}: {error.strerror or error}", ExitCode.UNREADABLE
        ) from error
    if not key:
        raise CommandFailed(f"{path} has no key on its first line", ExitCode.UNREADABLE)
    return key
