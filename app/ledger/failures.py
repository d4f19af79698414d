"""What an error of Redis means, in a sentence for operators and clients."""

from __future__ import annotations

import errno
import re
import socket
import ssl

from redis.exceptions import (
    AuthenticationError,
    BusyLoadingError,
    NoPermissionError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.sentinel import MasterNotFoundError

#: What the first word of a refusal means, where it needs saying.
_REFUSALS = {
    "NOAUTH": "Redis demands credentials, and REDIS_URL has none.",
    "WRONGPASS": "Redis refuses the credentials of REDIS_URL.",
    "LOADING": "Redis is loading its data.",
    "READONLY": "Redis refused a command (READONLY): the server is a replica now.",
    "OOM": "Redis refused a command (OOM): its memory is full.",
    "MISCONF": "Redis refused a command (MISCONF): it cannot write its data to disk.",
    "NOREPLICAS": "Redis refused a command (NOREPLICAS): too few replicas are connected to it.",
}
#: The only part of a NOPERM that is repeated: the rest may name keys.
_COMMAND = re.compile(r"'([a-z|_-]+)' command")


def explain(error: BaseException) -> str:
    """Return what is wrong with Redis, without names of keys and without secrets."""
    if isinstance(error, MasterNotFoundError):
        return str(error)  # the words of app.ledger.sentinels
    secure = tls_reason(error)
    if secure:
        return f"TLS with Redis fails: {secure}."
    if isinstance(error.__context__, ReadOnlyError):
        error = error.__context__  # redis-py hides it where Sentinels arrange the connection
    if isinstance(error, ResponseError | AuthenticationError | BusyLoadingError):
        return _refusal(error)
    return f"Redis cannot be reached: {_unreached(error)}."


def _unreached(error: BaseException) -> str:
    """Return what is between Redis and us; redis-py's own words would name the server."""
    if isinstance(error, RedisTimeoutError):
        return "no answer in time"
    cause = _os_error(error)
    if isinstance(cause, socket.gaierror):
        return "its name is not known"
    if isinstance(cause, ConnectionRefusedError | FileNotFoundError):
        return "nothing listens there"
    if cause is not None and cause.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return "there is no way to it"
    return "the connection broke"


def _os_error(error: BaseException | None) -> OSError | None:
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    return error


def _refusal(error: RedisError) -> str:
    # redis-py puts the number and the text of a command before its error, when in a pipeline.
    told = str(error).rpartition(" of pipeline caused error: ")[2]
    word = error.status_code or told.partition(" ")[0]
    if isinstance(error, NoPermissionError):
        command = _COMMAND.search(str(error))
        what = f"run {command[1].upper()}" if command else "do that"
        return f"The user of REDIS_URL may not {what} ({word})."
    if isinstance(error, AuthenticationError):
        word = word if word in _REFUSALS else "WRONGPASS"
    return _REFUSALS.get(word, f"Redis refused a command ({word}).")


def tls_reason(reason: BaseException | None) -> str:
    """Return why TLS failed, if that is what ``reason`` was raised for, else ""."""
    error = _os_error(reason)
    if not isinstance(error, ssl.SSLError):
        return ""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is refused ({error.verify_message.rstrip('.')})"
    if isinstance(error, ssl.SSLEOFError):
        # Since TLS 1.3 a client learns of the refusal only when it speaks, and not always then.
        return "the server has hung up, perhaps because it refuses our certificate"
    return (error.reason or "the certificate or key cannot be used").lower().replace("_", " ")
