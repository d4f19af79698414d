"""Finds the primary through Redis Sentinel."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import Any, cast

import redis
from redis.exceptions import (
    AuthenticationError,
    NoPermissionError,
    RedisError,
    ResponseError,
)
from redis.sentinel import MasterNotFoundError, Sentinel, SentinelConnectionPool

from app.ledger.failures import tls_reason

#: Interval at which a client in use checks that the primary is still the same. A primary that was
#: replaced while alive accepts writes, which are lost, until the Sentinels demote it after 8 s.
ASK_SECONDS = 1.0
#: Interval between these checks while no Sentinel responds.
ASK_AGAIN_SECONDS = 15.0


def primary_client(
    hosts: Sequence[tuple[str, int]],
    service: str,
    *,
    asking: Mapping[str, Any],
    options: Mapping[str, Any],
) -> redis.Redis:
    """Return a client of the server that the Sentinels call the primary of ``service``.

    Args:
        hosts: Host and port of each Sentinel.
        service: The primary's name in the configuration of the Sentinels.
        asking: Options of connections to Sentinels, as for :class:`redis.Redis`.
        options: Options of connections to the primary.
    """
    sentinels = Sentinels(hosts, sentinel_kwargs=asking)  # type: ignore[no-untyped-call]  # redis-py's
    client = sentinels.master_for(  # type: ignore[no-untyped-call]  # redis-py's
        service, connection_pool_class=PrimaryPool, **options
    )
    return cast("redis.Redis", client)


class PrimaryPool(SentinelConnectionPool):
    """Connections to the primary. Connections to a previous primary close within a second.

    redis-py asks the Sentinels for new connections only, and keeps old ones while they work.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)  # type: ignore[no-untyped-call]  # redis-py's
        self._ask_at = 0.0

    def get_connection(self, *args: Any, **options: Any) -> Any:
        """Return a connection to the current primary."""
        now = time.monotonic()
        # A new connection asks anyway; asking twice would double the wait for dead Sentinels.
        reused = any(connection.is_connected for connection in self._available_connections)
        if reused and now >= self._ask_at:
            # Set before asking, so that only one thread asks and may have to wait.
            self._ask_at = now + ASK_AGAIN_SECONDS
            try:
                self.get_master_address()  # type: ignore[no-untyped-call]  # redis-py's
            except RedisError:
                pass  # no Sentinel responds: keep the known primary
            else:
                self._ask_at = now + ASK_SECONDS
        return super().get_connection(*args, **options)


class Sentinels(Sentinel):
    """Asks Sentinels for the primary, and explains why none is known.

    :class:`redis.sentinel.Sentinel` reorders its list while other threads iterate over it, and
    permanently loses Sentinels when several threads reconnect at once. This class replaces the
    list as a whole instead.
    """

    def discover_master(self, service_name: str) -> tuple[str, int]:
        """Return host and port of the primary, from the first Sentinel that sees it healthy.

        Raises:
            MasterNotFoundError: No Sentinel does. The message tells operators why.
        """
        failures: list[RedisError] = []
        unknown = True
        asked = self.sentinels
        for sentinel in asked:
            try:
                known = cast("dict[str, dict[str, Any]]", sentinel.sentinel_masters())
            except RedisError as error:
                failures.append(error)
                continue
            state = known.get(service_name)
            if state is not None and _alive(state):
                # Ask the Sentinel that answered first next time.
                self.sentinels = [sentinel, *(other for other in asked if other is not sentinel)]
                return state["ip"], state["port"]
            unknown = unknown and state is None
        if len(failures) == len(asked):
            raise MasterNotFoundError(_why_silent(failures)) from failures[0]
        if unknown:
            raise MasterNotFoundError(f"The Sentinels do not monitor {service_name!r}.")
        raise MasterNotFoundError(f"The Sentinels know no healthy primary of {service_name!r}.")


def _alive(state: Mapping[str, Any]) -> bool:
    return bool(state["is_master"]) and not state["is_sdown"] and not state["is_odown"]


def _why_silent(failures: list[RedisError]) -> str:
    for error in failures:
        if isinstance(error, AuthenticationError | NoPermissionError):
            return "The Sentinels refuse REDIS_SENTINEL_USERNAME and REDIS_SENTINEL_PASSWORD."
        secure = tls_reason(error)
        if secure:
            return f"TLS with the Sentinels fails: {secure}."
        if isinstance(error, ResponseError):
            return "REDIS_URL names a server where it should name Sentinels."
    return "No Sentinel of REDIS_URL can be reached."
