"""Runs the ledger's Lua scripts on one queue, by their digests."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib import resources
from typing import Any, cast

import redis
from redis.exceptions import NoScriptError, ReadOnlyError, ResponseError

from app.ledger.connection import redis_errors
from app.ledger.keys import Keys

#: Grace for the reply to a blocking command that times out: slow network, busy server.
OVERDUE_SECONDS = 0.5


@cache
def _script(name: str) -> tuple[str, str]:
    """Return the SHA-1 digest of a script, by which the server knows it, and its text."""
    lua = resources.files("app.ledger") / "lua"
    text = (lua / "prelude.lua").read_text() + (lua / f"{name}.lua").read_text()
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest(), text


class Scripts:
    """Runs scripts by name, and loads them into the server when it does not know them.

    Uses connections of the client's pool directly: redis-py's work around each command takes
    twice as long as the round trip itself (``docs/benchmarks.md``).

    Args:
        client: A client that does not retry (:func:`app.ledger.connect`).
        keys: The keys of the queue.
    """

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._pool: Any = client.connection_pool  # its connections carry no types
        self._keys = keys

    def run(self, name: str, *args: str | bytes | int) -> Any:
        """Run ``lua/<name>.lua``.

        Raises:
            BrokerUnavailable: Redis is unreachable or refuses the command.
        """
        digest, text = _script(name)
        command = ("EVALSHA", digest, 1, self._keys.prefix, *args)
        with redis_errors():
            connection = self._pool.get_connection()
            try:
                try:
                    return _ask(connection, *command)
                except NoScriptError:
                    # The server may evict scripts that were only run by EVAL.
                    _ask(connection, "SCRIPT LOAD", text)
                    return _ask(connection, *command)
            finally:
                self._pool.release(connection)

    def wait(self, name: str, seconds: float) -> bytes | None:
        """Block until something is pushed to the list ``name``, and pop it; None if nothing is.

        The server measures ``seconds`` by a clock that may be set back in the meantime.

        Raises:
            BrokerUnavailable: Redis is unreachable or refuses the command.
        """
        with redis_errors():
            connection = self._pool.get_connection()
            try:
                _send(connection, "BLPOP", self._keys[name], f"{seconds:.3f}")
                if connection.can_read(timeout=seconds + OVERDUE_SECONDS):
                    popped = _reply(connection)
                    return None if popped is None else cast("bytes", popped[1])
                connection.disconnect()  # the server's clock has been set back
                return None
            finally:
                self._pool.release(connection)


def _ask(connection: Any, *command: str | bytes | int) -> Any:
    _send(connection, *command)
    return _reply(connection)


def _send(connection: Any, *command: str | bytes | int) -> None:
    try:
        connection.send_packed_command(connection.pack_command(*command), check_health=False)
    except BaseException:
        connection.disconnect()
        raise


def _reply(connection: Any) -> Any:
    try:
        return connection.read_response()
    except ReadOnlyError:
        connection.disconnect()  # the server is a replica now; reconnect to the primary
        raise
    except ResponseError:
        raise  # a complete reply: the connection is still good
    except BaseException:
        connection.disconnect()  # a late reply would be read by the next user of the connection
        raise
