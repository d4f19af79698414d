"""Explains errors of Redis to operators and clients in one sentence."""

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

#: Explanations of error replies, by their first word.
_REFUSALS = {
    "NOAUTH": "Redis requires credentials, but REDIS_URL has none.",
    "WRONGPASS": "Redis refuses the credentials of REDIS_URL.",
    "LOADING": "Redis is loading its data.",
    "READONLY": "Redis refused a command (READONLY): the server is a replica now.",
    "OOM": "Redis refused a command (OOM): its memory is full.",
    "MISCONF": "Redis refused a command (MISCONF): it cannot write its data to disk.",
    "MOVED": "Redis refused a command (MOVED): a cluster of several nodes is not supported.",
    "CLUSTERDOWN": "Redis refused a command (CLUSTERDOWN): its cluster is not complete.",
    "NOREPLICAS": "Redis refused a command (NOREPLICAS): too few replicas are connected to it.",
}
#: The part of a NOPERM error that may be shown: the rest may contain names of keys.
_COMMAND = re.compile(r"'([a-z|_-]+)' command")


def explain(error: BaseException) -> str:
    """Return what is wrong with Redis, without names of keys or secrets."""
    if isinstance(error, MasterNotFoundError):
        return str(error)  # the message of app.ledger.sentinels
    secure = tls_reason(error)
    if secure:
        return f"TLS with Redis fails: {secure}."
    if isinstance(error.__context__, ReadOnlyError):
        error = error.__context__  # redis-py wraps it when it connects through Sentinels
    if isinstance(error, ResponseError | AuthenticationError | BusyLoadingError):
        return _refusal(error)
    return f"Redis cannot be reached: {_unreached(error)}."


def _unreached(error: BaseException) -> str:
    """Return why the connection failed. redis-py's own message would contain the address."""
    if isinstance(error, RedisTimeoutError):
        return "timed out"
    cause = _os_error(error)
    if isinstance(cause, socket.gaierror):
        return "host name not found"
    if isinstance(cause, FileNotFoundError):
        return "the socket does not exist"
    if isinstance(cause, ConnectionRefusedError):
        return "connection refused"
    if cause is not None and cause.errno in (errno.ENETUNREACH, errno.EHOSTUNREACH):
        return "no route to host"
    return "connection lost"


def _os_error(error: BaseException | None) -> OSError | None:
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    return error


def _refusal(error: RedisError) -> str:
    # In a pipeline, redis-py puts the number and text of the command before the error.
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
    """Return why TLS failed, "" if ``reason`` has another cause."""
    error = _os_error(reason)
    if not isinstance(error, ssl.SSLError):
        return ""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is not accepted ({error.verify_message.rstrip('.')})"
    if isinstance(error, ssl.SSLEOFError):
        # With TLS 1.3, a client learns of the rejection after the handshake, and not always.
        return "the server closed the connection, perhaps because it rejects our certificate"
    return (error.reason or "the certificate or key cannot be used").lower().replace("_", " ")
