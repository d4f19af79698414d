"""TLS and mutual TLS: who is trusted, who is not, and what is said of it."""

from __future__ import annotations

import contextlib
import subprocess
import traceback
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.errors import BrokerUnavailable
from app.ledger import Ledger, connect, redis_errors
from app.settings import Settings
from tests.ledger.jobs import admission, claim_next, state
from tests.support.certificates import Authority
from tests.support.redis_servers import RedisServer, Tls, redis_server_binary

HUNG_UP = "the server closed the connection, perhaps because it rejects our certificate"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Who signs the certificates of server and clients."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Another authority, whom the server does not trust."""
    return Authority(tmp_path_factory.mktemp("stranger"))


@pytest.fixture(scope="module")
def server(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server that demands no certificate of its clients."""
    with RedisServer(
        tmp_path_factory.mktemp("tls"),
        "--tls-auth-clients",
        "no",
        binary=redis_server_binary(),
        tls=authority.issue("server"),
    ) as running:
        yield running


@pytest.fixture(scope="module")
def mutual(authority: Authority, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A server that demands a certificate of its clients."""
    with RedisServer(
        tmp_path_factory.mktemp("mutual"),
        binary=redis_server_binary(),
        tls=authority.issue("mutual"),
    ) as running:
        yield running


def settings(url: str, *, ca: Path | None = None, own: Tls | None = None) -> Settings:
    return Settings(
        redis_url=url,
        redis_tls_ca_file=ca,
        redis_tls_cert_file=own.cert if own else None,
        redis_tls_key_file=own.key if own else None,
    )


def failure(given: Settings) -> str:
    with (
        contextlib.closing(connect(given, timeout_seconds=1)) as client,
        pytest.raises(BrokerUnavailable) as caught,
        redis_errors(),
    ):
        client.ping()
    assert "secret" not in "".join(traceback.format_exception(caught.value))
    return caught.value.detail


def run_a_job(given: Settings) -> None:
    with contextlib.closing(connect(given)) as client:
        ledger = Ledger(client, queue="q", lease_seconds=30, max_starts=3, retain=False)
        assert ledger.admit(admission("one"), limit=None) == "admitted"
        job = claim_next(ledger)
        assert ledger.settle(job.job_id, job.fence, "completed") == "completed"
        assert state(ledger, "one") is None


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_server_whose_certificate_is_in_order_is_used(
    server: RedisServer, authority: Authority, host: str
) -> None:
    run_a_job(settings(f"rediss://{host}:{server.port}/1", ca=authority.cert))


def test_a_server_of_an_unknown_authority_is_refused(
    server: RedisServer, stranger: Authority
) -> None:
    for ca in (None, stranger.cert):
        told = failure(settings(f"rediss://:secret@127.0.0.1:{server.port}", ca=ca))
        assert told.startswith(
            "TLS with Redis fails: the server's certificate is not accepted (self"
        )


def test_a_server_of_another_name_is_refused(authority: Authority, tmp_path: Path) -> None:
    elsewhere = authority.issue("elsewhere", names="DNS:elsewhere.example")
    with RedisServer(tmp_path, binary=redis_server_binary(), tls=elsewhere) as server:
        told = failure(settings(server.url, ca=authority.cert))
    assert "the server's certificate is not accepted (IP address mismatch" in told


def test_a_server_that_demands_a_certificate_takes_ours(
    mutual: RedisServer, authority: Authority
) -> None:
    own = authority.issue("client", names="DNS:preview")
    run_a_job(settings(mutual.url, ca=authority.cert, own=own))


@pytest.mark.parametrize("shows", ["nothing", "a stranger's"])
def test_a_server_that_refuses_our_certificate_is_told(
    mutual: RedisServer, authority: Authority, stranger: Authority, shows: str
) -> None:
    own = None if shows == "nothing" else stranger.issue("client")
    told = failure(settings(mutual.url, ca=authority.cert, own=own))
    reasons = (HUNG_UP, "tlsv13 alert certificate required", "tlsv1 alert unknown ca")
    assert told in {f"TLS with Redis fails: {reason}." for reason in reasons}


def test_files_that_are_no_certificates_are_told(
    server: RedisServer, authority: Authority, tmp_path: Path
) -> None:
    own, other = authority.issue("client"), authority.issue("other")
    told = failure(settings(server.url, ca=own.key))
    assert told == "TLS with Redis fails: no certificate or crl found."
    mixed = Tls(authority.cert, own.cert, other.key)
    told = failure(settings(server.url, ca=authority.cert, own=mixed))
    assert told == "TLS with Redis fails: key values mismatch."


def test_a_locked_key_is_an_error_and_asks_no_terminal(
    server: RedisServer, authority: Authority, tmp_path: Path
) -> None:
    own, locked = authority.issue("client"), tmp_path / "locked.key"
    command = ["openssl", "pkey", "-aes256", "-passout", "pass:secret", "-in", str(own.key)]
    subprocess.run([*command, "-out", str(locked)], check=True)
    told = failure(
        settings(server.url, ca=authority.cert, own=Tls(authority.cert, own.cert, locked))
    )
    assert told == "TLS with Redis fails: the certificate or key cannot be used."


def test_without_tls_on_either_side_there_is_no_connection(
    server: RedisServer, authority: Authority, tmp_path: Path
) -> None:
    assert failure(settings(f"redis://127.0.0.1:{server.port}")).startswith(
        "Redis cannot be reached"
    )
    with RedisServer(tmp_path) as plain:
        told = failure(settings(f"rediss://127.0.0.1:{plain.port}", ca=authority.cert))
    assert told == "Redis cannot be reached: timed out."
