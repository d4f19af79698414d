"""Connects to Redis, and translates its errors into those of the product."""

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

#: Longer than the longest blocking command (1 s), short enough to notice a dead server.
SOCKET_TIMEOUT_SECONDS = 5.0
#: Shorter for Sentinels: they answer at once, and another one can be asked.
SENTINEL_TIMEOUT_SECONDS = 1.0
#: ``Retry-After`` while Redis is unreachable.
RETRY_AFTER_SECONDS = 2


def connect(settings: Settings, *, timeout_seconds: float = SOCKET_TIMEOUT_SECONDS) -> redis.Redis:
    """Return a client of the server, or of the primary that the Sentinels name.

    It connects on first use and never retries: redis-py would repeat commands whose reply was
    lost. Only the ledger's scripts are safe to repeat, and their callers do that.

    Args:
        settings: The ``REDIS_…`` variables are used.
        timeout_seconds: Timeout of connecting, and of each reply.
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
    """Return the options that connections to servers and to Sentinels share."""
    options: dict[str, Any] = {
        "retry": _no_retry(),
        "socket_timeout": timeout_seconds,
        "socket_connect_timeout": timeout_seconds,
        # Keep the handshake to commands that a user with few permissions may run.
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
        # Set, so that OpenSSL does not prompt for the password of an encrypted key.
        options["ssl_password"] = ""
    return options


def _no_retry() -> Retry:
    """Return a policy that never retries, but closes the connection after these errors.

    A connection to a server that has become a replica is as useless as a broken one.
    """
    return Retry(NoBackoff(), 0, (RedisConnectionError, RedisTimeoutError, ReadOnlyError))


@contextmanager
def redis_errors() -> Iterator[None]:
    """Turn every error of Redis into :class:`BrokerUnavailable`.

    Raises:
        BrokerUnavailable: Redis is unreachable, loading, read-only or full, or refuses access.
    """
    try:
        yield
    except (redis.RedisError, OSError) as error:
        raise BrokerUnavailable(explain(error), retry_after_seconds=RETRY_AFTER_SECONDS) from error
