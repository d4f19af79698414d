"""Entry point of the worker and the scheduler: ``dramatiq app.actors``, ``periodiq app.actors``.

Importing this package reads the environment and sets Dramatiq's global broker,
because that is how both programs find it; nothing is connected yet.
"""

import multiprocessing
import sys

import dramatiq

from app.actors.assembly import build_worker
from app.actors.boot import metrics_directory, remove_stale_directories
from app.logs import configure_logging
from app.metrics import Metrics, share_between_processes
from app.settings import SettingsError, load_settings

try:
    settings = load_settings()
except SettingsError as error:
    sys.exit(f"preview worker: {error}")

configure_logging(level=settings.log_level, style=settings.log_format)
if multiprocessing.parent_process() is not None:  # a child of Dramatiq's master: it has siblings
    remove_stale_directories()
    share_between_processes(metrics_directory())

worker = build_worker(settings, Metrics(track=settings.preview_track))
broker = worker.broker
dramatiq.set_broker(broker)

render_preview = broker.actors["render_preview"]
scheduler_tick = broker.actors["scheduler_tick"]

__all__ = ["broker", "render_preview", "scheduler_tick", "settings", "worker"]
