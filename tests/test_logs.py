from __future__ import annotations

import io
import json
import logging
from typing import Any

import pytest

from app.logs import bind, configure_logging, get_logger, scrub


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


@pytest.mark.usefixtures("restored_logging")
def test_an_event_is_one_line_of_json_with_the_names_of_its_job() -> None:
    stream = io.StringIO()
    configure_logging(level="info", stream=stream)
    bind(jobId="job-1", requestId="req-1")
    get_logger("app.test").info("attempt.ended", outcome="completed", durationMs=12.5)
    (line,) = lines(stream)
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "attempt.ended",
        "level": "info",
        "logger": "app.test",
        "jobId": "job-1",
        "requestId": "req-1",
        "outcome": "completed",
        "durationMs": 12.5,
    }


@pytest.mark.usefixtures("restored_logging")
def test_the_standard_librarys_logs_look_the_same() -> None:
    stream = io.StringIO()
    configure_logging(level="info", stream=stream)
    logging.getLogger("dramatiq.worker").warning("Message %s was skipped.", "a")
    (line,) = lines(stream)
    assert (line["event"], line["level"]) == ("Message a was skipped.", "warning")


@pytest.mark.usefixtures("restored_logging")
def test_levels_below_the_chosen_one_are_silent() -> None:
    stream = io.StringIO()
    configure_logging(level="warning", stream=stream)
    get_logger("app.test").info("nothing")
    assert stream.getvalue() == ""


@pytest.mark.usefixtures("restored_logging")
def test_a_traceback_is_in_the_log_and_its_secrets_are_not() -> None:
    stream = io.StringIO()
    configure_logging(level="info", stream=stream)
    try:
        raise RuntimeError("cannot reach redis://user:hunter2@db:6379/0")  # noqa: TRY301 - the traceback is the subject
    except RuntimeError:
        get_logger("app.test").exception("redis.failed", apiKey="abc")
    (line,) = lines(stream)
    assert "RuntimeError" in line["exception"]
    assert "redis://***@db:6379/0" in line["exception"]
    assert line["apiKey"] == "***"
    assert "hunter2" not in stream.getvalue()


@pytest.mark.usefixtures("restored_logging")
def test_on_a_terminal_a_traceback_shows_neither_secrets_nor_variables() -> None:
    stream = Terminal()
    configure_logging(level="info", stream=stream)
    secret_of_the_payload = "".join(["dra", "gons"])
    try:
        raise RuntimeError("cannot reach redis://user:hunter2@db:6379/0")  # noqa: TRY301 - as above
    except RuntimeError:
        get_logger("app.test").exception("redis.failed")
    assert "RuntimeError" in stream.getvalue()
    assert "hunter2" not in stream.getvalue()
    assert secret_of_the_payload not in stream.getvalue()


@pytest.mark.usefixtures("restored_logging")
def test_on_a_terminal_a_line_is_readable_and_coloured() -> None:
    stream = Terminal()
    configure_logging(level="info", stream=stream)
    get_logger("app.test").info("worker.ready", slots=2)
    assert "worker.ready" in stream.getvalue()
    assert "\x1b[" in stream.getvalue()
    assert not stream.getvalue().startswith("{")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
        ('{"api_key": "k-123", "a": 1}', '{"api_key": "***", "a": 1}'),
        ("rediss://:pw@host:1/0 and redis://host", "rediss://***@host:1/0 and redis://host"),
        ("password=hunter2, retry", "password=***, retry"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_credentials_are_scrubbed_from_text(text: str, clean: str) -> None:
    assert scrub(text) == clean
