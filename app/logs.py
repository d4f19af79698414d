"""Logging: JSON for machines, readable lines on a terminal, and never a secret.

structlog formats its own events and those of the standard library, so the lines of Dramatiq,
periodiq and gunicorn look the same. Fields bound with :func:`bind` (``jobId``, ``requestId``
and so on) are added to every event of the thread.
"""

from __future__ import annotations

import logging
import re
import sys
from typing import Any, Literal, TextIO

import orjson
import structlog
from structlog.typing import EventDict, Processor

#: Credentials in URLs, and values after the name of a secret.
_URL_CREDENTIALS = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s@\"']*@", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"((?:api[-_]?keys?|authorization|password|secret|token)[\"']?\s*[:=]\s*[\"']?(?:bearer\s+)?)"
    r"[^\s\"',}]+",
    re.IGNORECASE,
)
#: Neither pattern matches a text that contains none of these.
_HINTS = ("://", "key", "authorization", "password", "secret", "token")
_SECRET_NAME = re.compile(r"api[-_]?key|authorization|password|secret", re.IGNORECASE)

bind = structlog.contextvars.bind_contextvars
unbind_all = structlog.contextvars.clear_contextvars


def scrub(text: str) -> str:
    """Return ``text`` without credentials."""
    lowered = text.lower()
    if not any(hint in lowered for hint in _HINTS):
        return text  # the common case, and ten times as fast as the patterns
    return _SECRET_VALUE.sub(r"\1***", _URL_CREDENTIALS.sub(r"\1***@", text))


def _scrub_event(_logger: Any, _method: str, event: EventDict) -> EventDict:
    for name, value in event.items():
        if _SECRET_NAME.search(name):
            event[name] = "***"
        elif isinstance(value, str):
            event[name] = scrub(value)
    return event


def _lead(_logger: Any, _method: str, event: EventDict) -> EventDict:
    """Put the fields first that readers look for first."""
    first = {name: event.pop(name) for name in ("timestamp", "level", "event") if name in event}
    return {**first, **event}


def _dumps(event: EventDict, **_options: Any) -> str:
    return orjson.dumps(event, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def configure_logging(
    *,
    level: str,
    style: Literal["auto", "json", "console"] = "auto",
    stream: TextIO | None = None,
) -> None:
    """Send all logs of this process to ``stream``, by default standard error."""
    target = stream or sys.stderr
    console = style == "console" or (style == "auto" and target.isatty())
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="timestamp"),
        structlog.processors.StackInfoRenderer(),
    ]
    # Format tracebacks before scrubbing, so that secrets in them are removed; show no variables.
    last: list[Processor] = [structlog.processors.format_exc_info, _scrub_event]
    if console:
        plain = structlog.dev.plain_traceback
        colors = target.isatty()
        last.append(structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain))
    else:
        last += [_lead, structlog.processors.JSONRenderer(serializer=_dumps)]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(target)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    # Dramatiq warns about each skipped message. Here, skipping duplicates is routine.
    logging.getLogger("dramatiq.worker.WorkerThread").setLevel(logging.ERROR)


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger. Its events are names; values go into fields."""
    logger: structlog.stdlib.BoundLogger = structlog.stdlib.get_logger(name)
    return logger
