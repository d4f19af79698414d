"""Sentinels: servers that watch a primary and know which one it is."""

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

#: How often a client that is in use asks whether the primary is still the same. A primary that
#: was replaced while it lives takes writes, which are lost, until the Sentinels demote it: 8 s.
ASK_SECONDS = 1.0
#: How long it goes on without asking when no Sentinel has answered.
ASK_AGAIN_SECONDS = 15.0


def primary_client(
    hosts: Sequence[tuple[str, int]],
    service: str,
    *,
    asking: Mapping[str, Any],
    options: Mapping[str, Any],
) -> redis.Redis:
    """Return a client of whichever server the Sentinels call the primary of ``service``.

    Args:
        hosts: Host and port of each Sentinel.
        service: The name by which they know the primary.
        asking: Options of connections to Sentinels, as of :class:`redis.Redis`.
        options: Options of connections to the primary.
    """
    sentinels = Sentinels(hosts, sentinel_kwargs=asking)  # type: ignore[no-untyped-call]  # redis-py's
    client = sentinels.master_for(  # type: ignore[no-untyped-call]  # redis-py's
        service, connection_pool_class=PrimaryPool, **options
    )
    return cast("redis.Redis", client)


class PrimaryPool(SentinelConnectionPool):
    """Connections to the primary; those to an earlier one are closed within a second.

    redis-py asks the Sentinels only for new connections, and keeps old ones for
    as long as they work.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)  # type: ignore[no-untyped-call]  # redis-py's
        self._ask_at = 0.0

    def get_connection(self, *args: Any, **options: Any) -> Any:
        """Return a connection to whichever server the Sentinels call the primary."""
        now = time.monotonic()
        # A new connection asks by itself; twice would double the wait for absent Sentinels.
        reused = any(connection.is_connected for connection in self._available_connections)
        if reused and now >= self._ask_at:
            # Set first: of all threads one asks, and one alone may have to wait.
            self._ask_at = now + ASK_AGAIN_SECONDS
            try:
                self.get_master_address()  # type: ignore[no-untyped-call]  # redis-py's
            except RedisError:
                pass  # without Sentinels the known primary is still the best guess
            else:
                self._ask_at = now + ASK_SECONDS
        return super().get_connection(*args, **options)


class Sentinels(Sentinel):
    """Asks Sentinels for the primary, and tells apart why none is known.

    redis-py's own :class:`redis.sentinel.Sentinel` changes places in its list
    while other threads go through it, and so loses Sentinels for good when
    several threads reconnect at once; here the list is replaced as a whole.
    """

    def discover_master(self, service_name: str) -> tuple[str, int]:
        """Return host and port of the primary, of the first Sentinel that knows it alive.

        Raises:
            MasterNotFoundError: None does; the message is for operators.
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
                # Whoever answers is asked first the next time.
                self.sentinels = [sentinel, *(other for other in asked if other is not sentinel)]
                return state["ip"], state["port"]
            unknown = unknown and state is None
        if len(failures) == len(asked):
            raise MasterNotFoundError(_why_silent(failures)) from failures[0]
        if unknown:
            raise MasterNotFoundError(f"The Sentinels watch no service {service_name!r}.")
        raise MasterNotFoundError(f"The Sentinels know no living primary of {service_name!r}.")


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
