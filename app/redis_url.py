"""Parses ``REDIS_URL``: a server, a socket, or the Sentinels that know the primary.

::

    redis://[[user]:password@]host[:port][/database]
    rediss://…                                                                over TLS
    unix://[[user]:password@]/path[?db=database]
    redis+sentinel://[[user]:password@]host[:port][,host…]/service[/database]
    rediss+sentinel://…                                                       over TLS

Special characters in names and passwords are percent-encoded. redis-py's other URL options are
refused, because they could turn off what this system relies on, such as certificate checks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

#: The parts of a URL (RFC 3986, appendix B). Python's urlsplit refuses several bracketed hosts.
_URL = re.compile(r"(?:([^:/?#]+):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?")
#: Default ports of servers and of Sentinels.
REDIS_PORT, SENTINEL_PORT = 6379, 26379
_SENTINEL = "+sentinel"
_SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """Where the queue is.

    Attributes:
        hosts: Host and port of the server, or of each Sentinel. Empty for a socket.
        path: Path of the server's socket, or "".
        service: Name of the primary in the Sentinels' configuration, or "".
        tls: Whether all connections are encrypted.
        database: Number of the database.
        username: User of the server, None for its default user.
        password: Password of the server, None if it does not require one.
    """

    hosts: tuple[tuple[str, int], ...] = ()
    path: str = ""
    service: str = ""
    tls: bool = False
    database: int = 0
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        """The address without credentials, safe to show."""
        hosts = ",".join(
            f"[{host}]:{port}" if ":" in host else f"{host}:{port}" for host, port in self.hosts
        )
        return self.path or (f"{hosts}/{self.service}" if self.service else hosts)


def parse_redis_url(url: str) -> RedisUrl:
    """Parse a ``REDIS_URL``.

    Raises:
        ValueError: The URL is not valid. The message contains no part of it, because it may hold
            a password.
    """
    found = _URL.fullmatch(url)
    if not found or not url.isprintable():
        raise ValueError("it is not a URL")
    scheme, *rest = (part or "" for part in found.groups())
    parts = SplitResult(scheme.lower(), *rest)
    if "://" not in url:
        raise ValueError("the scheme is missing; write redis:// in front of host:port")
    if parts.scheme not in _SCHEMES:
        known = ", ".join(f"{scheme}://" for scheme in _SCHEMES[:-1])
        raise ValueError(f"use {known} or {_SCHEMES[-1]}://")
    if parts.fragment or "#" in url:
        raise ValueError("percent-encode the # in it (%23)")
    username, password = _credentials(parts)
    hosts, path, names = _place(parts)
    return RedisUrl(
        hosts=hosts,
        path=path,
        service=names.pop(0) if parts.scheme.endswith(_SENTINEL) else "",
        tls=parts.scheme.startswith("rediss"),
        database=_database(parts.query, names),
        username=username,
        password=password,
    )


def _credentials(parts: SplitResult) -> tuple[str | None, str | None]:
    userinfo, at, _ = parts.netloc.rpartition("@")
    name, colon, password = userinfo.partition(":")
    if at and not colon:
        raise ValueError("credentials are user:password@ or :password@")
    return unquote(name) or None, unquote(password) or None


def _place(parts: SplitResult) -> tuple[tuple[tuple[str, int], ...], str, list[str]]:
    """Return the hosts, the socket, and the path segments after the hosts: service, database."""
    netloc = parts.netloc.rpartition("@")[2]
    if parts.scheme == "unix":
        if netloc or len(parts.path) <= 1:
            raise ValueError("a socket is unix:///path")
        return (), unquote(parts.path), []
    names = [unquote(name) for name in parts.path.removeprefix("/").split("/")]
    if not parts.scheme.endswith(_SENTINEL):
        if "," in netloc:
            raise ValueError("several hosts are Sentinels: use redis+sentinel://…/service")
        return (_host(netloc, REDIS_PORT),), "", names
    if not names[0]:
        raise ValueError("name the service that the Sentinels watch: …/service")
    return tuple(_host(item, SENTINEL_PORT) for item in netloc.split(",")), "", names


def _host(text: str, default_port: int) -> tuple[str, int]:
    try:
        parts = urlsplit(f"//{text}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError(
            "a host is name:port; percent-encode special characters of the password"
        ) from None
    if not host:
        raise ValueError("a host is missing; percent-encode special characters of the password")
    return host, default_port if port is None else port


def _database(query: str, names: list[str]) -> int:
    options = parse_qsl(query, keep_blank_values=True)
    if any(name != "db" for name, _ in options):
        raise ValueError("db is the only option a URL may have")
    told = [name for name in names if name] + [value for _, value in options]
    if len(names) > 1 or len(told) > 1 or not all(item.isdecimal() for item in told):
        raise ValueError("the database is one number")
    return int(told[0]) if told else 0
