"""A primary, its replica and the Sentinels that watch them, as real processes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import redis

from app.cli.remote.addresses import LOOPBACK
from tests.conftest import wait_until
from tests.support.redis_servers import RedisServer, Tls

#: The name by which the Sentinels know the primary.
SERVICE = "tutorials"
#: A primary that is silent for so long is replaced; operators wait longer.
_DOWN_MS = 1000
#: How often Sentinels ask and tell, in milliseconds, instead of every one to ten seconds. One that
#: sees a promotion of which it was not told undoes it after four periods of publishing; in a
#: failover servers are asked once a second, whatever is said here.
_PERIODS_MS = {"info-period": 100, "ask-period": 100, "publish-period": 500}
#: A replica gets the data at once, instead of after five seconds.
_NO_DELAY = ("--repl-diskless-sync-delay", "0")


class SentinelServer(RedisServer):
    """A Sentinel that watches ``primary``; its file of configuration survives restarts.

    Args:
        directory: For its configuration and its log.
        primary: What it watches, under the name :data:`SERVICE`.
        quorum: How many Sentinels must call the primary dead.
        lines: More of its configuration.
        tls: Serve TLS only, and use it to the servers.
    """

    def __init__(
        self,
        directory: Path,
        primary: RedisServer,
        *,
        quorum: int,
        lines: Sequence[str] = (),
        tls: Tls | None = None,
    ) -> None:
        super().__init__(directory, tls=tls)
        self._primary = primary
        self._quorum = quorum
        self._lines = list(lines)

    def command(self) -> list[str]:
        configuration = self.directory / "sentinel.conf"
        if not self._started_before:  # from then on it writes the file itself
            configuration.write_text("\n".join([*self._first_lines(), *self._lines, ""]))
        return [str(self.binary), str(configuration), "--sentinel"]

    def _first_lines(self) -> list[str]:
        ports = [f"port {self.port}"]
        if self.tls:
            ports = [
                "port 0",
                f"tls-port {self.port}",
                f"tls-cert-file {self.tls.cert}",
                f"tls-key-file {self.tls.key}",
                f"tls-ca-cert-file {self.tls.ca}",
                "tls-replication yes",
            ]
        return [
            *ports,
            f"bind {LOOPBACK}",
            f"dir {self.directory}",
            f"sentinel monitor {SERVICE} {LOOPBACK} {self._primary.port} {self._quorum}",
            f"sentinel down-after-milliseconds {SERVICE} {_DOWN_MS}",
            f"sentinel failover-timeout {SERVICE} 3000",
        ]

    def ask(self, *words: str) -> Any:
        """Send it a command and return the reply."""
        with contextlib.closing(self.client()) as client:
            return client.execute_command(*words)  # type: ignore[no-untyped-call]  # redis-py's

    def hurry(self) -> None:
        """Let it ask and tell more often, where the server knows how."""
        for name, period_ms in _PERIODS_MS.items():
            with contextlib.suppress(redis.ResponseError):
                self.ask("SENTINEL", "DEBUG", name, str(period_ms))

    def state(self) -> dict[str, Any]:
        """Return what it knows of the primary."""
        with contextlib.closing(self.client()) as client:
            known: Any = client.sentinel_masters()
        return dict(known[SERVICE])


class SentinelGroup:
    """Two servers and their Sentinels, all running.

    Attributes:
        servers: The first primary and its replica; a failover exchanges the roles.
        sentinels: Who watches them.
    """

    def __init__(
        self, directory: Path, *, sentinels: int, options: Sequence[str], tls: Tls | None
    ) -> None:
        first = RedisServer(directory / "a", *_NO_DELAY, *options, tls=tls)
        following = ("--replicaof", LOOPBACK, str(first.port))
        second = RedisServer(directory / "b", *_NO_DELAY, *options, *following, tls=tls)
        self.servers = (first, second)
        self.sentinels = [
            SentinelServer(directory / f"s{number}", first, quorum=sentinels // 2 + 1, tls=tls)
            for number in range(sentinels)
        ]

    @property
    def url(self) -> str:
        """``REDIS_URL`` that names all Sentinels."""
        scheme = "rediss+sentinel" if self.servers[0].tls else "redis+sentinel"
        hosts = ",".join(f"{LOOPBACK}:{sentinel.port}" for sentinel in self.sentinels)
        return f"{scheme}://{hosts}/{SERVICE}"

    @property
    def primary(self) -> RedisServer:
        """The server that the first Sentinel calls the primary."""
        port = self.sentinels[0].state()["port"]
        return next(server for server in self.servers if server.port == port)

    @property
    def replica(self) -> RedisServer:
        """The other one."""
        return next(server for server in self.servers if server is not self.primary)

    def fail_over(self) -> None:
        """Ask for a failover, and wait until all Sentinels tell the new primary.

        The old one takes writes for eight more seconds, as it does by default, unless
        :meth:`wait_until_whole` is called.
        """
        heir = self.replica
        for sentinel in self.sentinels:
            sentinel.ask("SENTINEL", "DEBUG", "publish-period", "2000")
        self.sentinels[0].ask("SENTINEL", "FAILOVER", SERVICE)
        self.wait_for_primary(heir)

    def wait_for_primary(self, server: RedisServer) -> None:
        """Wait until all Sentinels call ``server`` the primary."""
        wait_until(
            lambda: all(sentinel.state()["port"] == server.port for sentinel in self.sentinels),
            "all Sentinels know the new primary",
        )

    def wait_until_whole(self) -> None:
        """Wait until a failover is possible: all know all, and the replica follows."""
        for sentinel in self.sentinels:
            sentinel.hurry()
        wait_until(lambda: all(map(self._sees_all, self.sentinels)), "the Sentinels see all")
        wait_until(self._replica_follows, "the replica follows")

    def _sees_all(self, sentinel: SentinelServer) -> bool:
        state = sentinel.state()
        seen = (state["num-other-sentinels"], state["num-slaves"], state["flags"])
        return seen == (len(self.sentinels) - 1, 1, "master")

    def _replica_follows(self) -> bool:
        try:
            with contextlib.closing(self.replica.client()) as client:
                told: Any = client.info("replication")
        except redis.ConnectionError:
            return False  # a server that is demoted hangs up on its clients
        return bool(told["role"] == "slave" and told["master_link_status"] == "up")


@contextlib.contextmanager
def sentinel_group(
    directory: Path, *, sentinels: int = 3, options: Sequence[str] = (), tls: Tls | None = None
) -> Iterator[SentinelGroup]:
    """Run a primary, a replica (both with ``options``) and Sentinels until the context ends.

    A failover is possible once :meth:`SentinelGroup.wait_until_whole` has returned.
    """
    group = SentinelGroup(directory, sentinels=sentinels, options=options, tls=tls)
    with contextlib.ExitStack() as stack:
        for server in (*group.servers, *group.sentinels):
            stack.enter_context(server)
        yield group
