from __future__ import annotations

import errno
import json
import os
import socket
import sys
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Literal

import av
import pytest
import redis
from typer.testing import Result

from app.cli.checks import findings, host, queue
from app.cli.checks.findings import Finding, run_check
from app.client import PreviewClient
from app.ledger import Ledger
from app.settings import Settings
from tests.cli.conftest import begin, payload

Preview = Callable[..., Result]


def checks(result: Result) -> dict[str, dict[str, Any]]:
    return {item["name"]: item for item in json.loads(result.stdout)["checks"]}


def test_a_sound_machine_passes(
    preview: Preview, queue_client: PreviewClient, ledger: Ledger
) -> None:
    queue_client.submit(payload())
    begin(ledger)
    result = preview("doctor", "--json")
    found = checks(result)
    assert result.exit_code == 0, result.stdout
    assert json.loads(result.stdout)["ok"] is True
    sound = ("settings", "python", "encoder", "fonts", "disk", "redis")
    assert {found[name]["level"] for name in sound} == {"ok"}
    assert "the first worker makes it" in found["storage"]["detail"]
    assert found["redis"]["detail"].startswith("Valkey ")
    assert found["memory policy"]["level"] == "ok"
    assert found["workers"]["detail"].startswith("1 alive with 2 slots; ")


def test_findings_are_lines_with_their_remedies(preview: Preview) -> None:
    result = preview("doctor")
    lines = result.stdout.splitlines()
    assert any(line.startswith("ok   encoder        PyAV") for line in lines)
    persistence = next(n for n, line in enumerate(lines) if "persistence" in line)
    assert lines[persistence].startswith("warn ")
    assert lines[persistence + 1] == "     → set appendonly yes on the server"
    assert lines[-1].endswith(" 0 failed")


def test_an_absent_redis_fails(preview: Preview) -> None:
    result = preview("doctor", "--json", REDIS_URL="redis://:hunter2@127.0.0.1:1")
    assert result.exit_code == 1
    assert (
        checks(result)["redis"]["detail"]
        == "127.0.0.1:1: Redis cannot be reached: connection refused."
    )
    assert "hunter2" not in result.stdout


def test_production_without_keys_is_a_warning_because_a_worker_needs_none(
    preview: Preview,
) -> None:
    result = preview("doctor", "--json", APP_ENV="production")
    assert (result.exit_code, checks(result)["keys"]["level"]) == (0, "warn")
    result = preview("doctor", "--json", APP_ENV="production", PREVIEW_API_KEYS="k" * 32)
    assert (result.exit_code, checks(result)["keys"]["level"]) == (0, "ok")


def test_a_bad_setting_fails_and_the_rest_is_still_checked(preview: Preview) -> None:
    result = preview("doctor", "--json", PREVIEW_QUEUE_MAX="lots")
    found = checks(result)
    assert result.exit_code == 1
    assert "PREVIEW_QUEUE_MAX" in found["settings"]["detail"]
    assert found["encoder"]["level"] == "ok"


def test_directories_that_cannot_be_written_fail(preview: Preview) -> None:
    result = preview("doctor", "--json", DATA_DIR="/dev/null/data")
    found = checks(result)
    assert result.exit_code == 1
    assert (found["disk"]["level"], found["storage"]["level"]) == ("fail", "fail")
    assert "DATA_DIR" in found["disk"]["remedy"]


def test_the_doctor_makes_no_directory(preview: Preview, tmp_path: Path) -> None:
    found = checks(preview("doctor", "--json", DATA_DIR=str(tmp_path / "data")))
    assert found["disk"]["level"] == "ok"
    assert "does not exist yet and can be made" in found["disk"]["detail"]
    assert not (tmp_path / "data").exists()
    (tmp_path / "data" / "artifacts").mkdir(parents=True)
    found = checks(preview("doctor", "--json", DATA_DIR=str(tmp_path / "data")))
    assert (found["storage"]["level"], found["disk"]["level"]) == ("ok", "ok")


def test_a_read_only_disk_is_a_warning_because_an_api_can_do_without() -> None:
    error = OSError(errno.EROFS, os.strerror(errno.EROFS))
    found = host.unwritable(Path("/data"), error)
    assert (found.level, found.detail.partition(";")[0]) == ("warn", "/data: Read-only file system")


def test_a_port_that_another_program_has_is_a_warning(preview: Preview) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        result = preview("doctor", "--json", PREVIEW_API_PORT=port)
    found = checks(result)["API port"]
    assert (result.exit_code, found["level"]) == (0, "warn")
    assert found["remedy"] == "set PREVIEW_API_PORT to another port"


@pytest.fixture
def limited_url(embedded_url: str) -> Iterator[str]:
    """A user who may not ask for the server's configuration, as on managed servers."""
    admin = redis.Redis.from_url(embedded_url)
    admin.acl_setuser(
        "limited",
        enabled=True,
        passwords="+pw",
        keys="*",
        commands=["-config"],
        channels="*",
        categories=["+@all"],
    )
    yield embedded_url.replace("redis://", "redis://limited:pw@")
    admin.acl_deluser("limited")
    admin.close()


def test_a_server_that_hides_its_configuration_is_no_obstacle(
    preview: Preview, limited_url: str
) -> None:
    found = checks(preview("doctor", "--json", REDIS_URL=limited_url))
    assert found["redis"]["level"] == "ok"
    assert found["persistence"]["detail"] == "no append-only file; snapshots unknown"


