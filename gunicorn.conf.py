"""Configuration of gunicorn, found by itself when ``gunicorn app.http.wsgi:app`` starts here.

Every name is one of gunicorn's settings. WEB_CONCURRENCY, GUNICORN_CMD_ARGS and
the command line go before what stands here.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from gunicorn.glogging import Logger  # type: ignore[import-untyped]  # it carries no types
from prometheus_client.multiprocess import mark_process_dead

from app.http.auth import require_keys
from app.logs import configure_logging
from app.metrics import share_between_processes
from app.settings import SettingsError, load_settings
from app.temporary import make_directory, remove_leftovers

try:
    _settings = load_settings()
    # Here, so that it is said once; each worker would repeat it.
    require_keys(_settings)
except SettingsError as error:
    sys.exit(str(error))

# A file system in memory: a heartbeat must not wait for a disk, and the root may be read-only.
_MEMORY = Path("/dev/shm")  # noqa: S108 - only directories with random names are made in it


class StructuredLogger(Logger):  # type: ignore[misc]  # untyped upstream
    """Sends gunicorn's own events through app.logs; requests are logged by the application."""

    def setup(self, cfg: Any) -> None:
        """Configure all logging of this process."""
        super().setup(cfg)
        configure_logging(level=_settings.log_level, style=_settings.log_format)
        self.error_log.handlers.clear()
        self.error_log.propagate = True


_host = _settings.preview_api_host
bind = f"{f'[{_host}]' if ':' in _host else _host}:{_settings.preview_api_port}"
worker_class = "gthread"
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = 32  # started on demand; a slow download holds one for as long as it takes
keepalive = 75  # seconds; longer than the 60 of the usual load balancers
timeout = 30  # a worker that says nothing for so long is replaced
graceful_timeout = 30  # for requests that run when the server is asked to stop
worker_tmp_dir = str(_MEMORY) if os.access(_MEMORY, os.W_OK) else None
control_socket_disable = True  # it would write below the home directory
loglevel = _settings.log_level
logger_class = StructuredLogger

# What gunicorn discards of an unread body before it gives a connection up.
_DRAINED_BYTES = 64 * 1024

_metrics_directory = Path()


def on_starting(_server: Any) -> None:
    """Give this boot a directory for the counters that its workers share."""
    global _metrics_directory
    root = Path(worker_tmp_dir or tempfile.gettempdir())
    remove_leftovers(root)
    # Its lock is held by this process and its workers, until the last of them ends.
    _metrics_directory, _ = make_directory(root, name="metrics")
    share_between_processes(_metrics_directory)


def pre_request(_worker: Any, req: Any) -> None:
    """Announce the end of a connection whose body may stay unread (401, 413, 415).

    gunicorn would promise to keep it, and then close it under the next request.
    """
    for name, value in req.headers:
        if name == "TRANSFER-ENCODING" or (
            name == "CONTENT-LENGTH" and int(value) > _DRAINED_BYTES
        ):
            req.force_close()


def child_exit(_server: Any, worker: Any) -> None:
    """Drop the gauges of a worker that ended; what it counted stays."""
    mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]  # untyped upstream


def on_exit(_server: Any) -> None:
    """Remove the counters of this boot."""
    shutil.rmtree(_metrics_directory, ignore_errors=True)
