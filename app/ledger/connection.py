"""Connections to Redis and the one place where its errors become ours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, ResponseError
from redis.retry import Retry

from app.errors import BrokerUnavailable
from app.settings import Settings

#: Longer than any blocking command of ours (1 s), short enough to notice a dead peer.
SOCKET_TIMEOUT_SECONDS = 5.0
#: Advice to clients while Redis is away.
RETRY_AFTER_SECONDS = 2


def connect(settings: Settings, *, timeout_seconds: float = SOCKET_TIMEOUT_SECONDS) -> redis.Redis:
    """Return a client; connects on first use.

    No retries on the client's side: redis-py would repeat commands whose reply
    was lost, and only our scripts are safe to repeat, by those who call them.
    """
    network = {} if settings.redis_url.startswith("unix:") else {"socket_keepalive": True}
    return redis.Redis.from_url(
        settings.redis_url,
        retry=Retry(NoBackoff(), 0),
        socket_timeout=timeout_seconds,
        socket_connect_timeout=timeout_seconds,
        health_check_interval=0,
        decode_responses=False,
        **network,
    )


@contextmanager
def redis_errors() -> Iterator[None]:
    """Turn every error of Redis into :class:`BrokerUnavailable`.

    Raises:
        BrokerUnavailable: Redis is away, loading, read-only, full or refuses us.
    """
    try:
        yield
    except AuthenticationError as error:
        raise BrokerUnavailable("Redis refuses the credentials of REDIS_URL.") from error
    except ResponseError as error:
        # Its first word (READONLY, OOM, LOADING …) says what is wrong; the rest may name keys.
        reason = str(error).partition(" ")[0]
        raise BrokerUnavailable(
            f"Redis refused a command ({reason}).", retry_after_seconds=RETRY_AFTER_SECONDS
        ) from error
    except (redis.RedisError, OSError) as error:
        raise BrokerUnavailable(
            "Redis cannot be reached.", retry_after_seconds=RETRY_AFTER_SECONDS
        ) from error
