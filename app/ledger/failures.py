"""What an error of Redis means, in a sentence for operators and clients."""

from __future__ import annotations

import re
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
    if isinstance(error, RedisTimeoutError):
        return "Redis cannot be reached: no answer in time."
    return "Redis cannot be reached."


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


def tls_reason(error: BaseException | None) -> str:
    """Return why TLS failed, if that is what ``error`` was raised for, else ""."""
    while error is not None and not isinstance(error, OSError):
        error = error.__cause__ or error.__context__
    if not isinstance(error, ssl.SSLError):
        return ""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the server's certificate is refused ({error.verify_message.rstrip('.')})"
    if isinstance(error, ssl.SSLEOFError):
        # Since TLS 1.3 a client learns of the refusal only when it speaks, and not always then.
        return "the server has hung up, perhaps because it refuses our certificate"
    return (error.reason or "the certificate or key cannot be used").lower().replace("_", " ")
