"""Connections to Redis and the one place where its errors become ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.connection import (
    Connection,
    ConnectionPool,
    SSLConnection,
    UnixDomainSocketConnection,
)
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import ReadOnlyError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.maint_notifications import MaintNotificationsConfig
from redis.retry import Retry

from app.errors import BrokerUnavailable
from app.ledger.failures import explain
from app.ledger.sentinels import primary_client
from app.redis_url import RedisUrl, parse_redis_url
from app.settings import Settings

#: Longer than any blocking command of ours (1 s), short enough to notice a dead peer.
SOCKET_TIMEOUT_SECONDS = 5.0
#: A Sentinel only tells an address; while it says nothing, the next could be asked.
SENTINEL_TIMEOUT_SECONDS = 1.0
#: Advice to clients while Redis is away.
RETRY_AFTER_SECONDS = 2


def connect(settings: Settings, *, timeout_seconds: float = SOCKET_TIMEOUT_SECONDS) -> redis.Redis:
    """Return a client of the server, or of whichever the Sentinels call the primary.

    It connects on first use. No retries on the client's side: redis-py would
    repeat commands whose reply was lost, and only our scripts are safe to
    repeat, by those who call them.

    Args:
        settings: ``REDIS_…``.
        timeout_seconds: Longest wait for a connection and for a reply.
    """
    url = parse_redis_url(settings.redis_url)
    options = {
        **_transport(settings, url, timeout_seconds),
        "username": url.username,
        "password": url.password,
        "db": url.database,
    }
    if url.service:
        asking = {
            **_transport(settings, url, min(timeout_seconds, SENTINEL_TIMEOUT_SECONDS)),
            "username": settings.redis_sentinel_username or None,
            "password": settings.redis_sentinel_password or None,
        }
        return primary_client(url.hosts, url.service, asking=asking, options=options)
    if url.path:
        pool = ConnectionPool(UnixDomainSocketConnection, path=url.path, **options)
    else:
        (host, port), kind = url.hosts[0], SSLConnection if options.pop("ssl") else Connection
        pool = ConnectionPool(kind, host=host, port=port, **options)
    return redis.Redis.from_pool(pool)


def _transport(settings: Settings, url: RedisUrl, timeout_seconds: float) -> dict[str, Any]:
    """Return what connections to servers and to Sentinels have in common."""
    options: dict[str, Any] = {
        "retry": _no_retry(),
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        # What is left of the handshake is what a user with few permissions may do.
        "driver_info": None,
        "maint_notifications_config": MaintNotificationsConfig(enabled=False),
    }
    if not url.path:
        options |= {"socket_keepalive": True, "ssl": url.tls}
    if url.tls:
        files = {
            "ssl_ca_certs": settings.redis_tls_ca_file,
            "ssl_certfile": settings.redis_tls_cert_file,
            "ssl_keyfile": settings.redis_tls_key_file,
        }
        options |= {name: str(path) for name, path in files.items() if path}
        # Said, so that OpenSSL does not ask a terminal for the password of a locked key.
        options["ssl_password"] = ""
    return options


def _no_retry() -> Retry:
    """Return what ends a connection at the errors after which it is of no use, and no more.

    One to a server that has become a replica is as dead as a broken one.
    """
    return Retry(NoBackoff(), 0, (RedisConnectionError, RedisTimeoutError, ReadOnlyError))


@contextmanager
def redis_errors() -> Iterator[None]:
    """Turn every error of Redis into :class:`BrokerUnavailable`.

    Raises:
        BrokerUnavailable: Redis is away, loading, read-only, full or refuses us.
    """
    try:
        yield
    except (redis.RedisError, OSError) as error:
        raise BrokerUnavailable(explain(error), retry_after_seconds=RETRY_AFTER_SECONDS) from error
