from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.redis_url import RedisUrl, parse_redis_url
from app.settings import Settings, SettingsError, load_settings


@pytest.mark.parametrize(
    ("url", "parsed", "address"),
    [
        ("redis://cache", RedisUrl((("cache", 6379),)), "cache:6379"),
        (
            "rediss://:p%40ss@[::1]:6380/2",
            RedisUrl((("::1", 6380),), tls=True, database=2, password="p@ss"),
            "[::1]:6380",
        ),
        ("redis://cache/?db=3", RedisUrl((("cache", 6379),), database=3), "cache:6379"),
        (
            "unix://us%3Aer:pw@/run/my%20redis.sock?db=1",
            RedisUrl(path="/run/my redis.sock", database=1, username="us:er", password="pw"),
            "/run/my redis.sock",
        ),
        (
            "redis+sentinel://preview:a%2Fb@one,two:26380,[::1]/tutorials/4",
            RedisUrl(
                (("one", 26379), ("two", 26380), ("::1", 26379)),
                service="tutorials", database=4, username="preview", password="a/b",
            ),
            "one:26379,two:26380,[::1]:26379/tutorials",
        ),
        (
            "rediss+sentinel://one/my%20service",
            RedisUrl((("one", 26379),), service="my service", tls=True),
            "one:26379/my service",
        ),
    ],
)  # fmt: skip
def test_a_url_says_where_the_queue_is(url: str, parsed: RedisUrl, address: str) -> None:
    assert parse_redis_url(url) == parsed
    assert parsed.address == address


@pytest.mark.parametrize(
    ("url", "remedy"),
    [
        ("http://host", "rediss+sentinel://"),
        ("redis:host", "write redis://"),
        ("127.0.0.1:6379", "write redis:// in front"),
        ("cache.example", "write redis:// in front"),
        ("redis+sentinel://hunter2@one/tutorials", "user:password@"),
        ("redis+sentinel://one:26379,two:26379", "service"),
        ("redis+sentinel://one,two/", "service"),
        ("redis+sentinel:///tutorials", "a host is missing"),
        ("redis+sentinel://one,,two/tutorials", "a host is missing"),
        ("redis+sentinel://one:hunter2,two/tutorials", "name:port"),
        ("redis+sentinel://one/tutorials/zero", "one number"),
        ("redis+sentinel://one/tutorials/0/1", "one number"),
        ("redis://one,two", "redis+sentinel://"),
        ("redis://one:99999", "name:port"),
        ("redis://one/1?db=2", "one number"),
        ("redis://[::1", "name:port"),
        ("redis://one\n", "not a URL"),
        ("redis://:hunter2#x@host", "%23"),
        ("redis://:hunter2/x@host", "percent-encode"),
        ("redis://u:12/hunter2@host:6379", "one number"),
        ("rediss://one?ssl_cert_reqs=none", "only option"),
        ("redis://one?retry_on_timeout=yes", "only option"),
        ("unix://run/redis.sock", "unix:///path"),
        ("unix://", "unix:///path"),
    ],
)
def test_a_malformed_url_is_told_with_its_remedy_and_without_its_secret(
    monkeypatch: pytest.MonkeyPatch, url: str, remedy: str
) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    assert str(caught.value).startswith("REDIS_URL=(hidden): ")
    assert remedy in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_secrets_are_not_in_what_is_printed_of_settings() -> None:
    settings = Settings(
        redis_url="redis+sentinel://u:hunter2@one/tutorials", redis_sentinel_password="hunter3"
    )
    assert "hunter" not in repr(settings)
    assert "hunter" not in repr(parse_redis_url(settings.redis_url))


@pytest.fixture
def file(tmp_path: Path) -> Callable[[str], str]:
    """Make a file that can be read, and return its path."""

    def make(name: str) -> str:
        (tmp_path / name).write_text("PEM")
        return str(tmp_path / name)

    return make


def test_files_of_tls_that_are_there_are_taken(file: Callable[[str], str]) -> None:
    settings = Settings(
        redis_url="rediss://host",
        redis_tls_ca_file=Path(file("ca.pem")),
        redis_tls_cert_file=Path(file("cert.pem")),
        redis_tls_key_file=Path(file("key.pem")),
    )
    assert settings.redis_tls_key_file == Path(file("key.pem"))


def refused(monkeypatch: pytest.MonkeyPatch, **variables: str) -> str:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as caught:
        load_settings()
    return str(caught.value)


@pytest.mark.parametrize("kind", ["CA", "CERT", "KEY"])
def test_a_file_of_tls_that_is_missing_is_named_with_its_variable(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, kind: str
) -> None:
    missing = str(tmp_path / "missing.pem")
    name = f"REDIS_TLS_{kind}_FILE"
    told = refused(monkeypatch, REDIS_URL="rediss://host", **{name: missing})
    assert f"{name}={missing!r}: the file does not exist" in told


@pytest.mark.parametrize("kind", ["CERT", "KEY"])
def test_a_certificate_without_its_key_is_refused_and_the_reverse(
    monkeypatch: pytest.MonkeyPatch, file: Callable[[str], str], kind: str
) -> None:
    variables = {"REDIS_URL": "rediss://host", f"REDIS_TLS_{kind}_FILE": file("a.pem")}
    told = refused(monkeypatch, **variables)
    assert "set REDIS_TLS_CERT_FILE and REDIS_TLS_KEY_FILE, or neither" in told


def test_a_certificate_that_an_unencrypted_connection_would_not_use_is_refused(
    monkeypatch: pytest.MonkeyPatch, file: Callable[[str], str]
) -> None:
    told = refused(monkeypatch, REDIS_URL="redis://host", REDIS_TLS_CA_FILE=file("ca.pem"))
    assert "requires a REDIS_URL with rediss://" in told
