"""Entry point of the worker and the scheduler: ``dramatiq app.actors``, ``periodiq app.actors``.

Importing this package reads the environment and sets Dramatiq's global broker,
because that is how both programs find it; nothing is connected yet.
"""

import multiprocessing
import sys

import dramatiq

from app.actors.assembly import build_worker
from app.actors.boot import join_service, remove_what_is_left
from app.errors import StorageUnavailable
from app.logs import configure_logging
from app.metrics import Metrics, share_between_processes
from app.settings import SettingsError, load_settings
from app.tracing import open_tracing

try:
    settings = load_settings()
except SettingsError as error:
    sys.exit(f"preview worker: {error}")

configure_logging(level=settings.log_level, style=settings.log_format)
service, tracing = None, None

try:
    if multiprocessing.parent_process() is not None:  # of Dramatiq's master: it has siblings
        service = join_service()
        share_between_processes(service)
        remove_what_is_left(settings)
        tracing = open_tracing(settings, service="worker")
    metrics = Metrics(track=settings.preview_track)
    worker = build_worker(settings, metrics, signs=service, tracing=tracing)
except (SettingsError, StorageUnavailable) as error:
    sys.exit(f"preview worker: {error}")
broker = worker.broker
dramatiq.set_broker(broker)

render_preview = broker.actors["render_preview"]
scheduler_tick = broker.actors["scheduler_tick"]
replay_dead_letters = broker.actors["replay_dead_letters"]
sweep_results = broker.actors["sweep_results"]
sweep_orphans = broker.actors["sweep_orphans"]

__all__ = [
    "broker",
    "render_preview",
    "replay_dead_letters",
    "scheduler_tick",
    "settings",
    "sweep_orphans",
    "sweep_results",
    "worker",
]
