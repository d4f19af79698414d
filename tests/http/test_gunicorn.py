"""The real server: ``gunicorn app.http.wsgi:app`` from the root, as it is deployed."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import redis
from prometheus_client.parser import text_string_to_metric_families

from app.contract import MAX_PAYLOAD_BYTES
from app.ledger import Ledger
from app.settings import Settings
from tests.conftest import wait_until
from tests.http.conftest import API_KEY, FILES
from tests.support.payloads import payload
from tests.support.probes import NO_CERTIFICATES
from tests.support.processes import (
    ROOT,
    children_of,
    environment,
    members_of,
    running,
    send_all,
    stop,
)

JOB = "/api/preview/job"
SERVER = ["gunicorn", "app.http.wsgi:app"]
LISTENING = re.compile(r"Listening at: http://127\.0\.0\.1:(\d+)")


@dataclass
class Server:
    """A running server and a client of it."""

    process: subprocess.Popen[bytes]
    port: int
    client: httpx.Client

    def accepted(self) -> float:
        """What ``/metrics`` says was accepted, asked over a new connection."""
        url = f"http://127.0.0.1:{self.port}/metrics"
        text = httpx.get(url, verify=NO_CERTIFICATES).text
        return next(
            sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == "preview_jobs_accepted_total"
        )

    def raw(self, request: bytes) -> bytes:
        """Send bytes as they are and read until the server closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(request)
            connection.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: connection.recv(65536), b""))


