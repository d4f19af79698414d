"""The Lua scripts of the ledger, loaded once and run on one queue."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Any

import redis

from app.ledger.connection import redis_errors
from app.ledger.keys import Keys


@cache
def _source(name: str) -> str:
    lua = resources.files("app.ledger") / "lua"
    return (lua / "prelude.lua").read_text() + (lua / f"{name}.lua").read_text()


class Scripts:
    """Runs scripts by name; the server is sent their text when it does not know them.

    Args:
        client: A client without retries of its own (:func:`app.ledger.connect`).
        keys: Those of the queue.
    """

    def __init__(self, client: redis.Redis, keys: Keys) -> None:
        self._client = client
        self._keys = keys
        self._known: dict[str, Any] = {}

    def run(self, name: str, *args: str | bytes | int) -> Any:
        """Run ``lua/<name>.lua``.

        Raises:
            BrokerUnavailable: Redis is away or refuses.
        """
        script = self._known.get(name)
        if script is None:
            script = self._known[name] = self._client.register_script(_source(name))
        with redis_errors():
            return script(keys=[self._keys.prefix], args=list(args))
