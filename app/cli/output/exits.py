"""Exit codes, and the one place that turns an error into a line and a code."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from enum import IntEnum
from typing import Final

import typer
from typer.core import TyperGroup

from app.cli.output.console import clean
from app.errors import (
    BrokerUnavailable,
    ErrorItem,
    InvalidJson,
    JobConflict,
    JobNotFound,
    PayloadTooLarge,
    PreviewError,
    QueueFull,
    ReplayConflict,
    ValidationFailed,
)
from app.redis_url import parse_redis_url
from app.settings import SettingsError, load_settings


class ExitCode(IntEnum):
    """Exit codes of the commands; docs/cli.md has the same table."""

    OK = 0
    FAILED = 1
    INVALID = 2
    UNREADABLE = 3
    NO_SUCH_JOB = 4
    QUEUE_UNAVAILABLE = 5
    QUEUE_FULL = 6
    CONFLICT = 7
    TIMEOUT = 124
    INTERRUPTED = 130


#: What each code means, as ``--help`` and docs/cli.md say it.
MEANINGS: Final = {
    ExitCode.OK: "done",
    ExitCode.FAILED: "the job failed or was cancelled, or another error of the product",
    ExitCode.INVALID: "invalid payload, setting or command line",
    ExitCode.UNREADABLE: "a file cannot be read or written",
    ExitCode.NO_SUCH_JOB: "no such job",
    ExitCode.QUEUE_UNAVAILABLE: "the queue is unavailable",
    ExitCode.QUEUE_FULL: "the queue is full",
    ExitCode.CONFLICT: "the request contradicts the job as it stands",
    ExitCode.TIMEOUT: "the job had not ended when --timeout expired",
    ExitCode.INTERRUPTED: "interrupted by Ctrl-C",
}

#: Errors of the product that have a code of their own; every other one is FAILED.
_CODES: Final[dict[type[PreviewError], ExitCode]] = {
    ValidationFailed: ExitCode.INVALID,
    InvalidJson: ExitCode.INVALID,
    PayloadTooLarge: ExitCode.INVALID,
    JobNotFound: ExitCode.NO_SUCH_JOB,
    BrokerUnavailable: ExitCode.QUEUE_UNAVAILABLE,
    QueueFull: ExitCode.QUEUE_FULL,
    JobConflict: ExitCode.CONFLICT,
    ReplayConflict: ExitCode.CONFLICT,
}


_FREE_SPACE = "; free some space, or set DATA_DIR to another disk"
_ANOTHER_DIRECTORY = "; set DATA_DIR to a directory that you may write"
#: Remedies of errors of the disk.
_REMEDIES: Final = {
    errno.ENOSPC: _FREE_SPACE,
    errno.EDQUOT: _FREE_SPACE,
    errno.EROFS: _ANOTHER_DIRECTORY,
    errno.EACCES: _ANOTHER_DIRECTORY,
}


class CommandFailed(Exception):
    """A command cannot continue; the message is for its user.

    Args:
        message: One sentence that names the remedy.
        code: Exit code of the command.
    """

    def __init__(self, message: str, code: ExitCode = ExitCode.FAILED) -> None:
        super().__init__(message)
        self.code = code


def complain(message: str) -> None:
    """Print one line ``error: …`` to standard error."""
    typer.echo(f"{typer.style('error:', fg=typer.colors.RED)} {clean(message)}", err=True)


def warn(message: str) -> None:
    """Print one line ``warning: …`` to standard error."""
    typer.echo(f"{typer.style('warning:', fg=typer.colors.YELLOW)} {clean(message)}", err=True)


def violation(item: ErrorItem) -> str:
    """Return one violation as ``POINTER: detail [code]``."""
    return clean(f"{item.pointer or '(document)'}: {item.detail} [{item.code}]")


def explain(error: PreviewError) -> ExitCode:
    """Print an error of the product to standard error and return its code."""
    message = error.detail
    if isinstance(error, BrokerUnavailable):
        message += f" {_broker_hint()}"
    complain(message)
    for item in error.errors:
        typer.echo(f"  {violation(item)}", err=True)
    return _CODES.get(type(error), ExitCode.FAILED)


def _broker_hint() -> str:
    settings = load_settings()
    address = parse_redis_url(settings.redis_url).address
    which = "REDIS_URL names" if "redis_url" in settings.model_fields_set else "The default is"
    return (
        f'{which} {address}; set REDIS_URL to your server, or run "preview dev", '
        "which starts its own."
    )


class ErrorLines(TyperGroup):
    """Turns what a command raises into a line on standard error and an exit code."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # typer's own context
        """Run the command."""
        try:
            return super().invoke(ctx)
        except PreviewError as error:
            code = explain(error)
        except SettingsError as error:
            complain(str(error))
            code = ExitCode.INVALID
        except CommandFailed as error:
            complain(str(error))
            code = error.code
        except KeyboardInterrupt:
            complain("interrupted")
            code = ExitCode.INTERRUPTED
        except (typer.Exit, typer.Abort, typer.TyperException, BrokenPipeError):
            raise  # typer's own ways to end
        except OSError as error:
            named = error.filename or error.errno in _REMEDIES
            code = _file_error(error) if named else _unexpected(error)
        except Exception as error:  # noqa: BLE001 - a user sees no traceback unless asked for
            code = _unexpected(error)
        raise typer.Exit(code)


def _file_error(error: OSError) -> ExitCode:
    """Explain an error of a file that no command expected, such as a full or read-only disk.

    A write that fails does not name its file.
    """
    place = f"{os.fsdecode(error.filename)}: " if error.filename else ""
    remedy = _REMEDIES.get(error.errno or 0, "")
    complain(f"{place}{error.strerror or error}{remedy}")
    return ExitCode.UNREADABLE


def _unexpected(error: Exception) -> ExitCode:
    try:
        debug = load_settings().log_level == "debug"
    except SettingsError:
        debug = False
    if debug:
        traceback.print_exception(error, file=sys.stderr)
    hint = "" if debug else " (LOG_LEVEL=debug shows where)"
    complain(f"unexpected {type(error).__name__}: {error}{hint}")
    return ExitCode.FAILED