@pytest.fixture(scope="module")
def settings(embedded_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of the one queue of this module."""
    return Settings(
        redis_url=embedded_url,
        app_env="test",
        data_dir=tmp_path_factory.mktemp("data"),
        preview_queue_name=f"t-{uuid.uuid4().hex[:12]}",
        preview_queue_max=5,
        preview_api_port=0,
    )


@contextlib.contextmanager
def serve(settings: Settings, log: Path, **variables: str) -> Iterator[Server]:
    """Run a server of two processes, with a key."""
    env = environment(settings, PREVIEW_API_KEYS=API_KEY, WEB_CONCURRENCY="2", **variables)
    with running(SERVER, env=env, log=log) as process, contextlib.ExitStack() as stack:

        def port() -> re.Match[str] | None:
            assert process.poll() is None, log.read_text()
            return LISTENING.search(log.read_text())

        wait_until(port, "gunicorn listens")
        found = port()
        assert found is not None
        client = httpx.Client(
            base_url=f"http://127.0.0.1:{found[1]}",
            headers={"x-mobius-api-key": API_KEY},
            timeout=60,
            limits=httpx.Limits(max_connections=50),
        )
        stack.enter_context(client)
        wait_until(lambda: len(children_of(process.pid)) == 2, "two workers run")
        assert client.get("/livez").status_code == 200
        yield Server(process, int(found[1]), client)


@pytest.fixture(scope="module")
def shared(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """The one server of this module."""
    with serve(settings, tmp_path_factory.mktemp("server") / "gunicorn.log") as server:
        yield server


@pytest.fixture
def server(shared: Server, client: redis.Redis, ledger: Ledger) -> Server:
    """The server with an empty queue."""
    for key in client.scan_iter(match=f"{ledger.keys.prefix}*"):
        client.delete(key)
    return shared


def post_all(server: Server, documents: list[dict[str, object]]) -> Counter[int]:
    """Post all at once; returns how often each status was answered."""
    with ThreadPoolExecutor(len(documents)) as threads:
        answers = threads.map(lambda document: server.client.post(JOB, json=document), documents)
        return Counter(answer.status_code for answer in answers)


def test_fifty_clients_that_post_one_job_make_one_job(server: Server, ledger: Ledger) -> None:
    assert post_all(server, [payload()] * 50) == {202: 1, 200: 49}
    assert ledger.stats().depth == 1


def test_the_queue_holds_its_maximum_and_not_one_more(server: Server, ledger: Ledger) -> None:
    documents = [payload(f"job-{number}") for number in range(40)]
    assert post_all(server, documents) == {202: 5, 429: 35}
    assert ledger.stats().depth == 5


def test_the_counters_of_all_processes_are_one_sum_that_a_crash_leaves(
    server: Server,
) -> None:
    earlier = server.accepted()
    post_all(server, [payload(f"job-{number}") for number in range(5)])
    assert {server.accepted() for _ in range(10)} == {earlier + 5}
    before = children_of(server.process.pid)
    for worker in before:
        os.kill(worker, signal.SIGKILL)

    def replaced() -> bool:
        now = children_of(server.process.pid)
        return len(now) == 2 and not now & before

    wait_until(replaced, "the workers are replaced")
    assert {server.accepted() for _ in range(10)} == {earlier + 5}


def test_a_body_without_a_length_is_bounded(server: Server) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"jobId":"'
        for _ in range(2 * MAX_PAYLOAD_BYTES // 65536):
            yield b"x" * 65536

    headers = {"Content-Type": "application/json"}
    refused = server.client.post(JOB, content=chunks(), headers=headers)
    assert refused.status_code == 413
    assert refused.headers["connection"] == "close"
    assert server.client.post(JOB, json=payload()).status_code == 202


def test_broken_chunks_are_a_bad_request(server: Server) -> None:
    head = (
        f"POST {JOB} HTTP/1.1\r\nHost: h\r\nx-mobius-api-key: {API_KEY}\r\n"
        "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n"
    )
    answer = server.raw(head.encode() + b"zz\r\n{}\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")


def test_paths_lead_to_jobs_only(server: Server) -> None:
    def status(path: str, *headers: str) -> bytes:
        lines = [f"GET {path} HTTP/1.1", "Host: h", "Connection: close", *headers, "", ""]
        return server.raw("\r\n".join(lines).encode()).split(b" ", 2)[1]

    for path in (
        "/api/preview/job/../../../../etc/passwd/status",
        "/api/preview/job/..%2f..%2fetc/artifact",
        "/api/preview/job/%2e%2e/artifact",
    ):
        assert status(path, f"x-mobius-api-key: {API_KEY}") == b"404", path
    assert status("//api/preview/jobs") == b"401"


def test_a_file_is_streamed_whole_and_in_part(server: Server, complete: Callable[[], None]) -> None:
    server.client.post(JOB, json=payload())
    complete()
    path = f"{JOB}/job-1/artifact"
    video = FILES["video"][2]
    assert server.client.get(path).content == video
    part = server.client.get(path, headers={"Range": "bytes=1000-1999"})
    assert part.status_code == 206
    assert part.content == video[1000:2000]
    head = server.client.head(path)
    assert head.headers["content-length"] == str(len(video))
    assert server.client.get(path, headers={"If-None-Match": head.headers["etag"]}).content == b""


@pytest.mark.usefixtures("server")  # whose queue is empty
@pytest.mark.parametrize(("trusted", "scheme"), [("127.0.0.1", "https"), ("192.0.2.0/24", "http")])
def test_the_url_of_a_file_has_the_scheme_that_a_trusted_proxy_names(
    settings: Settings, complete: Callable[[], None], tmp_path: Path, trusted: str, scheme: str
) -> None:
    with serve(settings, tmp_path / "gunicorn.log", FORWARDED_ALLOW_IPS=trusted) as server:
        server.client.post(JOB, json=payload())
        complete()
        headers = {"Accept": "application/json", "X-Forwarded-Proto": "https"}
        answer = server.client.get(f"{JOB}/job-1/artifact", headers=headers)
    path = f"{JOB}/job-1/artifact?kind=video"
    assert answer.json()["url"] == f"{scheme}://127.0.0.1:{server.port}{path}"


def test_the_server_ends_cleanly_and_leaves_no_counters(settings: Settings, tmp_path: Path) -> None:
    with serve(settings, tmp_path / "gunicorn.log") as server:
        mine = counters_of(server.process.pid)
        assert len(mine) == 1
        assert stop(server.process) == 0
        assert not mine.pop().exists()


def counters_of(pid: int) -> set[Path]:
    """The directories in memory that the children of ``pid`` have files open in."""
    found = set()
    for child in children_of(pid):
        for file in re.findall(r"/\S+\.db$", Path(f"/proc/{child}/maps").read_text(), re.MULTILINE):
            found.add(Path(file).parent)
    return found


def test_counters_of_a_server_that_was_killed_are_removed_by_the_next(
    settings: Settings, tmp_path: Path
) -> None:
    with serve(settings, tmp_path / "killed.log") as killed:
        (left,) = counters_of(killed.process.pid)
        family = {killed.process.pid, *children_of(killed.process.pid)}
        send_all(family, signal.SIGKILL)
        killed.process.wait()
        wait_until(lambda: not members_of(killed.process.pid), "its workers are gone")
    assert left.exists()
    with serve(settings, tmp_path / "next.log"):
        assert not left.exists()


@pytest.mark.parametrize("configured", [True, False])
def test_without_keys_production_does_not_start(
    settings: Settings, tmp_path: Path, *, configured: bool
) -> None:
    env = environment(settings, APP_ENV="production")
    empty = tmp_path / "empty.conf.py"
    empty.write_text("control_socket_disable = True\nbind = '127.0.0.1:0'\n")
    options = [] if configured else ["--config", str(empty)]
    ended = subprocess.run(
        [sys.executable, "-m", *SERVER, *options],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode != 0
    assert "Traceback" not in ended.stderr
    assert ended.stderr.count("PREVIEW_API_KEYS") == 1
    if configured:
        assert ended.stderr.splitlines()[0].startswith("PREVIEW_API_KEYS is empty")
        assert len(ended.stderr.splitlines()) == 1
