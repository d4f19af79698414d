"""``DATA_DIR/stack.json``: what other commands need to know of a running ``preview dev``.

The process that runs the stack holds a lock on the file, and shares it with the keeper that ends
the stack's processes should it be killed. The kernel releases the lock when both have ended,
however they end, so the file can never claim a stack that does not exist.
"""

from __future__ import annotations

import contextlib
import errno
import os
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Self

import orjson

from app.cli.output.exits import CommandFailed
from app.cli.remote.addresses import local_url
from app.cli.stack.setup import checkout_settings
from app.settings import Settings

#: Name of the file in DATA_DIR.
STATE_FILE: Final = "stack.json"
#: How long a start waits for the processes of a stack whose supervisor was killed.
ORPHAN_SECONDS: Final = 90.0
#: How long a start waits for a reader, which holds the lock for an instant.
READER_SECONDS: Final = 1.0
_POLL_SECONDS = 0.1
#: No state file is longer.
_MAX_BYTES = 65_536


@dataclass(frozen=True, slots=True)
class StackState:
    """The state file of a stack.

    Attributes:
        pid: Process that runs it.
        parts: Process id of each part.
        redis_url: The queue's server, with its credentials.
        preview_queue_name: The queue.
        storage_url: The artifact store, empty for the one below ``DATA_DIR``.
        preview_asset_root: Directory with the assets of every project.
        preview_api_port: Port of the API.
        health_port: Port of the worker's probes.
    """

    pid: int
    parts: dict[str, int]
    redis_url: str
    preview_queue_name: str
    storage_url: str
    preview_asset_root: str
    preview_api_port: int
    health_port: int

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """Return the state of a stack that this process is about to start."""
        return cls(
            pid=os.getpid(),
            parts={},
            redis_url=settings.redis_url,
            preview_queue_name=settings.preview_queue_name,
            storage_url=settings.storage_url,
            preview_asset_root=str(settings.asset_root),
            preview_api_port=settings.preview_api_port,
            health_port=settings.health_port,
        )

    def settings_from(self, settings: Settings) -> Settings:
        """Return ``settings`` with those of the stack where the environment sets none."""
        ours = {
            "app_env": "development",
            "redis_url": self.redis_url,
            "preview_queue_name": self.preview_queue_name,
            "storage_url": self.storage_url,
            "preview_asset_root": Path(self.preview_asset_root),
            "preview_api_port": self.preview_api_port,
            "health_port": self.health_port,
        }
        given = settings.model_fields_set
        return settings.model_copy(update={k: v for k, v in ours.items() if k not in given})


def settings_here() -> Settings:
    """Return the settings of a command that talks to the system on this machine.

    The environment comes first. Where it does not set ``REDIS_URL`` and ``preview dev`` runs on
    the same ``DATA_DIR``, the queue, the store and the ports are those of that stack.

    Raises:
        SettingsError: A variable has a bad value.
    """
    settings = checkout_settings()
    if "redis_url" in settings.model_fields_set:
        return settings
    running = running_stack(settings.data_dir)
    return running.settings_from(settings) if running else settings


def running_stack(data_dir: Path) -> StackState | None:
    """Return the stack that runs on ``data_dir``, or None."""
    if sys.platform == "win32":
        return None
    with contextlib.suppress(OSError):
        descriptor = os.open(data_dir / STATE_FILE, os.O_RDONLY | os.O_CLOEXEC)
        try:
            if _lock(descriptor, exclusive=False):
                return None  # nobody holds it: the stack has ended
            state = _read(descriptor)
        finally:
            os.close(descriptor)
        return state if state and _lives(state.pid) else None
    return None


class StateFile:
    """The state file of this process's own stack.

    Args:
        data_dir: Directory of the stack's data.
        say: Told what a start has to wait for.

    Raises:
        CommandFailed: A stack already runs on ``data_dir``.
        OSError: The file cannot be written.
    """

    def __init__(self, data_dir: Path, *, say: Callable[[str], None]) -> None:
        data_dir.mkdir(parents=True, exist_ok=True)
        #: Holds the lock for as long as it is open, here and in the keeper.
        self.descriptor = os.open(
            data_dir / STATE_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
        )
        try:
            self._acquire(data_dir, say)
        except BaseException:
            os.close(self.descriptor)
            raise

    def write(self, state: StackState) -> None:
        """Replace what the file says."""
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, orjson.dumps(asdict(state)), 0)

    def close(self) -> None:
        """Empty the file and release the lock."""
        os.ftruncate(self.descriptor, 0)
        os.close(self.descriptor)

    def _acquire(self, data_dir: Path, say: Callable[[str], None]) -> None:
        began = time.monotonic()
        said = False
        while not _lock(self.descriptor, exclusive=True):
            waited = time.monotonic() - began
            holder = _read(self.descriptor)
            if holder and _lives(holder.pid):
                raise CommandFailed(
                    f"preview dev already runs on {data_dir}: process {holder.pid}, API "
                    f"{local_url(holder.preview_api_port)}. Press Ctrl-C there, run "
                    f"`kill {holder.pid}`, or set DATA_DIR to another directory"
                )
            if holder and not said:
                said = True
                left = _listed(holder)
                say(f"Waiting for what a killed preview dev (process {holder.pid}) left: {left}")
            if waited > (ORPHAN_SECONDS if holder else READER_SECONDS):
                left = _listed(holder) if holder else "unknown processes"
                raise CommandFailed(
                    f"processes of an earlier preview dev still use {data_dir}: {left}; end them "
                    "with kill, or set DATA_DIR to another directory"
                )
            time.sleep(_POLL_SECONDS)


def with_part(state: StackState, name: str, pid: int) -> StackState:
    """Return ``state`` with one more process."""
    return replace(state, parts={**state.parts, name: pid})


def _listed(state: StackState) -> str:
    return ", ".join(f"{name} {pid}" for name, pid in state.parts.items()) or "no process"


def _lock(descriptor: int, *, exclusive: bool) -> bool:
    """Return whether the lock could be taken at once."""
    import fcntl

    try:
        kind = fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True


def _read(descriptor: int) -> StackState | None:
    """Return what the file says, None while it says nothing."""
    try:
        return StackState(**orjson.loads(os.pread(descriptor, _MAX_BYTES, 0)))
    except (ValueError, TypeError):
        return None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