def test_wrong_credentials_are_named_as_such(preview: Preview, limited_url: str) -> None:
    result = preview("doctor", "--json", REDIS_URL=limited_url.replace(":pw@", ":wrong@"))
    assert "refuses the credentials" in checks(result)["redis"]["detail"]


@pytest.mark.parametrize(
    ("info", "level", "name"),
    [
        ({"redis_version": "7.2.4", "valkey_version": "9.1.2"}, "ok", "Valkey 9.1.2"),
        ({"redis_version": "6.2.0"}, "ok", "Redis 6.2.0"),
        ({"redis_version": "6.0.16"}, "fail", "Redis 6.0.16"),
        ({}, "fail", "Redis unknown"),
    ],
)
def test_the_version_is_judged(info: dict[str, Any], level: str, name: str) -> None:
    found = queue.version(info, "host:1")
    assert (found.level, found.detail.startswith(f"{name} at host:1")) == (level, True)


@pytest.mark.parametrize(
    ("info", "found"),
    [
        ({"role": "master", "rdb_last_bgsave_status": "ok"}, []),
        ({"role": "slave"}, [("role", "fail")]),
        ({"role": "master", "rdb_last_bgsave_status": "err"}, [("snapshots", "warn")]),
    ],
)
def test_a_server_that_takes_no_writes_is_found(
    info: dict[str, Any], found: list[tuple[str, str]]
) -> None:
    assert [(item.name, item.level) for item in queue.writable(info)] == found


@pytest.mark.parametrize(
    ("info", "level"),
    [
        ({"maxmemory_policy": "noeviction"}, "ok"),
        ({"maxmemory_policy": "allkeys-lru", "maxmemory": 0}, "warn"),
        ({"maxmemory_policy": "allkeys-lru", "maxmemory": 1 << 30}, "fail"),
    ],
)
def test_a_policy_that_deletes_jobs_is_found(info: dict[str, Any], level: str) -> None:
    assert queue.memory_policy(info).level == level


@pytest.mark.parametrize(
    ("info", "save", "level", "detail"),
    [
        ({"aof_enabled": 1, "aof_last_write_status": "ok"}, "", "ok", "append-only file"),
        ({"aof_enabled": 1, "aof_last_write_status": "err"}, "", "fail", "cannot be written"),
        ({"aof_enabled": 0}, "900 1", "warn", "snapshots only"),
        ({"aof_enabled": 0}, "", "warn", "none"),
    ],
)
def test_persistence_is_judged(info: dict[str, Any], save: str, level: str, detail: str) -> None:
    found = queue.persistence(info, save)
    assert found.level == level
    assert detail in found.detail


@pytest.mark.parametrize(("skew", "level"), [(0.1, "ok"), (-1.9, "ok"), (30.0, "warn")])
def test_a_clock_that_is_off_is_found(skew: float, level: str) -> None:
    assert queue.clock(skew).level == level


@pytest.mark.parametrize(("free", "level"), [(10**10, "ok"), (10**9, "warn"), (10**8, "fail")])
def test_a_disk_that_fills_up_is_found(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, free: int, level: str
) -> None:
    # A full disk cannot be had here; what is measured is replaced, not what is judged.
    usage = types.SimpleNamespace(free=free)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    (found,) = host.disk(settings)
    assert found.level == level


def test_an_encoder_that_cannot_be_loaded_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    (found,) = host.encoder()
    assert (found.level, "PyAV cannot be loaded" in found.detail) == ("fail", True)


def test_a_codec_that_is_absent_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    real = av.codec.Codec

    def without_x264(name: str, mode: Literal["r", "w"]) -> av.codec.Codec:
        return real("absent" if name == "libx264" else name, mode)

    monkeypatch.setattr("av.codec.Codec", without_x264)
    (found,) = host.encoder()
    assert (found.level, found.detail) == ("fail", "PyAV lacks libx264")


def test_it_says_whether_words_without_spaces_are_known(monkeypatch: pytest.MonkeyPatch) -> None:
    for version, level in (("1.2.0", "ok"), ("", "info")):
        monkeypatch.setattr("app.render.text.segmentation.version", lambda version=version: version)
        (found,) = host.words()
        assert (found.level, "inside words" in found.detail) == (level, not version)


def test_missing_fonts_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    only = (Path("NotoSans-Regular.ttf"),)
    monkeypatch.setattr("app.render.text.fonts.font_files", lambda: only)
    found = {finding.name: finding for finding in host.fonts()}
    assert found["fonts"].level == "fail"
    assert "NotoSansArabic" in found["fonts"].detail
    assert "NotoSans," not in found["fonts"].detail


def test_a_check_that_breaks_does_not_stop_the_others() -> None:
    def check() -> Iterator[Finding]:
        yield Finding("first", "ok", "")
        raise ZeroDivisionError("oh")

    first, second = run_check("odd", check)
    assert (first.name, second.level, second.detail) == ("first", "fail", "ZeroDivisionError: oh")


def test_a_check_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(findings, "CHECK_SECONDS", 0.05)
    answer = threading.Event()

    def check() -> Iterator[Finding]:
        answer.wait(60)
        yield Finding("late", "ok", "")

    (found,) = run_check("slow", check)
    answer.set()
    assert (found.name, found.level) == ("slow", "fail")
